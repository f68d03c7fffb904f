"""Files of other tools that are nearly right: records, or a DataError that names them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_records import SIZE_HW, entity_splits, picture_names, query_splits

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.collection import Collection, Losses, Options, Split
from askmask.formats.converters import FORMATS
from askmask.images import write_png

ELSEWHERE = {
    "askmask": "test_reading_properties.py",
    "coco-results": "test_reading_properties.py",
    "png": "test_reading_properties.py",
    "png-binary": "test_reading_properties.py",
    "lisa": "test_reading_properties.py",
    "glamm": "test_reading_properties.py",
    "run": "test_answered_objects.py",
}
"""Formats of which the readers are fuzzed in another file."""

NASTY = (
    *(
        "",
        "0",
        "-1",
        "x",
        "nan",
        "inf",
        "1e999",
        "9" * 30,
        "9" * 5_000,
        "null",
        "[]",
        "{}",
        "\\ud800",
    ),
    *('"', "\0", "&#0;", "<", "é", "0.5 0.5", "true", "../../x", "1,2;3"),
)
"""What takes the place of a word or number."""

WORD = re.compile(r"[\w.\-]+")


def masks() -> Split:
    """Two objects, one with a hole and partly hidden, on one picture."""
    square = np.zeros(SIZE_HW, bool)
    square[2:7, 2:8] = True
    ring = square.copy()
    ring[4, 4:6] = False
    box = Entity(7, "box", rle.encode(ring), rle.encode(square), {"colour": "red"}, 0.1)
    mug = Entity(9, "mug", rle.encode(np.roll(square, 2, 1)), extra={"asset": "cup"})
    return Split(entities=(EntityRecord(picture_names(1)[0], *SIZE_HW, (box, mug)),))


def write(name: str, folder: Path) -> list[Path]:
    """Write a right file or folder at `folder`/out; return the files of text in it."""
    (folder / "images").mkdir()
    write_png(folder / picture_names(1)[0], np.zeros((*SIZE_HW, 3), np.uint8))
    split = masks()
    collection = Collection({"val": Split(split.entities, images=folder)})
    out = folder / "out"
    FORMATS[name].write()(collection, out, Options(), Losses())
    files = [out] if out.is_file() else sorted(path for path in out.rglob("*") if path.is_file())
    return [path for path in files if path.suffix not in (".png", ".jpg")]


def read(name: str, folder: Path) -> Collection:
    (folder / "work").mkdir(exist_ok=True)
    return FORMATS[name].read()(folder / "out", Options(workspace=folder / "work"))


@st.composite
def changed(draw: st.DrawFn, text: str) -> str:
    """A text with one to three words replaced, sometimes cut off."""
    for _ in range(draw(st.integers(1, 3))):
        words = list(WORD.finditer(text))
        if not words:
            break
        word = words[draw(st.integers(0, len(words) - 1))]
        text = text[: word.start()] + draw(st.sampled_from(NASTY)) + text[word.end() :]
    return text[: draw(st.none() | st.none() | st.integers(0, len(text)))]


def check(name: str, folder: Path) -> None:
    """Read; what comes can be written as lines, and what is wrong is told in one line."""
    try:
        found = read(name, folder)
    except DataError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert message.startswith(str(folder))
        assert "\n" not in message
        return
    for split in found.splits.values():
        for record in (*split.entities, *split.queries):
            line = json.dumps(record.to_json(), ensure_ascii=False, allow_nan=False)
            type(record).from_json(json.loads(line.encode()), "a record that was read")


TEXTS = ["coco", "coco-polygons", "labelme", "labelme-masks", "label-studio", "cvat", "yolo"]


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_words_give_records_or_data_errors(name: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as home:
        folder = Path(home)
        files = write(name, folder)
        check(name, folder)
        path = data.draw(st.sampled_from(files))
        text = data.draw(changed(path.read_text(encoding="utf-8")))
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        check(name, folder)


VALUES = (
    None,
    "",
    "x",
    -1,
    3,
    10**18,
    0.5,
    float("nan"),
    True,
    b"",
    b"\0PNG",
    [],
    [1],
    {},
    {"a": 1},
)


def columns(row: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a row."""
    keys: Any = row if isinstance(row, dict) else range(len(row)) if isinstance(row, list) else ()
    return [pair for key in list(keys) for pair in [(row, key), *columns(row[key])]]


@pytest.mark.parametrize("kind", ["entities", "queries"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_rows_of_parquet(kind: str, data: st.DataObject) -> None:
    arrow = pytest.importorskip("pyarrow")
    tables = pytest.importorskip("pyarrow.parquet")
    split = data.draw(entity_splits() if kind == "entities" else query_splits())
    with TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "images").mkdir()
        for name in picture_names(2):
            write_png(folder / name, np.zeros((*SIZE_HW, 3), np.uint8))
        own = Split(split.entities, split.queries, images=folder)
        FORMATS["parquet"].write()(Collection({"val": own}), folder / "out", Options(), Losses())
        (path,) = (folder / "out" / kind).glob("*.parquet")
        rows = tables.read_table(path).to_pylist()
        container, key = data.draw(st.sampled_from(columns(rows)))
        container[key] = data.draw(st.sampled_from(VALUES))
        try:
            table = arrow.Table.from_pylist([row for row in rows if isinstance(row, dict)])
        except (arrow.ArrowException, TypeError, ValueError, OverflowError):
            return  # no such table can be
        if not table.num_columns:
            return
        tables.write_table(table, path)
        check("parquet", folder)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cut=st.integers(0, 4_000), junk=st.binary(max_size=20))
def test_parquet_that_is_cut_off(cut: int, junk: bytes) -> None:
    pytest.importorskip("pyarrow")
    with TemporaryDirectory() as home:
        folder = Path(home)
        write("parquet", folder)
        (path,) = (folder / "out" / "entities").glob("*.parquet")
        data = path.read_bytes()
        path.write_bytes(data[: cut % len(data)] + junk)
        check("parquet", folder)


def test_every_reader_is_fuzzed() -> None:
    readers = {name for name, one in FORMATS.items() if one.reader}
    assert {*TEXTS, "parquet", *ELSEWHERE} == readers
