"""R2SM's release in likely forms, keys that the user names, and reports of what was found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import check_survives, mutated
from toy_scene import AMODAL, MODAL, cocoa_cls, code, write

from askmask import rle
from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.datasets.registry import named, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import QueryRecord
from askmask.types import MaskType

ANSWER = "instance id is 11, class name is cup; instance id is 12, class name is plate"

RECORDS: list[dict[str, Any]] = [
    {"id": 1, "query": "the plate, also behind the cup", "type": "amodal", "instance_ids": [12]},
    {"id": 2, "query": "what shows of the plate", "type": "modal", "instance_ids": [12]},
]


def write_release(folder: Path, records: Any, name: str = "r2sm_val.json") -> Path:
    write(folder / "COCO_amodal_val2014_with_classes.json", cocoa_cls())
    return write(folder / name, records)


def read(path: Path, form: DatasetFormat | None = None, split: str = "val") -> list[QueryRecord]:
    reader = (form or named("r2sm")).queries
    assert reader is not None
    return list(reader(path, split, None, BadRecords()))


def test_answers_are_masks_of_the_asked_type(tmp_path: Path) -> None:
    path = write_release(tmp_path, RECORDS)
    whole, shown = read(path)
    assert (whole.id, whole.image, whole.mask_type) == ("1", "a.jpg", MaskType.AMODAL)
    assert (shown.id, shown.image, shown.mask_type) == ("2", "a.jpg", MaskType.MODAL)
    assert whole.targets[0].segmentation == rle.encode(AMODAL["plate"])
    assert shown.targets[0].segmentation == rle.encode(MODAL["plate"])
    for query in (whole, shown):
        target = query.targets[0]
        assert (target.entity, target.category, target.modal) == (
            12,
            "plate",
            rle.encode(MODAL["plate"]),
        )
        assert query.tags == ("dataset:r2sm/val",)


@pytest.mark.parametrize(
    "answer",
    [
        {"instance_ids": [11, 12]},
        {"answer": ANSWER},
        {"targets": [{"id": 11}, {"id": "12"}]},
        {"A": [11, 12, 11], "image": "a.jpg"},
        {"objects": [{"ann_id": 11}, {"ann_id": 12}]},
    ],
)
def test_answers_may_be_written_in_several_ways(answer: dict[str, Any], tmp_path: Path) -> None:
    record = {"question": "both dishes", "is_amodal": True, **answer}
    (query,) = read(write_release(tmp_path, {"queries": [record], "info": {"text": "x"}}))
    assert [target.entity for target in query.targets] == [11, 12]
    assert query.mask_type is MaskType.AMODAL


def test_answers_may_be_masks_in_the_record(tmp_path: Path) -> None:
    record = {"text": "the cup", "file_name": "a.jpg", "mode": "visible mask"}
    record |= {"masks": [code(MODAL["cup"])]}
    (query,) = read(write(tmp_path / "r2sm_val.json", [record]))
    assert query.mask_type is MaskType.MODAL
    assert query.targets[0].segmentation == rle.encode(MODAL["cup"])
    record |= {"masks": [[10, 12, 22, 12, 22, 30, 10, 30]], "height": 40, "width": 60}
    (again,) = read(write(tmp_path / "r2sm_val.json", [record]))
    assert again.targets == query.targets


@pytest.mark.parametrize("kind", [*MaskType][:2])
def test_instances_may_bring_their_masks(kind: MaskType, tmp_path: Path) -> None:
    """As askmask's own R2SM-style files have them; other such files beside do not disturb."""
    masks = {"segmentation": code(AMODAL["plate"]), "visible_mask": code(MODAL["plate"])}
    plate = {"id": 12, "class_name": "plate", **masks}
    record = {"id": 1, "query_id": "a#3", "image": "a.jpg", "height": 40, "width": 60}
    record |= {"query": "the plate", "mask_type": kind, "answer": f"<A>{ANSWER}</A>"}
    record |= {"instances": [plate], "mask": code(MODAL["cup"])}
    write(tmp_path / "r2sm_train.json", [record])
    (query,) = read(write(tmp_path / "r2sm_val.json", [record]))
    assert (query.id, query.image, query.mask_type) == ("a#3", "a.jpg", kind)
    (target,) = query.targets
    asked = AMODAL if kind is MaskType.AMODAL else MODAL
    assert target.segmentation == rle.encode(asked["plate"])
    assert (target.entity, target.category) == (12, "plate")
    assert target.modal == rle.encode(MODAL["plate"])


