"""Detections both ways; the attributes are all that is needed of supervision."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from random_records import MASKS, SIZE_HW

from askmask import rle
from askmask.errors import DataError, ShapeError
from askmask.formats.askmask import Entity, EntityRecord, PredictedMask, Prediction
from askmask.formats.supervision import (
    detections_from,
    entities_from_detections,
    prediction_from_detections,
)
from askmask.types import MaskType


def detections(**fields: object) -> SimpleNamespace:
    """What `supervision.Detections` has."""
    missing = {"mask": None, "confidence": None, "class_id": None, "data": {}}
    return SimpleNamespace(**{**missing, **fields})


@given(MASKS, MASKS)
@settings(max_examples=10)
def test_answer_comes_back(one: np.ndarray, other: np.ndarray) -> None:
    masks = (
        PredictedMask(rle.encode(one), 0.5, label="mug"),
        PredictedMask(rle.encode(other), 0.25, label="box"),
    )
    answer = Prediction("q", MaskType.AMODAL, masks=masks)
    found = detections_from(answer, SIZE_HW)
    assert found["class_id"].tolist() == [1, 0]
    assert prediction_from_detections("q", detections(**found)) == answer


def test_no_mask_comes_back() -> None:
    found = detections_from(Prediction("q"), SIZE_HW)
    assert found["xyxy"].shape == (0, 4)
    assert found["mask"].shape == (0, *SIZE_HW)
    assert prediction_from_detections("q", detections(**found)) == Prediction("q")


def test_objects_come_back() -> None:
    modal = np.zeros(SIZE_HW, bool)
    modal[2:4, 3:6] = True
    amodal = modal | np.roll(modal, 1, 0)
    mug = Entity(1, "mug", rle.encode(modal), rle.encode(amodal))
    record = EntityRecord("a.png", *SIZE_HW, (mug,))
    found = detections_from(record, SIZE_HW)
    assert found["xyxy"].tolist() == [[3, 2, 6, 4]]
    back = entities_from_detections("a.png", detections(**found))
    assert back.entities == (Entity(1, "mug", rle.encode(modal)),)
    whole = detections_from(record, SIZE_HW, amodal=True)
    assert (whole["mask"][0] == amodal).all()
    assert whole["data"]["mask_type"].tolist() == ["amodal"]


def test_boxes_and_wrong_sizes_are_refused() -> None:
    with pytest.raises(DataError, match="got boxes only"):
        prediction_from_detections("q", detections())
    answer = Prediction("q", masks=(PredictedMask(rle.encode(np.ones((2, 2), bool)), 1.0),))
    with pytest.raises(ShapeError, match=r"masks of \[9, 11\], got \[2, 2\]"):
        detections_from(answer, SIZE_HW)
    with pytest.raises(DataError, match="empty stack"):
        entities_from_detections("a", detections(mask=np.zeros((0, 0, 0))))
