"""COCOA's own files: order, annotators, visible masks rebuilt, and what is wrong with regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shared_material import SHARED
from toy_scene import AMODAL, MODAL, NAMES, RATES, cocoa, write

from askmask import rle
from askmask.datasets.cocoa import read_cocoa
from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import named, recognise
from askmask.errors import DataError

NATIVE = SHARED / "real/cocoa_native"


@pytest.mark.parametrize("visible", [True, False])
def test_visible_masks_come_from_the_file_or_from_the_order(visible: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "COCO_amodal_val2014.json", cocoa(visible=visible))
    (record,) = read_cocoa(path)
    assert (record.image, record.extra["depth_constraint"]) == ("a.jpg", "1-2,1-3,2-3")
    for place, (entity, name) in enumerate(zip(record.entities, NAMES, strict=True)):
        assert (entity.id, entity.category, entity.depth_order) == (place + 1, name, place)
        np.testing.assert_array_equal(rle.decode(entity.modal), MODAL[name])
        assert entity.amodal == rle.encode(AMODAL[name])
        assert entity.occlusion_rate == pytest.approx(RATES[name])
    assert [one.occluded_by for one in record.entities] == [(), (1,), (2, 1)]
    assert [one.extra for one in record.entities] == [{}, {}, {"is_stuff": True}]


def test_each_annotator_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "COCO_amodal_val2014.json", cocoa(annotators=2))
    (first,) = read_cocoa(path)
    (second,) = read_cocoa(path, annotator=1)
    assert (first.extra["author"], second.extra["author"]) == ("hand 0", "hand 1")
    assert first.extra["annotators"] == 2
    assert list(read_cocoa(path, annotator=2)) == []
    counts = named("cocoa").counts
    assert counts is not None
    assert counts(path, BadRecords()) == {"val": {"images": 1, "instances": 3}}


def test_gaps_in_the_order_are_nothing_bad(tmp_path: Path) -> None:
    file = cocoa(visible=False)
    for region, order in zip(file["annotations"][0]["regions"], (1, 4, 9), strict=True):
        region["order"] = order
    (record,) = read_cocoa(write(tmp_path / "1.json", file))
    assert [one.depth_order for one in record.entities] == [0, 3, 8]
    assert record.entities[2].modal == rle.encode(MODAL["tray"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segmentation": [1, 2, float("nan"), 4, 5, 6]}, "expected polygons"),
        ({"segmentation": [1, 2, 3, 4]}, "one of 4 values"),
        ({"segmentation": [1, 2, 3, 4, 5]}, "expected polygons"),
        ({"segmentation": [70, 2, 90, 4, 80, 9]}, "lies outside"),
        ({"segmentation": None}, "expected a polygon, got none"),
        ({"visible_mask": {"size": [10**7, 10**7], "counts": "0"}}, "RLE size"),
        ({"visible_mask": {"size": [40, 60], "counts": "0"}}, "RLE counts"),
    ],
)
def test_a_bad_region_is_named_and_the_rest_is_read(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = cocoa()
    file["images"][0] |= {"height": 40, "width": 60}
    file["annotations"][0]["regions"][1].update(change)
    path = write(tmp_path / "COCO_amodal_val2014.json", file)
    with pytest.raises(DataError, match=message) as caught:
        list(read_cocoa(path))
    assert "COCO_amodal_val2014.json, image 7 region 2" in str(caught.value)
    bad = BadRecords(skip=True)
    (record,) = read_cocoa(path, bad)
    assert [one.id for one in record.entities] == [1, 3]
    assert [one["where"].rpartition(" ")[2] for one in bad.listed] == ["2"]


def test_one_annotation_alone_may_have_bad_regions_too(tmp_path: Path) -> None:
    one = cocoa()["annotations"][0]
    one["regions"][0]["segmentation"][3] = float("inf")
    one["regions"].append("x")
    bad = BadRecords(skip=True)
    path = write(tmp_path / "12.json", one)
    (record,) = read_cocoa(path, bad)
    assert (record.image, [entity.id for entity in record.entities]) == ("12.jpg", [2, 3])
    assert [text["where"].rpartition(" ")[2] for text in bad.listed] == ["1", "4"]
    assert recognise(path).name == "cocoa"


def test_a_size_that_no_mask_tells_is_that_of_the_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "12.json", cocoa(visible=False)["annotations"][0])
    with pytest.raises(DataError, match="expected height and width"):
        list(read_cocoa(path))
    with pytest.raises(DataError, match=r"12\.jpg: does not exist .*expected a PNG"):
        list(read_cocoa(path, images=tmp_path))
    Image.new("RGB", (60, 40)).save(tmp_path / "12.jpg")
    (record,) = read_cocoa(path, images=tmp_path)
    assert (record.height, record.width) == (40, 60)
    assert record.entities[1].modal == rle.encode(MODAL["plate"])


def test_claims_of_areas_and_rates_are_checked(tmp_path: Path) -> None:
    file = cocoa()
    claims = named("cocoa").claims
    assert claims is not None
    path = write(tmp_path / "COCO_amodal_val2014.json", file)
    assert list(claims(path, "val", None)) == []
    file["annotations"][0]["regions"][1] |= {"area": 5, "occlude_rate": 0.9}
    area, rate = claims(write(path, file), "val", None)
    assert "image 7 region 2: area says 5, its polygon fills" in area
    assert "occlude_rate says 0.900, its masks give" in rate


@pytest.mark.skipif(not NATIVE.is_dir(), reason="no real annotations beside the checkout")
def test_real_files_agree_with_what_they_say_and_with_their_order(tmp_path: Path) -> None:
    found = recognise(NATIVE)
    assert (found.name, found.splits(NATIVE)) == ("cocoa", ["all"])
    assert found.counts is not None
    assert found.claims is not None
    assert found.counts(NATIVE, BadRecords()) == {"all": {"images": 3, "instances": 32}}
    assert list(found.claims(NATIVE, "all", None)) == []
    rebuilt = 0
    for path in sorted(NATIVE.glob("*.json")):
        content = json.loads(path.read_text())
        (record,) = read_cocoa(path)
        content["height"], content["width"] = record.height, record.width
        for region in content["regions"]:
            rebuilt += region.pop("visible_mask", None) is not None
            region.pop("invisible_mask", None)
        picture = {"id": 1, "file_name": "x.jpg", "height": record.height, "width": record.width}
        stripped = {"images": [picture], "annotations": [{**content, "image_id": 1}]}
        (again,) = read_cocoa(write(tmp_path / path.name, stripped))
        assert [one.modal for one in again.entities] == [one.modal for one in record.entities]
    assert rebuilt > 10
