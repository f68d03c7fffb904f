"""gIoU and cIoU of instances: masks are assigned to targets first, as PixelLM does on MUSE.

What is left over on either side counts as an IoU of 0 and adds its area to the union.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["assigned_ciou", "assigned_giou"]


def _pairs(counts: Counts) -> NDArray[np.float64]:
    if counts.pairs is None:
        raise DataError("IoU of instances: expected counts of pairs; count with pairs")
    return counts.pairs


def assigned_giou(counts: Counts) -> Terms:
    """Sum of IoU of assigned pairs over the larger number of masks and targets of each query.

    A query without both counts nothing; NaN when there is no mask and no target.
    """
    iou, _, _, larger = _pairs(counts).T
    return Terms(iou, larger, larger > 0)


def assigned_ciou(counts: Counts) -> Terms:
    """Sum of intersections of assigned pairs over all areas, what they share counted once."""
    _, common, either, larger = _pairs(counts).T
    return Terms(common, either, larger > 0)
