"""Short ways to write queries, predictions and masks in the tests of metrics and runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord

SIZE_HW = (10, 10)


def rows(start: int, stop: int, size_hw: tuple[int, int] = SIZE_HW) -> NDArray[np.bool_]:
    """Mask of the rows from `start` up to `stop`: 10 pixels a row by default."""
    mask = np.zeros(size_hw, bool)
    mask[start:stop] = True
    return mask


def make_query(
    name: str,
    targets: Sequence[NDArray[np.bool_]] = (),
    *,
    size_hw: tuple[int, int] = SIZE_HW,
    mask_type: str | None = "modal",
    modal: Sequence[NDArray[np.bool_]] = (),
    amodal: Sequence[NDArray[np.bool_]] = (),
    ignore: NDArray[np.bool_] | None = None,
    references: Sequence[NDArray[np.bool_]] = (),
    tags: Sequence[str] = (),
) -> QueryRecord:
    """Query on an image of the given size; `modal` and `amodal` go with `targets` one by one."""
    records = []
    for i, mask in enumerate(targets):
        target = {"segmentation": rle.encode(mask)}
        if modal:
            target["modal"] = rle.encode(modal[i])
        if amodal:
            target["amodal"] = rle.encode(amodal[i])
        records.append(target)
    return QueryRecord.from_json(
        {
            "id": name,
            "image": "images/a.png",
            "height": size_hw[0],
            "width": size_hw[1],
            "text": "the mug",
            "references": [rle.encode(mask) for mask in references],
            "mask_type": mask_type,
            "targets": records,
            "ignore": None if ignore is None else rle.encode(ignore),
            "tags": list(tags),
        },
        "test",
    )


def make_prediction(
    name: str,
    masks: Sequence[NDArray[np.bool_]] = (),
    *,
    mask_type: str | None = "modal",
    fused: NDArray[np.bool_] | None = None,
    no_target_probability: float | None = None,
    error: str | None = None,
) -> Prediction:
    """Prediction with a score of 1 for each mask."""
    return Prediction.from_json(
        {
            "id": name,
            "mask_type": mask_type,
            "masks": [{"segmentation": rle.encode(mask), "score": 1.0} for mask in masks],
            "fused": None if fused is None else rle.encode(fused),
            "no_target_probability": no_target_probability,
            "error": error,
        },
        "test",
    )


def perfect(query: QueryRecord) -> Prediction:
    """Answer a query with its own targets."""
    masks = tuple(PredictedMask(target.segmentation, 1.0) for target in query.targets)
    return Prediction(id=query.id, mask_type=query.mask_type, masks=masks)


__all__ = ["make_prediction", "make_query", "perfect", "rows"]
