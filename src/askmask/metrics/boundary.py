"""Boundary IoU (Cheng et al., 2021): IoU of the rims of two masks.

On large objects the plain IoU hardly feels a ragged outline; this one does.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from askmask.errors import DataError
from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["boundary_iou"]


def boundary_iou(counts: Counts, *, both_empty: Literal[0, 1] = 1) -> Terms:
    """Mean of the queries' boundary IoUs of fused masks; every query counts, a failed one as 0.

    Raises:
        DataError: when the rims were not counted.
    """
    if counts.boundary is None:
        raise DataError("boundary-IoU: expected counts of rims; count with rims")
    common, either = counts.boundary.T
    values = np.where(either > 0, common / np.maximum(either, 1), float(both_empty))
    return Terms.of_mean(np.where(counts.failed, 0.0, values), np.ones(len(values), bool))
