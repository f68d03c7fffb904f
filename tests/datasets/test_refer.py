"""RefCOCO, RefClef and gRefCOCO: what becomes of refs, and what is wrong with them."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_datasets import (
    GREFS,
    REFS,
    annotation,
    instances,
    mask,
    ref,
    write_grefcoco,
    write_json,
    write_refclef,
    write_refcoco,
)

from askmask import rle
from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.datasets.registry import FORMATS, recognise
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, read_queries, write_queries


def read(path: Path, split: str = "val", bad: BadRecords | None = None) -> list[QueryRecord]:
    reader = recognise(path).queries
    assert reader is not None
    return list(reader(path, split, None, bad or BadRecords()))


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_each_sentence_is_a_query(protocol: int, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path, protocol=protocol)
    first, second, third = read(folder)
    assert (first.id, first.text, first.extra["raw"]) == ("1-10", "the left cup", "The left cup")
    assert (first.image, first.height, first.width) == ("COCO_train2014_000000000007.jpg", 40, 60)
    assert second.targets == first.targets
    assert (third.id, third.text, "raw" in third.extra) == ("2-20", "big cup", False)
    assert third.targets[0].segmentation == rle.encode(mask(13))
    assert (third.targets[0].entity, third.targets[0].category) == (13, "cup")
    assert first.tags == ("dataset:refcoco",)
    assert first.mask_type is None
    assert recognise(folder).splits(folder) == ["val", "train", "testA"]
    assert [query.text for query in read(folder, "train")] == ["cup in the corner"]


def test_queries_can_be_written_and_read_again(tmp_path: Path) -> None:
    records = read(write_refcoco(tmp_path)) + read(write_grefcoco(tmp_path))
    for number, record in enumerate(records):
        object.__setattr__(record, "id", str(number))
    write_queries(tmp_path / "queries.jsonl", records)
    assert list(read_queries(tmp_path / "queries.jsonl")) == records


@pytest.mark.parametrize(
    ("name", "way", "expected"),
    [
        ("refcoco", "unc", "refcoco"),
        ("RefCOCO+", "unc", "refcoco+"),
        ("refcocog", "umd", "refcocog"),
        ("refcocog", "google", "refcocog-google"),
        ("refcoco", "google", "refer"),
        ("my own", "unc", "refer"),
    ],
)
def test_folders_tell_the_data_set(name: str, way: str, expected: str, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path, name=name, way=way)
    assert recognise(folder).name == expected
    assert recognise(folder / f"refs({way}).p").name == expected


def test_the_usual_split_is_read_unless_a_file_is_named(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path, name="refcocog", way="umd")
    google = folder / "refs(google).p"
    google.write_bytes(pickle.dumps([ref(9, 11, ["other"])]))
    assert recognise(folder).name == "refcocog"
    assert [one.text for one in read(folder)] == ["the left cup", "cup by the wall", "big cup"]
    assert [one.text for one in read(google)] == ["other"]


def test_refclef_has_lists_of_run_lengths_and_refs_in_two_splits(tmp_path: Path) -> None:
    folder = write_refclef(tmp_path)
    assert recognise(folder).name == "refclef"
    assert recognise(folder).splits(folder) == ["testA", "testB", "testC"]
    (query,) = read(folder, "testB")
    assert query == read(folder, "testA")[0]
    assert query.targets[0].segmentation == rle.encode(mask(11))
    assert query.targets[0].entity is None  # a string is no entity of ours


@pytest.mark.parametrize("suffix", ["json", "p"])
def test_grefcoco_has_no_one_or_several_targets(suffix: str, tmp_path: Path) -> None:
    folder = write_grefcoco(tmp_path, suffix=suffix)
    assert recognise(folder).name == "grefcoco"
    both, plate, knife, small = read(folder)
    assert [one.entity for one in both.targets] == [11, 13]
    assert (plate.targets, plate.tags) == ((), ("dataset:grefcoco", "no-target"))
    assert knife.text == "a knife"
    assert [one.entity for one in small.targets] == [12]  # a bare number, as older files have it


def test_counts_need_no_masks(tmp_path: Path) -> None:
    folder = write_grefcoco(tmp_path)
    (folder / "instances.json").unlink()
    counts = recognise(folder).counts
    assert counts is not None
    assert counts(folder, BadRecords())["val"] == {
        "images": 1, "refs": 4, "queries": 4, "no_target": 2
    }  # fmt: skip


WRONG_REFS = {
    "no object": (3, "expected an object, got 3"),
    "no id": ({**REFS[0], "ref_id": None}, "key 'ref_id'"),
    "no split": ({**REFS[0], "split": 5}, "key 'split'"),
    "no annotation": ({**REFS[0], "ann_id": None}, "key 'ann_id': expected ids"),
    "nothing, unsaid": ({**REFS[0], "ann_id": -1}, "key 'ann_id': expected an id, got -1"),
    "nothing and something": ({**REFS[0], "ann_id": [-1, 11]}, "expected -1 alone"),
    "contradiction": ({**REFS[0], "no_target": True}, "key 'no_target': True contradicts"),
    "other picture": ({**REFS[0], "image_id": 8}, "expected it on picture 8, got 7"),
    "no picture": ({**REFS[0], "image_id": 99}, "expected a picture with id 99"),
    "missing annotation": ({**REFS[0], "ann_id": 999}, "annotation 999: expected it there"),
    "sentences": ({**REFS[0], "sentences": "hello"}, "key 'sentences'"),
    "blank": (ref(1, 11, ["fine", " "]), r"ref_id 1\), sentence 2: the sentence is empty"),
    "no text": ({**REFS[0], "sentences": [{"sent": 3}]}, "expected a sentence, got 3"),
    "surrogate": (ref(1, 11, ["a \ud800"]), "not valid UTF-8"),
}


@pytest.mark.parametrize("wrong", WRONG_REFS)
def test_bad_refs_are_named_or_skipped(wrong: str, tmp_path: Path) -> None:
    row, message = WRONG_REFS[wrong]
    folder = write_grefcoco(tmp_path, refs=[row, *REFS[1:]], suffix="p")
    if wrong not in ("no object", "no id", "no split"):  # else the ref is in no split
        with pytest.raises(DataError, match=message) as caught:
            read(folder)
        assert "grefcoco" in str(caught.value)
    bad = BadRecords(skip=True)
    assert [one.text for one in read(folder, bad=bad)] == ["big cup"]
    assert len(bad.listed) == 1
    assert set(bad.listed[0]) == {"where", "error"}


def test_bad_annotations_are_named_or_skipped(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    rows = [annotation(11, segmentation=[[1, 2, 3, float("nan"), 5, 6]]), annotation(13), 5]
    write_json(folder / "instances.json", instances(annotations=rows))
    with pytest.raises(DataError, match="annotations 3: expected an object"):
        read(folder)
    bad = BadRecords(skip=True)
    assert [one.text for one in read(folder, bad=bad)] == ["big cup"]
    assert "annotation 11: expected polygons" in bad.listed[1]["error"]


@pytest.mark.parametrize("key", ["image_id", "category_id"])
@pytest.mark.parametrize("wrong", [[3], {}, 3.5, True])
def test_ids_of_annotations_are_numbers_or_text(key: str, wrong: Any, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    rows = [annotation(11, **{key: wrong}), annotation(13)]
    write_json(folder / "instances.json", instances(annotations=rows))
    with pytest.raises(DataError, match=rf"annotations 1: expected an id under '{key}'"):
        read(folder)


def test_bombs_are_refused(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    huge = {"size": [1_000_000, 1_000_000], "counts": "0"}
    picture = {"id": 7, "file_name": "a.jpg", "height": 1_000_000, "width": 1_000_000}
    rows = [annotation(11, segmentation=huge), annotation(13, segmentation=[[0, 0, 9, 0, 9, 1e9]])]
    write_json(folder / "instances.json", instances(images=[picture], annotations=rows))
    bad = BadRecords(skip=True)
    assert read(folder, bad=bad) == []
    assert all("1 to 100,000,000 pixels" in one["error"] for one in bad.listed)


def test_odd_masks_that_real_files_have(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    two = annotation(13)["segmentation"] + [[1, 2, 3, 4]]
    rows = [annotation(11, segmentation=[], iscrowd=1), annotation(13, segmentation=two)]
    write_json(folder / "instances.json", instances(annotations=rows))
    empty, _, big = read(folder)
    assert rle.area(empty.targets[0].segmentation) == 0
    assert empty.targets[0].extra == {"iscrowd": True}
    assert big.targets[0].segmentation == rle.encode(mask(13))


@pytest.mark.parametrize("name", ["instances.json", "refs(unc).p"])
@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"{", b"[]", b"{}", b'{"images": [', b"\xff\xfe"]
)
def test_broken_files_are_named(name: str, content: bytes, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    (folder / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(folder)
    assert name in str(caught.value)


def test_missing_files_and_splits_are_named(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    with pytest.raises(DataError, match="split 'test', there are val, train, testA"):
        read(folder, "test")
    (folder / "instances.json").unlink()
    with pytest.raises(DataError, match=r"instances\.json: cannot be read"):
        read(folder)
    with pytest.raises(DataError, match="there is none"):
        recognise(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no data set that askmask reads; tried refcoco, "):
        recognise(tmp_path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def replaced(value: Any, path: list[int], other: Any) -> Any:
    """`value` with one inner value, found by walking along `path`, replaced."""
    if not path or not isinstance(value, list | dict) or not value:
        return other
    keys = list(range(len(value))) if isinstance(value, list) else list(value)
    key = keys[path[0] % len(keys)]
    changed = value.copy()
    changed[key] = replaced(value[key], path[1:], other)
    return changed


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.lists(st.integers(0, 9), max_size=6), other=ANYTHING, in_refs=st.booleans())
def test_changed_values_give_records_or_a_data_error(
    path: list[int], other: Any, in_refs: bool, tmp_path: Path
) -> None:
    folder = write_grefcoco(tmp_path, replaced(GREFS, path, other) if in_refs else GREFS)
    if not in_refs:
        (folder / "instances.json").write_text(json.dumps(replaced(instances(), path, other)))
    one: DatasetFormat = FORMATS["grefcoco"]
    assert one.queries is not None
    assert one.counts is not None
    assert one.claims is not None
    for skip in (False, True):
        with contextlib.suppress(DataError):
            for split in one.splits(folder):
                list(one.queries(folder, split, None, BadRecords(skip=skip)))
        with contextlib.suppress(DataError):
            one.counts(folder, BadRecords(skip=skip))
    with contextlib.suppress(DataError):
        list(one.claims(folder, "val", None))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=40), name=st.sampled_from(["instances.json", "refs(unc).p"]))
def test_any_bytes_give_records_or_a_data_error(content: bytes, name: str, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    (folder / name).write_bytes(content)
    with contextlib.suppress(DataError):
        read(folder)
