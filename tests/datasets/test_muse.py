"""MUSE: questions with many answers, streamed picture by picture."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_datasets import mask, muse_item, write_muse

from askmask import rle
from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import FORMATS, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import QueryRecord


def read(path: Path, split: str = "val", bad: BadRecords | None = None) -> list[QueryRecord]:
    reader = FORMATS["muse"].queries
    assert reader is not None
    return list(reader(path, split, None, bad or BadRecords()))


def test_each_question_is_a_query(tmp_path: Path) -> None:
    folder = write_muse(tmp_path)
    one = recognise(folder)
    assert (one.name, one.splits(folder)) == ("muse", ["train", "val"])
    drink, sit = read(folder)
    assert (drink.id, drink.text) == ("1-0", "What can I drink from?")
    assert (drink.image, drink.height, drink.width) == ("COCO_train2014_000000000007.jpg", 40, 60)
    left, big = drink.targets
    assert (left.segmentation, left.category) == (rle.encode(mask(11)), "cup")
    assert left.extra == {"name": "left cup"}
    assert big.segmentation == rle.encode(mask(13))
    assert drink.extra == {"answer": "The left cup {seg} and the big one {seg}."}
    assert (sit.targets, sit.extra, sit.tags) == ((), {}, ("dataset:muse", "no-target"))
    assert read(folder, "train")[0].image == "train2017/000000000009.jpg"


def test_counts_and_files_of_any_name(tmp_path: Path) -> None:
    folder = write_muse(tmp_path)
    counts = recognise(folder).counts
    assert counts is not None
    expected = {"images": 1, "queries": 2, "targets": 2, "no_target": 1}
    assert counts(folder, BadRecords()) == {"train": expected, "val": expected}
    file = (folder / "muse_val.json").rename(folder / "mine.json")
    assert (recognise(file).name, recognise(file).splits(file)) == ("muse", ["all"])
    assert len(read(file, "all")) == 2
    with pytest.raises(ConfigError, match="split 'val' is not there; expected train"):
        read(folder)


def test_the_first_query_comes_before_the_file_is_read(tmp_path: Path) -> None:
    folder = write_muse(tmp_path)
    file = folder / "muse_val.json"
    file.write_text(f"[{json.dumps(muse_item())}, {' ' * 3_000_000} oops")
    reader = FORMATS["muse"].queries
    assert reader is not None
    queries = reader(folder, "val", None, BadRecords())
    assert next(iter(queries)).id == "1-0"
    with pytest.raises(
        DataError, match=r"muse_val\.json, item 2, line 1, character .*: expected JSON"
    ):
        list(queries)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (5, "item 1: expected an object"),
        (muse_item(file_name=None), "expected file_name or coco_url"),
        (muse_item(height=0), "expected height and width"),
        (muse_item(questions=None), "key 'questions'"),
        (muse_item(answers=[[]]), "expected as many answers as the 2 questions"),
        (muse_item(answers=[[], 3]), "question 2: expected a list"),
        (muse_item(answers=[[3], []]), "question 1: expected an object"),
        (muse_item(answers=[[{"segmentation": "x"}], []]), "question 1: expected a mask"),
        (muse_item(answers=[[{"segmentation": [[1, 2, 3, 4, 5]]}], []]), "expected polygons"),
        (muse_item(questions=["", "b"]), "question 1: the sentence is empty"),
        (muse_item(text_answers=[3, None]), "question 1: expected a sentence"),
    ],
)
def test_bad_items_are_named_or_skipped(item: Any, message: str, tmp_path: Path) -> None:
    folder = write_muse(tmp_path, [item, muse_item()])
    with pytest.raises(DataError, match=message) as caught:
        read(folder)
    assert "muse_val.json" in str(caught.value)
    bad = BadRecords(skip=True)
    assert [one.id for one in read(folder, bad=bad)] == ["2-0", "2-1"]
    assert len(bad.listed) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 5_000), byte=st.binary(max_size=2))
def test_any_bytes_give_records_or_a_data_error(place: int, byte: bytes, tmp_path: Path) -> None:
    folder = write_muse(tmp_path)
    file = folder / "muse_val.json"
    whole = file.read_bytes()
    place %= len(whole)
    file.write_bytes(whole[:place] + byte + whole[place + 1 :])
    one = FORMATS["muse"]
    assert one.counts is not None
    for skip in (False, True):
        with contextlib.suppress(DataError):
            read(folder, bad=BadRecords(skip=skip))
        with contextlib.suppress(DataError):
            one.counts(folder, BadRecords(skip=skip))
