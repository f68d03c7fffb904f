"""COCOA-cls, D2SA and KINS in their several spellings, and what is wrong with files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_material import SHARED

from askmask import rle
from askmask.datasets.coco import read_coco
from askmask.datasets.coco_amodal import read_coco_amodal
from askmask.datasets.cocoa import is_cocoa, read_cocoa
from askmask.errors import DataError

SIZE_HW = (30, 40)
AMODAL = np.zeros(SIZE_HW, bool)
AMODAL[5:25, 10:30] = True
MODAL = AMODAL.copy()
MODAL[5:10] = False
SQUARE = [[10, 5, 30, 5, 30, 25, 10, 25]]
VISIBLE_SQUARE = [[10, 10, 30, 10, 30, 25, 10, 25]]


def code(mask: np.ndarray) -> dict[str, Any]:
    return dict(rle.encode(mask))


def runs(mask: np.ndarray) -> dict[str, Any]:
    flat = mask.T.ravel().astype(int)
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    return {"size": list(SIZE_HW), "counts": np.diff(edges, prepend=0, append=flat.size).tolist()}


def content(**annotation: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 30, "width": 40}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, **annotation}],
        "categories": [{"id": 3, "name": "cup"}],
    }


def write(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(value))
    return path


SPELLINGS = {
    "cocoa-cls": {"segmentation": code(AMODAL), "visible_mask": code(MODAL), "iscrowd": False},
    "invisible only": {"segmentation": code(AMODAL), "invisible_mask": code(AMODAL & ~MODAL)},
    "plain runs": {"segmentation": runs(AMODAL), "visible_mask": runs(MODAL)},
    "kins old": {"segmentation": SQUARE, "inmodal_seg": code(MODAL)},
    "kins 2020": {"segmentation": [], "a_segm": SQUARE, "i_segm": VISIBLE_SQUARE},
    "flat polygon": {"segmentation": SQUARE[0], "visible_mask": code(MODAL)},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_give_the_same_entity(spelling: str, tmp_path: Path) -> None:
    (record,) = read_coco_amodal(write(tmp_path, content(**SPELLINGS[spelling])))
    (entity,) = record.entities
    assert (record.image, record.height, record.width) == ("a.jpg", 30, 40)
    assert (entity.id, entity.category, entity.occlusion_rate) == (1, "cup", 0.25)
    assert entity.amodal == rle.encode(AMODAL)
    assert entity.modal == rle.encode(MODAL)


def test_an_object_without_a_visible_mask_is_not_occluded(tmp_path: Path) -> None:
    file = content(**SPELLINGS["cocoa-cls"])
    file["annotations"].append({**file["annotations"][0], "id": 2})
    del file["annotations"][1]["visible_mask"]
    (record,) = read_coco_amodal(write(tmp_path, file))
    assert record.entities[1].modal == record.entities[1].amodal
    assert record.entities[1].occlusion_rate == 0


def test_modal_files_must_be_called_so(tmp_path: Path) -> None:
    path = write(tmp_path, content(segmentation=code(MODAL)))
    with pytest.raises(DataError, match="no annotation has a visible mask"):
        list(read_coco_amodal(path))
    (record,) = read_coco(path)
    assert record.entities[0].amodal is None
    assert record.entities[0].modal == rle.encode(MODAL)


def test_files_without_classes_or_sizes_are_read(tmp_path: Path) -> None:
    file = content(**SPELLINGS["cocoa-cls"])
    del file["categories"], file["images"][0]["height"], file["images"][0]["width"]
    (record,) = read_coco_amodal(write(tmp_path, file))
    assert (record.height, record.width) == SIZE_HW
    assert record.entities[0].category == "object"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 8}, "image 8: expected it in 'images', it is missing"),
        ({"category_id": 4}, "annotation 1: category 4 is not"),
        ({"segmentation": None}, "annotation 1: expected one of the keys"),
        ({"segmentation": code(AMODAL[:20])}, "annotation 1: RLE size"),
        ({"visible_mask": {"size": [30, 40], "counts": "?!"}}, "annotation 1: RLE counts"),
        ({"segmentation": [[1, 2]]}, "annotation 1: expected polygons"),
        ({"id": "x"}, "whole number as id"),
    ],
)
def test_errors_name_the_place(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = content(**{**SPELLINGS["cocoa-cls"], **change})
    with pytest.raises(DataError, match=message) as caught:
        list(read_coco_amodal(write(tmp_path, file)))
    assert "annotations.json" in str(caught.value)


@pytest.mark.parametrize("value", [[], {"images": 3}, {"annotations": [1], "images": []}])
def test_what_is_not_coco_is_refused(value: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a list of objects|expected an object"):
        list(read_coco_amodal(write(tmp_path, value)))


def cocoa(**first: Any) -> dict[str, Any]:
    front = {"segmentation": [0, 0, 40, 0, 40, 10, 0, 10], "name": "lid ", "order": 1, **first}
    back = {"segmentation": SQUARE[0], "name": "espresso  cup", "order": 2}
    back |= {"visible_mask": code(MODAL), "invisible_mask": code(AMODAL & ~MODAL)}
    one = {"id": 5, "image_id": 7, "regions": [front, back]}
    return {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [one, one]}


def test_cocoa_regions_become_entities_with_their_occluders(tmp_path: Path) -> None:
    (record,) = read_cocoa(write(tmp_path, cocoa(isStuff=1)))
    lid, cup = record.entities
    assert (record.image, record.height, record.width) == ("a.jpg", 30, 40)
    assert (lid.category, lid.occlusion_rate, lid.extra) == ("lid", 0, {"is_stuff": True})
    assert (cup.category, cup.occlusion_rate, cup.occluded_by) == ("espresso cup", 0.25, (1,))
    assert (lid.depth_order, cup.depth_order) == (0, 1)


def test_one_annotation_alone_is_cocoa_too(tmp_path: Path) -> None:
    alone = {**cocoa()["annotations"][0], "url": "https://example.org/x/COCO_7.jpg"}
    path = write(tmp_path, alone)
    assert is_cocoa(path)
    (record,) = read_cocoa(path)
    assert record.image == "COCO_7.jpg"
    assert not is_cocoa(write(tmp_path, content()))
    with pytest.raises(DataError, match="regions"):
        list(read_cocoa(write(tmp_path, content())))


@pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="no real annotations")
def test_real_files_agree_with_what_they_say_of_themselves() -> None:
    for path in sorted((SHARED / "real/cocoa_native").glob("*.json")):
        (record,) = read_cocoa(path)
        for entity, region in zip(
            record.entities, json.loads(path.read_text())["regions"], strict=True
        ):
            assert rle.area(entity.amodal) == region["area"]
            assert entity.occlusion_rate == pytest.approx(region["occlude_rate"], abs=1e-5)
    path = SHARED / "real/cocoa_cls/cocoa_mini_test.json"
    said = {one["id"]: one["occlude_rate"] for one in json.loads(path.read_text())["annotations"]}
    entities = [entity for record in read_coco_amodal(path) for entity in record.entities]
    assert len(entities) == len(said) == 182
    for entity in entities:
        assert entity.occlusion_rate == pytest.approx(said[entity.id], abs=1e-5)
