"""The page to look through a benchmark, and its script under Node where that is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from askmask import rle
from askmask.browse import FILES, choose, write_page
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, Target
from askmask.images import read_image, write_png

SIZE_HW = (240, 320)
GREY = 128


def area(x0: int, x1: int) -> rle.RLE:
    mask = np.zeros(SIZE_HW, bool)
    mask[60:180, x0:x1] = True
    return rle.encode(mask)


def query(name: str, mask_type: str | None = "modal", text: str = "the mug") -> QueryRecord:
    """A target that shows from column 80 to 160 and is complete up to column 240."""
    masks = {"amodal": area(80, 240), "hidden": area(160, 240)}
    shown = masks.get(mask_type or "", area(80, 160))
    target = Target(shown, 1, "mug", area(80, 160))
    return QueryRecord(
        name, "images/a.png", *SIZE_HW, text, (target,), mask_type=mask_type, tags=("plain",)
    )


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images/a.png", np.full((*SIZE_HW, 3), GREY, np.uint8))
    return tmp_path


def page(folder: Path, *queries: QueryRecord) -> Path:
    out = folder / "page"
    out.mkdir()
    write_page(out, "bench", [("val", folder, queries)])
    return out


def listed(out: Path) -> dict:
    text = (out / "queries.js").read_text("utf-8")
    return json.loads(text.removeprefix("const BENCHMARK = ").removesuffix(";\n"))


def test_every_query_has_its_drawing_and_every_picture_one_plain_copy(benchmark: Path) -> None:
    out = page(benchmark, query("a"), query("b", "amodal"), query("c", None))
    rows = listed(out)["queries"]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [row["type"] for row in rows] == ["modal", "amodal", ""]
    assert rows[0]["targets"] == ["mug"]
    assert {row["plain"] for row in rows} == {"picture-00001.jpg"}
    written = {path.name for path in out.iterdir()}
    assert {row["drawn"] for row in rows} | {"picture-00001.jpg"} <= written
    assert all(re.fullmatch(FILES, name) for name in written)


def _painted(out: Path, name: str, columns: slice) -> float:
    """Share of pixels in some columns, well inside the target, that are coloured."""
    pixels = read_image(out / name)[80:160, columns].astype(int)
    return float((np.ptp(pixels, axis=2) > 30).mean())


def test_visible_is_filled_and_hidden_hatched(benchmark: Path) -> None:
    out = page(benchmark, *(query(kind, kind) for kind in ("modal", "amodal", "hidden")))
    modal, amodal, hidden = (row["drawn"] for row in listed(out)["queries"])
    left, right = slice(85, 105), slice(215, 235)  # away from the badges
    assert _painted(out, modal, left) == 1.0
    assert _painted(out, modal, right) == 0.0
    assert _painted(out, amodal, left) == 1.0
    assert 0.2 < _painted(out, amodal, right) < 0.9
    assert _painted(out, hidden, left) == 0.0
    assert 0.2 < _painted(out, hidden, right) < 0.9


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((30, 2000, 3), np.uint8))
    wide = QueryRecord("a", "a.png", 30, 2000, "nothing", ())
    out = page(tmp_path, wide)
    with Image.open(out / "picture-00001.jpg") as picture:
        assert picture.width == 1024


def test_the_page_asks_for_nothing_outside() -> None:
    static = resources.files("askmask.browse") / "static"
    for name in ("index.html", "page.css", "page.js"):
        text = (static / name).read_text("utf-8")
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|fetch\(|innerHTML", text), name


def test_texts_cannot_leave_the_list(benchmark: Path) -> None:
    text = "</script><b>\u2028\"'`${1}"
    out = page(benchmark, query("a", text=text))
    assert listed(out)["queries"][0]["text"] == text


def test_wrong_size_names_picture_and_query(benchmark: Path) -> None:
    wrong = QueryRecord("a#1", "images/a.png", 10, 10, "it", ())
    with pytest.raises(DataError, match=r"a\.png: expected 10 x 10 .*a#1, got 240 x 320"):
        page(benchmark, wrong)


def test_choose_draws_without_repetition_and_keeps_the_order() -> None:
    every = [replace(query(str(number)), targets=()) for number in range(50)]
    chosen = choose(every, 10, seed=3)
    numbers = [int(one.id) for one in chosen]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 10
    assert choose(every, 10, seed=3) == chosen
    assert choose(every, 10, seed=4) != chosen
    assert choose(every, None) == choose(every, 99) == every


SCRIPT = """
const { counted, matching, pageOf } = require(process.argv[1]);
const queries = Array.from({ length: 4000 }, (_, n) => ({
  id: `s#${n}`, split: "val", text: n % 4 ? "The red mug" : "a cup", type: n % 2 ? "modal" : "",
  tags: n % 10 ? ["plain", `twin:${n}`] : ["group"], targets: Array(n % 5).fill("mug"),
}));
const none = { text: "", type: "", tag: "", split: "", targets: "" };
const size = (filters) => matching(queries, { ...none, ...filters }).length;
const begun = performance.now();
console.log(JSON.stringify({
  all: size({}), text: size({ text: "MUG red" }), type: size({ type: "modal" }),
  unsaid: size({ type: "not said" }), tag: size({ tag: "group" }), many: size({ targets: "3+" }),
  both: size({ text: "cup", tag: "group" }), tags: counted(queries, "tag"),
  last: pageOf(queries, 999), empty: pageOf([], 3), seconds: (performance.now() - begun) / 1000,
}));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
def test_filters_and_pages() -> None:
    script = Path(str(resources.files("askmask.browse") / "static/page.js"))
    command = ["node", "-e", SCRIPT, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["all"] == 4000
    assert found["text"] == 3000
    assert found["type"] == found["unsaid"] == 2000
    assert found["tag"] == 400
    assert found["many"] == 1600
    assert found["both"] == 200
    assert found["tags"] == [["group", 400], ["plain", 3600]]
    assert (found["last"]["last"], found["last"]["shown"]) == (166, 166)
    assert len(found["last"]["queries"]) == 4000 - 166 * 24
    assert found["empty"] == {"last": 0, "shown": 0, "queries": []}
    assert found["seconds"] < 2
