"""The files of the page: how they are served, and that they keep to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Client, running

from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.overlay.palette import PANEL, WHITE, colour_of
from askmask.serve.page_files import HEADERS, PAGE

TEXTS = sorted(one for one in PAGE.rglob("*") if one.suffix in (".js", ".html", ".css", ".svg"))


@pytest.fixture(scope="module")
def guarded(embedded: EmbeddedSegmenter) -> Iterator[Client]:
    with running(embedded, token="sesame", page=PAGE) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/page/", "text/html"),
        ("/page/main.js", "text/javascript"),
        ("/page/page.css", "text/css"),
        ("/page/icon.svg", "image/svg+xml"),
        ("/page/samples/cans.jpg", "image/jpeg"),
    ],
)
def test_files_come_without_a_token_and_with_rules(guarded: Client, path: str, kind: str) -> None:
    status, headers, body = guarded.raw("GET", path)
    assert (status, headers["content-type"].split(";")[0]) == (200, kind)
    assert body
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in headers["content-security-policy"]
    assert guarded.raw("GET", path, if_none_match=headers["etag"])[0] == 304


def test_the_address_of_the_server_leads_to_the_page(guarded: Client) -> None:
    status, headers, _ = guarded.raw("GET", "/")
    assert (status, headers["location"]) == (307, "page/")
    assert guarded.raw("GET", "/page/nothing.js")[0] == 404
    assert guarded.raw("GET", "/v1/models")[0] == 401


def test_there_may_be_no_page(server: Client) -> None:
    assert server.raw("GET", "/")[0] == 404
    assert server.raw("GET", "/page/")[0] == 404


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_a_file_asks_nothing_of_others_and_makes_no_markup(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", text)
    for name in re.findall(r"from \"(\./[^\"]+)\"", text):
        assert (path.parent / name).is_file()


def test_the_page_draws_in_the_colours_of_our_pictures() -> None:
    text = (PAGE / "palette.js").read_text("utf-8")
    named = dict(re.findall(r"const (WHITE|PANEL) = \[([\d, ]+)\]", text))
    listed = re.findall(r"^  \[([\d, ]+)\],", text, re.MULTILINE)
    assert [numbers(named["WHITE"]), numbers(named["PANEL"])] == [WHITE, PANEL]
    assert [numbers(one) for one in listed] == [colour_of(i) for i in range(len(listed))]
    assert colour_of(len(listed)) == colour_of(0)
    css = (PAGE / "page.css").read_text("utf-8")
    shown = re.findall(r"\.colour-(\d) { background: #(\w{6})", css)
    assert [(int(i), tuple(bytes.fromhex(one))) for i, one in shown] == [
        (i, colour_of(i)) for i in range(len(listed))
    ]


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))
