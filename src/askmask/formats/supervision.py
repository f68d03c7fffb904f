"""supervision's `Detections`, both ways, without importing supervision.

sv.Detections(**detections_from(prediction, (height, width)))
prediction_from_detections("query-7", detections)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError, ShapeError
from askmask.formats.askmask import Entity, EntityRecord, PredictedMask, Prediction
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["detections_from", "entities_from_detections", "prediction_from_detections"]


class _Detections(Protocol):
    """The attributes of `supervision.Detections` that are read."""

    mask: Any
    confidence: Any
    class_id: Any
    data: Any


def _fields(
    codes: Sequence[RLE], size_hw: tuple[int, int], names: Sequence[str], kinds: Sequence[str]
) -> dict[str, Any]:
    boxes = [rle.box_xyxy(code) or (0, 0, 0, 0) for code in codes]
    masks = [rle.decode(code) for code in codes]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return {
        "xyxy": np.array(boxes, np.float32).reshape(-1, 4),
        "mask": np.stack(masks) if masks else np.zeros((0, *size_hw), bool),
        "class_id": np.array([numbers[name] for name in names], int),
        "data": {"class_name": np.array(names, str), "mask_type": np.array(kinds, str)},
    }


def detections_from(
    record: Prediction | EntityRecord, size_hw: tuple[int, int], *, amodal: bool = False
) -> dict[str, Any]:
    """Return the arguments of `supervision.Detections` for an answer, or a picture's objects.

    Args:
        record: an answer, of which the masks are taken, or objects of a picture.
        size_hw: height and width of the picture.
        amodal: of objects, take the complete shape where it is known.

    Returns:
        xyxy (N, 4) float32, mask (N, H, W) bool, class_id (N,) int, data with class_name and
        mask_type, (N,) str each; of an answer also confidence (N,) float32. N may be 0.

    Raises:
        ShapeError: when masks are not of `size_hw`.
    """
    if isinstance(record, Prediction):
        codes = [mask.segmentation for mask in record.masks]
        names = [mask.label or "" for mask in record.masks]
        kinds = [record.mask_type or ""] * len(codes)
    else:
        whole = [one.amodal if amodal else None for one in record.entities]
        codes = [code or one.modal for code, one in zip(whole, record.entities, strict=True)]
        names = [one.category for one in record.entities]
        kinds = ["modal" if code is None else "amodal" for code in whole]
    wrong = next((code["size"] for code in codes if tuple(code["size"]) != tuple(size_hw)), None)
    if wrong is not None:
        raise ShapeError(f"detections: expected masks of {list(size_hw)}, got {wrong}")
    found = _fields(codes, size_hw, names, kinds)
    if isinstance(record, Prediction):
        found["confidence"] = np.array([mask.score for mask in record.masks], np.float32)
    return found


def _masks_of(detections: _Detections) -> NDArray[np.bool_]:
    if detections.mask is None:
        raise DataError("detections: expected masks, got boxes only")
    masks = np.asarray(detections.mask)
    if masks.ndim != 3:
        raise ShapeError(f"detections: expected masks (N, H, W), got {masks.shape}")
    return masks.astype(bool)


def _names_of(detections: _Detections, count: int) -> list[str | None]:
    """Class names, else class numbers as text, else None each."""
    names = (detections.data or {}).get("class_name")
    if names is None and detections.class_id is not None:
        names = detections.class_id
    return [None] * count if names is None else [str(name) or None for name in names]


def prediction_from_detections(
    id: str, detections: _Detections, *, mask_type: MaskType | None = None
) -> Prediction:
    """Record detections as the answer to the query `id`; scores are 1 where there are none.

    Args:
        id: the query's id.
        detections: `supervision.Detections` with masks.
        mask_type: the type of the masks; None takes what `detections_from` noted, if it did.

    Raises:
        DataError: when there are no masks.
        ShapeError: when they are no stack.
    """
    masks = _masks_of(detections)
    scores = detections.confidence
    scores = np.ones(len(masks)) if scores is None else np.asarray(scores, float)
    rows = zip(masks, scores.tolist(), _names_of(detections, len(masks)), strict=True)
    found = tuple(PredictedMask(rle.encode(mask), score, label=name) for mask, score, name in rows)
    noted = {str(kind) for kind in (detections.data or {}).get("mask_type", ())} - {""}
    if mask_type is None and len(noted) == 1:
        mask_type = MaskType(noted.pop())
    return Prediction(id, mask_type, masks=found)


def entities_from_detections(image: str, detections: _Detections) -> EntityRecord:
    """Record detections as the visible objects of a picture, numbered from 1.

    Raises:
        DataError: when there are no masks, or none tells the size of the picture.
        ShapeError: when they are no stack.
    """
    masks = _masks_of(detections)
    height, width = masks.shape[1:]
    if not height * width:
        raise DataError("detections: expected masks of the picture's size, got an empty stack")
    names = _names_of(detections, len(masks))
    entities = tuple(
        Entity(number, name or "object", rle.encode(mask))
        for number, (mask, name) in enumerate(zip(masks, names, strict=True), 1)
    )
    return EntityRecord(image, height, width, entities)
