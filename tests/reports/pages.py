"""What tests want to know of a page: its elements, texts and references, read as a browser does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"br", "img", "link", "meta"}


@dataclass
class Element:
    """An element with its attributes and the text inside it, children's included."""

    name: str
    attributes: dict[str, str | None]
    parents: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page in order; fails on tags that are not closed in order."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), tuple(one.name for one in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, (tag, self.open[-1])
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, name: str, class_: str | None = None) -> list[Element]:
        return [
            one
            for one in self.elements
            if one.name == name and class_ in (None, one.attributes.get("class"))
        ]

    def texts(self, name: str, class_: str | None = None) -> list[str]:
        return [one.text for one in self.all(name, class_)]

    def references(self) -> set[str]:
        """Everything that the page loads or links to."""
        found = {one.attributes.get(key) for one in self.elements for key in ("src", "href")}
        return {name for name in found if name is not None and name != "data:,"}


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def read_page(folder: Path) -> Page:
    """Read index.html and check that all it refers to lies beside it."""
    page = parse((folder / "index.html").read_text("utf-8"))
    for name in page.references():
        assert (folder / name).is_file(), name
    return page
