"""Per-query counts: all that the metrics need, in columns.

Counting is the only step that touches masks, and it works on run-length codes alone. What follows
are sums over columns, so another metric, slice or resample costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.fused import FusedMasks, fuse, fuse_masks
from askmask.metrics.twins import switched
from askmask.types import MaskType

__all__ = ["MASK_TYPES", "NO_TYPE", "Counts", "count"]

MASK_TYPES = tuple(MaskType)
"""The types in the order of their codes in `Counts.asked_type` and `Counts.answered_type`."""

NO_TYPE = -1
"""Code of a type that the source or the model does not say."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Columns over N queries; pixels of the ignore region are in no count.

    Attributes:
        intersection: (N,) int64 pixels in both the prediction and the target, each fused.
        union: (N,) int64 pixels in either.
        target_area: (N,) int64 pixels of the fused target.
        targets: (N,) int64 number of target masks; 0 = no target.
        answered: (N,) bool, whether the answer holds a mask.
        failed: (N,) bool, whether the query failed; then not `answered`.
        asked_type: (N,) int8, index into MASK_TYPES or NO_TYPE.
        answered_type: (N,) int8, likewise.
        hidden_iou: (N,) float64, IoU of prediction and target without the visible target; NaN
            unless the query is amodal and something of its target is known to be hidden.
        switched: (N,) int8, 1 or 0 at the row that counts a pair of twins, else NO_TWIN.
    """

    intersection: NDArray[np.int64]
    union: NDArray[np.int64]
    target_area: NDArray[np.int64]
    targets: NDArray[np.int64]
    answered: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    asked_type: NDArray[np.int8]
    answered_type: NDArray[np.int8]
    hidden_iou: NDArray[np.float64]
    switched: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.union)


def _areas(masks: FusedMasks) -> tuple[int, int, int]:
    """Pixels of the intersection, the prediction and the target."""
    height, width = masks.target["size"]
    common = rle.intersection(masks, (height, width))
    return rle.area(common), rle.area(masks.prediction), rle.area(masks.target)


def _is_answered(prediction: Prediction) -> bool:
    """Whether the answer holds a mask.

    A fused mask is none when it is empty, or when the model's no-target head rejects the query.
    """
    if prediction.error is not None:
        return False
    if prediction.masks or prediction.fused is None:
        return len(prediction.masks) > 0
    rejected = (prediction.no_target_probability or 0.0) > 0.5
    return not rejected and rle.area(prediction.fused) > 0


def _hidden_iou(query: QueryRecord, masks: FusedMasks) -> float:
    """IoU of the hidden part of an amodal query; NaN where there is none or it is not known."""
    visible = [target.modal for target in query.targets if target.modal is not None]
    if query.mask_type != MaskType.AMODAL or not visible or len(visible) < len(query.targets):
        return float("nan")
    modal = fuse_masks(visible, query)
    hidden = rle.subtract(masks.target, modal)
    if not rle.area(hidden):
        return float("nan")
    return rle.iou(rle.subtract(masks.prediction, modal), hidden)


def _codes(types: Sequence[str | None]) -> NDArray[np.int8]:
    """Codes of mask types."""
    codes = [NO_TYPE if name is None else MASK_TYPES.index(MaskType(name)) for name in types]
    return np.array(codes, np.int8)


def count(queries: Sequence[QueryRecord], predictions: Sequence[Prediction]) -> Counts:
    """Count `predictions` against `queries`, row by row; N = 0 is allowed.

    Args:
        queries: N queries with different ids.
        predictions: the N predictions for them, in the same order.

    Raises:
        DataError: when a predicted mask has another size than its query.
    """
    masks = [fuse(query, answer) for query, answer in zip(queries, predictions, strict=True)]
    areas = np.array([_areas(both) for both in masks], np.int64).reshape(-1, 3)
    intersection, prediction_area, target_area = areas.T
    return Counts(
        intersection=intersection,
        union=prediction_area + target_area - intersection,
        target_area=target_area,
        targets=np.array([len(query.targets) for query in queries], np.int64),
        answered=np.array([_is_answered(answer) for answer in predictions], bool),
        failed=np.array([answer.error is not None for answer in predictions], bool),
        asked_type=_codes([query.mask_type for query in queries]),
        answered_type=_codes([answer.mask_type for answer in predictions]),
        hidden_iou=np.array([*map(_hidden_iou, queries, masks)], np.float64),
        switched=switched(queries, masks),
    )
