"""What deep checks find in records, and in what files say of themselves."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_datasets import SIZE_HW, annotation, instances, mask, polygon, write_json

from askmask import rle
from askmask.datasets.check import entity_problems, query_problems
from askmask.datasets.instance_claims import instance_claims
from askmask.formats.askmask import Entity, EntityRecord, QueryRecord, Target
from askmask.types import MaskType

WHOLE = rle.encode(mask(11))
PART = rle.encode(mask(11) & (np.arange(SIZE_HW[1]) < 10))
OTHER = rle.encode(mask(13))
EMPTY = rle.encode(np.zeros(SIZE_HW, bool))
SMALL = rle.encode(np.ones((5, 5), bool))

QUERY = QueryRecord("1", "a.png", *SIZE_HW, "the cup", (Target(WHOLE, modal=PART),))
FRONT = Entity(1, "cup", OTHER, OTHER, occlusion_rate=0.0, depth_order=0)
BEHIND = Entity(2, "cup", PART, WHOLE, occlusion_rate=2 / 3, occluded_by=(1,), depth_order=1)


def of_query(**change: Any) -> list[str]:
    return list(query_problems(dataclasses.replace(QUERY, **change)))


def of_entity(**change: Any) -> list[str]:
    changed = dataclasses.replace(BEHIND, **change)
    return list(entity_problems(EntityRecord("a.png", *SIZE_HW, (FRONT, changed))))


def test_good_records_have_no_problems() -> None:
    assert of_query() == of_query(mask_type=MaskType.AMODAL) == of_entity() == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"text": "  "}, "the sentence is empty"),
        ({"text": "left of [1]"}, "says [1], but 0 reference masks"),
        ({"targets": (Target(SMALL),)}, "target 1: RLE size: expected [40, 60], got [5, 5]"),
        ({"targets": (Target(WHOLE), Target(EMPTY))}, "target 2: the mask is empty"),
        ({"references": (EMPTY,)}, "reference 1: the mask is empty"),
        ({"ignore": SMALL}, "ignore: RLE size"),
        (
            {"targets": (Target(PART, modal=WHOLE),), "mask_type": MaskType.AMODAL},
            "target 1: 200 pixels of the modal mask lie outside",
        ),
    ],
)
def test_problems_of_queries(change: dict[str, Any], problem: str) -> None:
    (found,) = of_query(**change)
    assert problem in found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": 1, "occluded_by": ()}, "entity 1: this id comes twice"),
        ({"modal": SMALL}, "entity 2 modal: RLE size"),
        ({"amodal": EMPTY, "modal": EMPTY}, "the modal mask is empty"),
        ({"modal": WHOLE, "amodal": PART, "occlusion_rate": 0.0}, "200 pixels of the modal mask"),
        ({"occlusion_rate": 0.5}, "occlusion rate 0.5, the masks say 0.667"),
        ({"occluded_by": (2,)}, "occluded by 2, which is no other entity"),
        ({"occluded_by": (9,)}, "occluded by 9, which is no other entity"),
        ({"depth_order": -1}, "occluded by 1, which lies behind it"),
    ],
)
def test_problems_of_entities(change: dict[str, Any], problem: str) -> None:
    assert problem in of_entity(**change)[0]


def test_what_is_unknown_is_no_problem() -> None:
    assert of_entity(amodal=None, occlusion_rate=None, depth_order=None) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"image_id": 99}, "picture 99 is not in the file"),
        ({"bbox": [50, 5, 20, 5]}, "lies outside the picture"),
        ({"bbox": [5, 5, -3, 5]}, "lies outside the picture"),
        ({"segmentation": [[5, 5, 80, 5, 80, 25]], "area": None}, "a polygon reaches over"),
        ({"segmentation": [], "area": None}, "the mask is empty"),
        ({"area": 3_000}, "area 3000, but the mask has 300 pixels"),
        ({"segmentation": "x"}, "annotation 11 (item 1): expected a mask"),
    ],
)
def test_claims_of_annotations(change: dict[str, Any], problem: str, tmp_path: Path) -> None:
    rows = [annotation(11, **change), annotation(12, area=-5)]
    path = write_json(tmp_path / "instances.json", instances(annotations=rows))
    (found,) = instance_claims(path, {11})
    assert problem in found


def test_annotations_without_faults_claim_nothing(tmp_path: Path) -> None:
    path = write_json(tmp_path / "instances.json", instances())
    assert list(instance_claims(path, {11, 12, 13, 14})) == []
    over = annotation(11, segmentation=[polygon(11)], area=float("nan"), bbox=None)
    path = write_json(tmp_path / "instances.json", instances(annotations=[over, over]))
    (twice,) = instance_claims(path, {11})
    assert "this id comes twice" in twice