def test_lines_and_folders_are_recognised(tmp_path: Path) -> None:
    write_release(tmp_path / "R2SM", RECORDS, "train.json")
    text = "".join(json.dumps(record) + "\n" for record in RECORDS)
    (tmp_path / "R2SM/d2sa_val.jsonl").write_text(text)
    found = recognise(tmp_path / "R2SM")
    assert (found.name, found.splits(tmp_path / "R2SM")) == ("r2sm", ["d2sa_val", "train"])
    assert found.counts is not None
    counts = found.counts(tmp_path / "R2SM", BadRecords())
    assert counts == {split: {"queries": 2, "amodal": 1} for split in ("d2sa_val", "train")}
    assert len(read(tmp_path / "R2SM", split="d2sa_val")) == 2
    with pytest.raises(ConfigError, match="split 'val' is not there; expected d2sa_val, train"):
        read(tmp_path / "R2SM")


def test_keys_and_the_file_of_annotations_can_be_named(tmp_path: Path) -> None:
    record = {"q": "the plate", "kind": "full", "which": [12]}
    write(tmp_path / "other/annotations.json", cocoa_cls())
    path = write(tmp_path / "r2sm_val.json", [record])
    with pytest.raises(DataError, match=r"expected text under .* found the keys q, kind, which"):
        read(path, named("r2sm"))
    remap = named("r2sm").mapped
    assert remap is not None
    keys = {"text": "q", "mask_type": "kind", "instances": "which"}
    with pytest.raises(DataError, match=r"instance 12 is not there.*say --map annotations=FILE"):
        read(path, remap(keys))
    (query,) = read(path, remap({**keys, "annotations": "other/annotations.json"}))
    assert query.targets[0].segmentation == rle.encode(AMODAL["plate"])
    with pytest.raises(ConfigError, match="--map sentence: expected one of id, text"):
        remap({"sentence": "q"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": " "}, "empty"),
        ({"query": 4}, "expected a sentence, got 4"),
        ({"type": "half"}, "expected modal or amodal as mask type, got 'half'"),
        ({"type": "modal or amodal"}, "expected modal or amodal"),
        ({"instance_ids": ["x"]}, "expected ids of instances, got 'x'"),
        ({"instance_ids": [99]}, "instance 99 is not there"),
        ({"instance_ids": []}, "expected one or more instances"),
        ({"instance_ids": None}, "expected instances under one of the keys"),
        ({"id": 1}, "id '1' is there twice"),
    ],
)
def test_a_bad_record_is_named_and_the_rest_is_read(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write_release(tmp_path, [RECORDS[0], {**RECORDS[1], **change}, 5])
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "r2sm_val.json, [1]" in str(caught.value)
    bad, reader = BadRecords(skip=True), named("r2sm").queries
    assert reader is not None
    assert [query.id for query in reader(path, "val", None, bad)] == ["1"]
    assert [one["where"].rpartition("[")[2] for one in bad.listed] == ["1]", "2]"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_give_records_or_data_errors(data: st.DataObject, tmp_path: Path) -> None:
    masks = {"text": "the cup", "file_name": "a.jpg", "masks": [code(MODAL["cup"])]}
    answers = {"query": "both", "answer": ANSWER}
    path = write_release(tmp_path, [])
    path.write_text(data.draw(mutated([*RECORDS, masks, answers])))
    check_survives(named("r2sm"), path)
