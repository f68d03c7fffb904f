"""MaskGroups-HQ: the two pools, reference masks, and records that do not fit together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_scene import AMODAL, MODAL, SIZE_HW, code, mask_groups, write

from askmask import rle
from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.datasets.registry import named, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import QueryRecord


def read(path: Path, form: DatasetFormat | None = None) -> list[QueryRecord]:
    reader = (form or named("mask-groups-hq")).queries
    assert reader is not None
    return list(reader(path, "val", None, BadRecords()))


def test_targets_are_of_the_target_pool_and_candidates_of_the_other(tmp_path: Path) -> None:
    path = write(tmp_path / "MaskGroups-HQ_eval.json", mask_groups())
    dishes, under, forks = read(path)
    assert (dishes.id, dishes.image, dishes.text) == ("a#1", "a.jpg", "Select the dishes.")
    assert (dishes.height, dishes.width) == SIZE_HW
    masks = [rle.encode(MODAL[name]) for name in ("cup", "plate", "tray")]
    assert [target.segmentation for target in dishes.targets] == masks[:2]
    for query in (dishes, under, forks):
        assert query.extra["candidates"] == [rle.encode(AMODAL["tray"]), masks[0]]
    assert (under.text, under.references) == ("What lies under [1]?", (masks[1],))
    assert [target.segmentation for target in under.targets] == [masks[2]]
    assert forks.targets == ()
    assert [query.tags[:-1] for query in (dishes, under, forks)] == [
        ("group",),
        ("reference",),
        ("no-target",),
    ]
    under.to_query()


@pytest.mark.parametrize("lines", [True, False])
def test_files_of_lists_and_of_lines_are_recognised_with_their_splits(
    lines: bool, tmp_path: Path
) -> None:
    records = mask_groups()
    for split in ("train", "val"):
        if lines:
            text = "".join(json.dumps(record) + "\n" for record in records)
            (tmp_path / f"{split}.jsonl").write_text(text)
        else:
            write(tmp_path / f"{split}.json", records)
    found = recognise(tmp_path)
    assert (found.name, found.splits(tmp_path)) == ("mask-groups-hq", ["train", "val"])
    assert found.counts is not None
    counts = {"images": 1, "queries": 3}
    assert found.counts(tmp_path, BadRecords()) == {"train": counts, "val": counts}
    assert len(read(tmp_path)) == 3
    assert found.queries is not None
    with pytest.raises(ConfigError, match="split 'test' is not there; expected train, val"):
        list(found.queries(tmp_path, "test", None, BadRecords()))


def test_no_file_hides_another_of_the_same_split(tmp_path: Path) -> None:
    for name in ("val.json", "eval_hard.json"):
        write(tmp_path / name, mask_groups())
    assert recognise(tmp_path).splits(tmp_path) == ["val", "val.json"]


def test_a_conversation_may_have_several_turns(tmp_path: Path) -> None:
    first, second, _ = mask_groups()
    later = {"from": "human", "value": second["conversations"][0]["value"].split("\n ")[1]}
    first["conversations"] += [later, {"from": "gpt", "value": "x"}]
    first |= {"gt_mask_group": [[0], [2, 2]], "ref_masks": [[], second["ref_masks"]]}
    queries = read(write(tmp_path / "val.json", [first]))
    assert [query.id for query in queries] == ["a#1.0", "a#1.1"]
    assert [len(query.references) for query in queries] == [0, 1]
    assert [len(query.targets) for query in queries] == [1, 1]


def test_the_key_of_references_can_be_named(tmp_path: Path) -> None:
    records = mask_groups()[1:2]
    records[0]["pointed_at"] = records[0].pop("ref_masks")
    path = write(tmp_path / "val.json", records)
    with pytest.raises(DataError, match=r"found the keys .*pointed_at; say --map references=KEY"):
        read(path)
    remap = named("mask-groups-hq").mapped
    assert remap is not None
    assert len(read(path, remap({"references": "pointed_at"}))[0].references) == 1
    with pytest.raises(ConfigError, match="--map refs: expected one of image"):
        remap({"refs": "pointed_at"})


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "beyond the pool": (lambda one: one.update(gt_mask_group=[[3]]), "pool of 3 target masks"),
    "negative": (lambda one: one.update(gt_mask_group=[[-1]]), "pool of 3 target masks, got -1"),
    "groups": (lambda one: one.update(gt_mask_group=[[0], [1]]), "expected 1 groups"),
    "no groups": (lambda one: one.pop("gt_mask_group"), "expected groups under one of the keys"),
    "sizes": (
        lambda one: one["mask_pool"].append({"size": [9, 9], "counts": "0"}),
        r"candidates\[2\]: RLE",
    ),
    "bomb": (
        lambda one: one.update(gt_mask_pool=[{"size": [10**9, 10**9], "counts": "0"}]),
        "RLE size",
    ),
    "no size": (lambda one: one.update(mask_pool=[], gt_mask_pool=[]), "says the picture's size"),
    "references": (
        lambda one: one.update(ref_masks=[code(MODAL["cup"]), code(MODAL["cup"])]),
        "expected 1 reference masks",
    ),
    "nobody asks": (lambda one: one.update(conversations=[]), "the prompts of a human"),
    "empty prompt": (
        lambda one: one.update(conversations=[{"from": "human", "value": "<image><mask_pool>\n"}]),
        "empty",
    ),
    "no picture": (lambda one: one.update(image=3), "name of a picture, got 3"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_named_and_the_rest_is_read(kind: str, tmp_path: Path) -> None:
    records = mask_groups()
    change, message = BAD[kind]
    change(records[1])
    path = write(tmp_path / "val.json", [*records, 4])
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "val.json, item 2" in str(caught.value)
    bad, reader = BadRecords(skip=True), named("mask-groups-hq").queries
    assert reader is not None
    assert len(list(reader(path, "val", None, bad))) == 2
    assert [one["where"].rpartition(" ")[2] for one in bad.listed] == ["2", "4"]
