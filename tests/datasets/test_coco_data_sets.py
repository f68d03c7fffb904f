"""Data sets of COCO-style files: what each file and folder is taken for, and what is read."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_material import SHARED
from toy_scene import (
    AMODAL,
    HIDDEN,
    MODAL,
    NAMES,
    RATES,
    SIZE_HW,
    coco,
    coco_visible,
    cocoa,
    cocoa_cls,
    code,
    kins_2020,
    kins_old,
    lvis,
    runs,
    write,
)

from askmask import rle
from askmask.datasets.coco import read_coco
from askmask.datasets.coco_amodal import read_coco_amodal
from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import FORMATS, named, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import Entity, EntityRecord

REAL = SHARED / "real"

LAYOUTS: dict[str, dict[str, tuple[str, Callable[[], Any]]]] = {
    "coco": {"val2017": ("annotations/instances_val2017.json", coco_visible)},
    "lvis": {"train": ("lvis_v1_train.json", lvis), "val": ("lvis_v1_val.json", lvis)},
    "cocoa": {
        "val": ("annotations/COCO_amodal_val2014.json", cocoa),
        "bsds-test": ("annotations/BSDS_amodal_test.json", cocoa),
    },
    "cocoa-cls": {"train": ("COCO_amodal_train2014_with_classes.json", cocoa_cls)},
    "d2sa": {"val": ("annotations/D2S_amodal_validation.json", cocoa_cls)},
    "kins": {
        "train": ("instances_train.json", kins_old),
        "test-2020": ("update_test_2020.json", kins_2020),
    },
    "muva": {"val": ("AiFi-MUVA_val.json", cocoa_cls)},
}


def read(name: str, path: Path, split: str = "all") -> list[EntityRecord]:
    reader = named(name).entities
    assert reader is not None
    return list(reader(path, split, None, BadRecords()))


def listed(name: str, path: Path) -> tuple[list[EntityRecord], list[str]]:
    """What is read and what is bad when bad records are skipped."""
    reader, bad = named(name).entities, BadRecords(skip=True)
    assert reader is not None
    records = list(reader(path, "all", None, bad))
    return records, [one["error"] for one in bad.listed]


@pytest.mark.parametrize("name", LAYOUTS)
def test_folders_are_known_with_their_splits_and_counts(name: str, tmp_path: Path) -> None:
    for file, content in LAYOUTS[name].values():
        write(tmp_path / file, content())
    found = recognise(tmp_path)
    assert found is FORMATS[name]
    assert found.splits(tmp_path) == [*LAYOUTS[name]]
    assert found.counts is not None
    counts = found.counts(tmp_path, BadRecords())
    for split, (file, _) in LAYOUTS[name].items():
        assert counts[split] == {"images": 1 if name == "cocoa" else 2, "instances": 3}
        assert recognise(tmp_path / file) is found
        assert found.splits(tmp_path / file) == [split]
        first = read(name, tmp_path, split)[0]
        assert [one.category for one in first.entities] == [*NAMES]
        for entity, key in zip(first.entities, NAMES, strict=True):
            full = AMODAL if name == "lvis" else MODAL
            np.testing.assert_array_equal(rle.decode(entity.modal), full[key])
    with pytest.raises(ConfigError, match="split 'none' is not there; expected"):
        read(name, tmp_path, "none")
    assert found.card.name == name
    assert found.card.obtain


@pytest.mark.parametrize("content", [cocoa_cls, kins_old, kins_2020], ids=lambda one: one.__name__)
def test_amodal_files_give_both_masks_and_the_rate(
    content: Callable[[], Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "any.json", content())
    assert recognise(path).name in ("coco-amodal", "kins")
    for entity, name in zip(read("coco-amodal", path)[0].entities, NAMES, strict=True):
        assert entity.amodal is not None
        np.testing.assert_array_equal(rle.decode(entity.modal), MODAL[name])
        np.testing.assert_array_equal(rle.decode(entity.amodal), AMODAL[name])
        assert entity.occlusion_rate == pytest.approx(RATES[name])


def test_what_only_some_files_say_is_kept(tmp_path: Path) -> None:
    (tray,) = read("coco-amodal", write(tmp_path / "a.json", cocoa_cls()))[0].entities[2:]
    assert tray.depth_order == 2
    (tray,) = read("kins", write(tmp_path / "b.json", kins_2020()))[0].entities[2:]
    assert (tray.depth_order, tray.extra) == (None, {"oco_id": 1, "ico_id": 3})


def test_d2sa_trains_on_two_files(tmp_path: Path) -> None:
    write(tmp_path / "D2S_amodal_training_rot0.json", cocoa_cls())
    second = cocoa_cls()
    second["images"] = [{**second["images"][0], "file_name": "c.jpg"}]
    write(tmp_path / "D2S_amodal_augmented.json", second)
    assert [one.image for one in read("d2sa", tmp_path, "train")] == ["c.jpg", "a.jpg", "b.jpg"]


def test_copies_of_cocoa_cls_for_visible_evaluation_are_coco(tmp_path: Path) -> None:
    path = write(tmp_path / "COCO_amodal_visible_eval.json", coco_visible())
    assert recognise(path).name == "coco"
    (cup, *_) = read("coco", path)[0].entities
    assert (cup.amodal, cup.occlusion_rate) == (None, None)


def test_crowds_are_marked_and_run_lengths_may_be_plain(tmp_path: Path) -> None:
    file = coco({"segmentation": runs(MODAL["tray"]), "iscrowd": 1})
    (crowd,) = read("coco", write(tmp_path / "a.json", file))[0].entities
    assert crowd.extra == {"iscrowd": True}
    assert rle.area(crowd.modal) == MODAL["tray"].sum()


def test_ids_may_be_text_and_sizes_may_have_points(tmp_path: Path) -> None:
    file = coco({"segmentation": code(MODAL["cup"])}, id="7", height=40.0, width=60.0)
    file["images"].pop()
    record = read("coco", write(tmp_path / "a.json", file))[0]
    assert ((record.height, record.width), len(record.entities)) == (SIZE_HW, 1)


def test_lvis_says_what_was_searched_for(tmp_path: Path) -> None:
    record = read("lvis", write(tmp_path / "lvis_v1_val.json", lvis()), "val")[0]
    assert record.image == "val2017/a.jpg"
    assert record.extra == {"absent": ["teddy_bear"], "incomplete": ["plate"]}


def test_keys_can_be_named(tmp_path: Path) -> None:
    file = cocoa_cls()
    for one in file["annotations"]:
        one["full"], one["seen"] = one.pop("segmentation"), one.pop("visible_mask")
        one.pop("invisible_mask", None)
    for image in file["images"]:
        image["img"] = image.pop("file_name")
    path = write(tmp_path / "AiFi-MUVA_val.json", file)
    with pytest.raises(DataError, match=r"full \(run lengths in 3 of 3\), seen .*--map modal=KEY"):
        read("muva", path, "val")
    remap = named("muva").mapped
    assert remap is not None
    half = remap({"amodal": "full", "modal": "seen"})
    assert half.entities is not None
    with pytest.raises(DataError, match=r"expected a file_name, got None and the keys .*img"):
        list(half.entities(path, "val", None, BadRecords()))
    assert half.mapped is not None
    full = half.mapped({"file_name": "img"})
    assert full.entities is not None
    record = next(full.entities(path, "val", None, BadRecords()))
    assert record.image == "a.jpg"
    assert [one.modal for one in record.entities] == [rle.encode(MODAL[name]) for name in NAMES]
    with pytest.raises(ConfigError, match="--map visible: expected one of amodal, modal"):
        remap({"visible": "seen"})


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "nan": (lambda one: one.update(segmentation=[[1, 2, 3, float("nan"), 5, 6]]), "polygons"),
    "outside": (lambda one: one.update(segmentation=[[80, 2, 90, 2, 90, 9]]), "lies outside"),
    "two corners": (lambda one: one.update(segmentation=[[1, 2, 3, 4]]), "one of 4 values"),
    "odd": (lambda one: one.update(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "one of 7 values"),
    "text": (lambda one: one.update(segmentation=[["1"] * 6]), "expected polygons"),
    "bomb": (
        lambda one: one.update(segmentation={"size": [10**6, 10**6], "counts": "0"}),
        "of 1 to 100,000,000 pixels",
    ),
    "other size": (
        lambda one: one.update(segmentation={"size": [40, 61], "counts": "0"}),
        "RLE",
    ),
    "no mask": (lambda one: one.pop("segmentation"), "expected a mask"),
    "category": (lambda one: one.update(category_id=9), "category 9 is not"),
    "no id": (lambda one: one.update(id=None), "whole number as id"),
    "twice": (lambda one: one.update(id=12), "has this id already"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_annotation_is_named_and_the_rest_is_read(kind: str, tmp_path: Path) -> None:
    file = coco_visible()
    change, message = BAD[kind]
    change(file["annotations"][2 if kind == "twice" else 0])
    path = write(tmp_path / "bad.json", file)
    with pytest.raises(DataError, match=message) as caught:
        read("coco", path)
    assert "bad.json, image 7 annotation" in str(caught.value)
    records, errors = listed("coco", path)
    assert [len(record.entities) for record in records] == [2, 0]
    assert len(errors) == 1
    assert message in errors[0]


def test_bad_pictures_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    file = coco_visible()
    file["images"] += [{"id": 9}, {"id": 8, "file_name": "b.jpg"}, 3, {"id": [1]}]
    file["images"] += [{"id": 10, "file_name": "d.jpg", "height": -4, "width": 60}]
    file["annotations"] += [{"id": 20, "image_id": 99}, {"id": 21, "image_id": None}, "x"]
    records, errors = listed("coco", write(tmp_path / "bad.json", file))
    assert [(one.image, len(one.entities)) for one in records] == [("a.jpg", 3), ("b.jpg", 0)]
    found = " ".join(errors)
    assert len(errors) == 8
    for part in (
        "image 8 is there twice",
        "images[4]: expected an object, got 3",
        "images[5]: expected a number as 'id', got [1]",
        "image 99: expected it in 'images', it is missing and has 1 annotations",
        "annotations[4]: expected a number as 'image_id', got None",
        "annotations[5]: expected an object",
        "image 9: expected a file_name, got None and the keys id",
        "image 10: expected height and width in pixels, got [-4, 60]",
    ):
        assert part in found


def test_pictures_of_claimed_sizes_cost_no_memory(tmp_path: Path) -> None:
    """Neither huge pictures nor endless outlines are drawn before they are refused."""
    bombs = {
        "wide": coco({"segmentation": [[0, 0, 9e7, 0, 9e7, 1]]}, height=1, width=99_000_000),
        "large": coco({"segmentation": [[0, 0, 9, 0, 9, 9]]}, height=10**9, width=10**9),
        "long": coco({"segmentation": [[0, 0, 9e3, 9e3] * 90]}, height=9_000, width=9_000),
    }
    for name, file in bombs.items():
        path = write(tmp_path / f"{name}.json", file)
        tracemalloc.start()
        with pytest.raises(DataError, match=r"expected (outlines|a picture)"):
            read("coco", path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000


def test_memory_stays_near_the_size_of_the_file(tmp_path: Path) -> None:
    file = coco_visible()
    outline = [round(value / 7, 2) for value in range(400)]
    file["annotations"] = [
        {"id": number, "image_id": 7, "category_id": 1, "segmentation": [outline], "at": number}
        for number in range(500)
    ]
    file["images"] = [{**file["images"][0], "id": number} for number in range(7, 500)]
    for place, one in enumerate(file["annotations"]):
        one["image_id"] = 7 + place % 493
    path = write(tmp_path / "large.json", file)
    size = path.stat().st_size
    del file
    tracemalloc.start()
    whole = json.loads(path.read_text())
    parsed = tracemalloc.get_traced_memory()[1]
    del whole
    tracemalloc.reset_peak()
    assert sum(1 for _ in read_coco(path)) == 493
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * size < parsed / 2


def test_claims_of_areas_and_rates_are_checked(tmp_path: Path) -> None:
    file = cocoa_cls()
    path = write(tmp_path / "a.json", file)
    claims = named("coco-amodal").claims
    assert claims is not None
    assert list(claims(path, "all", None)) == []
    file["annotations"][1] |= {"area": 1, "occlude_rate": 0.5}
    path = write(tmp_path / "a.json", file)
    area, rate = claims(path, "all", None)
    assert area.endswith(f"area says 1, its amodal mask has {AMODAL['plate'].sum()} pixels")
    assert "annotation 12: occlude_rate says 0.500, its masks give" in rate


def test_nothing_hidden_is_no_occlusion(tmp_path: Path) -> None:
    assert not HIDDEN["cup"].any()
    (cup, *_) = read("coco-amodal", write(tmp_path / "a.json", cocoa_cls()))[0].entities
    assert isinstance(cup, Entity)
    assert cup.modal == cup.amodal


@pytest.mark.skipif(not REAL.is_dir(), reason="no real annotations beside the checkout")
def test_real_files_have_their_counts_and_areas() -> None:
    expected = {
        "coco_tiny/instances_train2017.json": ("coco", "train2017", 50, 470),
        "cocoeval/instances_val2014_100.json": ("coco", "all", 100, 839),
        "cocoa_cls/cocoa_mini_test.json": ("cocoa-cls", "all", 100, 182),
        "cocoa_cls/cocoa_mini_test_with_occluder.json": ("cocoa-cls", "all", 100, 182),
        "cocoa_cls/cocoa_mini_visible_eval.json": ("coco", "all", 100, 182),
    }
    for file, (name, split, images, instances) in expected.items():
        found = recognise(REAL / file)
        assert (found.name, found.splits(REAL / file)) == (name, [split])
        assert found.counts is not None
        counts = found.counts(REAL / file, BadRecords())
        assert counts == {split: {"images": images, "instances": instances}}
        records = read(name, REAL / file, split)
        said = {one["id"]: one for one in json.loads((REAL / file).read_text())["annotations"]}
        assert sum(len(record.entities) for record in records) == instances
        for entity in (one for record in records for one in record.entities):
            own = said[entity.id]
            if isinstance(own["segmentation"], dict) and isinstance(
                own["segmentation"]["counts"], str
            ):
                assert rle.area(entity.amodal or entity.modal) == own["area"]
            else:  # the areas of polygons are those of geometry
                assert rle.area(entity.modal) == pytest.approx(own["area"], rel=0.35, abs=30)
        if found.claims:
            assert list(found.claims(REAL / file, split, None)) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="no real annotations beside the checkout")
def test_real_boxes_without_masks_are_all_named() -> None:
    records, errors = listed("coco", REAL / "cocoeval/gt_ignore_test.json")
    assert (len(records), len(records[0].entities), len(errors)) == (1, 0, 14)
    assert "gt_ignore_test.json, image 2299 annotation 1219726: expected a mask" in errors[0]


def test_an_amodal_file_read_as_such_needs_a_visible_mask(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", coco_visible())
    with pytest.raises(DataError, match=r"nothing tells what is hidden.*--from coco"):
        list(read_coco_amodal(path))
