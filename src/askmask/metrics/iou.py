"""gIoU, cIoU and Pr@t of the fused masks: a query's predicted masks against its target masks.

Papers share the names and differ in two rules, which are arguments here:

- `both_empty`: the IoU of a query without target pixels that is answered without mask pixels.
  1 in LISA, ReLA, GLaMM and PSALM; 0 in Seg-Zero's script.
- `rejection`: what makes an answer a "no target". "area": a mask without pixels (LISA and its
  heirs). "answer": an answer without masks (ReLA's no-target head); then an empty mask on a
  no-target query is wrong, and a wrongly rejected query scores 0 whatever its fused mask shows.

The official scripts add 1e-5 or 1e-10 to some denominators; here a ratio is exact, which moves a
figure by less than 1e-5.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["Comparison", "Rejection", "ciou", "giou", "iou", "precision_at"]

Rejection = Literal["area", "answer"]
Comparison = Literal[">", ">="]


def _intersection(counts: Counts, rejection: Rejection) -> NDArray[np.int64]:
    """Pixels of the intersection; none where the model rejected the query."""
    if rejection == "answer":
        return np.where(counts.answered, counts.intersection, 0)
    return counts.intersection


def iou(
    counts: Counts, *, both_empty: Literal[0, 1] = 1, rejection: Rejection = "area"
) -> NDArray[np.float64]:
    """IoU of each query, (N,) float64 in [0, 1]; 0 for failed queries."""
    above = _intersection(counts, rejection)
    rejected = counts.union == 0 if rejection == "area" else ~counts.answered
    empty = rejected & (counts.target_area == 0)
    ratio = above / np.maximum(counts.union, 1)
    return np.where(counts.failed, 0.0, np.where(empty, float(both_empty), ratio))


def giou(counts: Counts, *, both_empty: Literal[0, 1] = 1, rejection: Rejection = "area") -> Terms:
    """Mean of the queries' IoUs; every query counts, NaN when there is none."""
    values = iou(counts, both_empty=both_empty, rejection=rejection)
    return Terms.of_mean(values, np.ones(len(values), bool))


def ciou(counts: Counts, *, rejection: Rejection = "area") -> Terms:
    """Sum of intersections over sum of unions; NaN when all unions are empty.

    A correct "no target" adds nothing, a mask on a no-target query adds its area below the line.
    """
    below = counts.union
    if rejection == "answer":
        below = np.where(~counts.answered & (counts.target_area == 0), 0, below)
    above = _intersection(counts, rejection)
    return Terms(above.astype(np.float64), below.astype(np.float64), np.ones(len(below), bool))


def precision_at(
    counts: Counts,
    threshold: float,
    *,
    comparison: Comparison = ">",
    rejection: Rejection = "area",
) -> Terms:
    """Share of the targeted queries whose IoU passes `threshold`; NaN when none has a target."""
    values = iou(counts, rejection=rejection)
    passed = values > threshold if comparison == ">" else values >= threshold
    return Terms.of_mean(passed, counts.targets > 0)
