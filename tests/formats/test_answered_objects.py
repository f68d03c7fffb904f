"""Answers as objects of pictures: each type in its place, nothing invented, and read by COCO."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from askmask import rle
from askmask.errors import AskmaskError, DataError
from askmask.formats.answered_objects import answered_objects
from askmask.formats.askmask import (
    PredictedMask,
    Prediction,
    QueryRecord,
    write_predictions,
    write_queries,
)
from askmask.formats.converters import convert
from askmask.types import MaskType

SEEN = np.zeros((6, 8), bool)
SEEN[1:3, 2:6] = True
WHOLE = np.zeros((6, 8), bool)
WHOLE[1:5, 2:6] = True
CODES = {
    MaskType.MODAL: rle.encode(SEEN),
    MaskType.AMODAL: rle.encode(WHOLE),
    MaskType.HIDDEN: rle.encode(WHOLE & ~SEEN),
}


def query(id: str, image: str = "a.png") -> QueryRecord:
    return QueryRecord(id, image, 6, 8, f"the mug of {id}", ())


def answer(id: str, kind: MaskType) -> Prediction:
    parts = {"modal": CODES[MaskType.MODAL], "amodal": CODES[MaskType.AMODAL]}
    return Prediction(id, kind, masks=(PredictedMask(CODES[kind], 0.5, **parts),))


def test_each_type_has_its_place() -> None:
    queries = [query(kind.value) for kind in MaskType]
    (picture,) = answered_objects(queries, [answer(kind.value, kind) for kind in MaskType])
    seen, whole, hidden = picture.entities
    assert [one.id for one in picture.entities] == [1, 2, 3]
    assert (seen.modal, seen.amodal) == (CODES[MaskType.MODAL], None)
    assert (whole.modal, whole.amodal) == (CODES[MaskType.MODAL], CODES[MaskType.AMODAL])
    assert (hidden.modal, hidden.amodal) == (CODES[MaskType.HIDDEN], None)
    assert [one.extra.get("mask_type") for one in picture.entities] == [None, None, "hidden"]
    assert seen.category == "the mug of modal"
    assert seen.extra["score"] == 0.5


@settings(max_examples=40)
@given(data=st.data())
def test_changed_lines_of_a_run_are_records_or_data_errors(data: st.DataObject) -> None:
    with TemporaryDirectory() as home:
        run = Path(home)
        (run / "images").mkdir()
        Image.new("RGB", (8, 6)).save(run / "images" / "a.png")
        write_queries(run / "queries.jsonl", [query("a", "images/a.png")])
        write_predictions(run / "predictions.jsonl", [answer("a", MaskType.AMODAL)])
        path = run / data.draw(st.sampled_from(["queries.jsonl", "predictions.jsonl"]))
        text = path.read_text()
        words = list(re.finditer(r'"[^"]*"|[0-9.]+', text))
        word = words[data.draw(st.integers(0, len(words) - 1))]
        nasty = data.draw(
            st.sampled_from(["null", "-1", "[]", "{}", '"x"', "1e999", '"../b"', "}"])
        )
        path.write_text(text[: word.start()] + nasty + text[word.end() :])
        with suppress(AskmaskError):  # anything else is an error of ours
            convert(run, run / "out", source_format="run", target_format="askmask")


def test_nothing_found_is_a_picture_and_failure_is_none() -> None:
    queries = [query("empty"), query("failed", "b.png")]
    pictures = answered_objects(queries, [Prediction("empty"), Prediction("failed", error="no")])
    assert [(one.image, one.entities) for one in pictures] == [("a.png", ())]


def test_a_fused_answer_is_one_object_and_a_label_is_its_category() -> None:
    fused = Prediction("q", fused=CODES[MaskType.MODAL])
    (picture,) = answered_objects([query("q")], [fused])
    assert picture.entities[0].modal == CODES[MaskType.MODAL]
    named = Prediction("q", masks=(PredictedMask(CODES[MaskType.MODAL], 1.0, label="cup"),))
    assert answered_objects([query("q")], [named])[0].entities[0].category == "cup"


def test_an_answer_without_its_query_is_an_error() -> None:
    with pytest.raises(DataError, match="expected a query 'q', got none"):
        answered_objects([], [Prediction("q")])


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
def test_pycocotools_opens_a_run(tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    run = tmp_path / "run"
    run.mkdir()
    Image.new("RGB", (8, 6)).save(run / "a.png")
    write_queries(run / "queries.jsonl", [query(kind.value) for kind in MaskType])
    write_predictions(run / "predictions.jsonl", [answer(kind.value, kind) for kind in MaskType])
    convert(run, tmp_path / "coco.json", source_format="run", target_format="coco")
    with redirect_stdout(None):
        coco = coco_module.COCO(str(tmp_path / "coco.json"))
    rows = coco.loadAnns(coco.getAnnIds())
    assert [row["mask_type"] for row in rows] == ["modal", "amodal", "hidden"]
    assert [row["score"] for row in rows] == [0.5, 0.5, 0.5]
    wanted = [CODES[MaskType(row["mask_type"])] for row in rows]
    for row, code in zip(rows, wanted, strict=True):
        np.testing.assert_array_equal(coco.annToMask(row).astype(bool), rle.decode(code))
    (image,) = coco.loadImgs(coco.getImgIds())
    assert (tmp_path / image["file_name"]).is_file()
    assert json.loads((tmp_path / "coco.json").read_text())["categories"][0]["id"] == 1
