"""Texts cannot become markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pages import parse

from askmask.reports.markup import Markup, document, joined, tag

# What HTML may hold: no surrogates, and line ends that parsers leave alone.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))


@given(TEXTS)
def test_every_text_comes_back_as_text(text: str) -> None:
    page = parse(tag("p", tag("b", text), title=text))
    assert [one.name for one in page.elements] == ["p", "b"]
    assert page.texts("b") == [text]
    assert page.elements[0].attributes == {"title": text}


def test_markup_is_kept_and_its_parts_cannot_smuggle() -> None:
    assert joined(Markup("<b>"), "<b>") == "<b>&lt;b&gt;"
    assert tag("p", tag("i", "<"), "&") == "<p><i>&lt;</i>&amp;</p>"
    assert not isinstance(Markup("<b>") + "<i>", Markup)  # so that + cannot bless a plain text


def test_attributes() -> None:
    made = tag("input", class_="a b", data_value=None, disabled=True, hidden=False, aria_label=3)
    assert made == '<input class="a b" disabled aria-label="3"></input>'
    assert tag("img", src="a.png") == '<img src="a.png">'


def test_document_is_a_whole_page() -> None:
    page = parse(document("a < b", tag("p", "x"), scripts=("sort.js",)))
    assert page.texts("title") == ["a < b"]
    assert page.references() == {"page.css", "sort.js"}
    assert page.elements[0].attributes == {"lang": "en"}
