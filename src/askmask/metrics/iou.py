"""gIoU, cIoU and Pr@t of the fused masks: a query's predicted masks against its target masks.

Papers share the names and differ in two rules, which are arguments here:

- `both_empty`: the IoU of a query without target pixels that is answered without mask pixels.
  1 in LISA, ReLA, GLaMM and PSALM; 0 in Seg-Zero's script.
- `rejection`: what makes an answer a "no target". "area": a mask without pixels (LISA and its
  heirs). "answer": an answer without masks (ReLA's no-target head); then an empty mask on a
  no-target query is wrong, and a wrongly rejected query scores 0 whatever its fused mask shows.

- `epsilon`: what official scripts add below the line, for those who compare digits. "none" is
  exact; "psalm" adds 1e-5 to each union and 1e-10 to their sum; "lisa" also adds 1e-5 to the
  number of queries.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["Comparison", "Epsilon", "Rejection", "ciou", "giou", "iou", "precision_at"]

Rejection = Literal["area", "answer"]
Comparison = Literal[">", ">="]
Epsilon = Literal["none", "lisa", "psalm"]

_TO_UNION, _TO_SUM, _TO_NUMBER = 1e-5, 1e-10, 1e-5


def _intersection(counts: Counts, rejection: Rejection) -> NDArray[np.int64]:
    """Pixels of the intersection; none where the model rejected the query."""
    if rejection == "answer":
        return np.where(counts.answered, counts.intersection, 0)
    return counts.intersection


def iou(
    counts: Counts,
    *,
    both_empty: Literal[0, 1] = 1,
    rejection: Rejection = "area",
    epsilon: Epsilon = "none",
) -> NDArray[np.float64]:
    """IoU of each query, (N,) float64 in [0, 1]; 0 for failed queries."""
    above = _intersection(counts, rejection)
    rejected = counts.union == 0 if rejection == "area" else ~counts.answered
    empty = rejected & (counts.target_area == 0)
    ratio = above / (np.maximum(counts.union, 1) + (0 if epsilon == "none" else _TO_UNION))
    return np.where(counts.failed, 0.0, np.where(empty, float(both_empty), ratio))


def giou(
    counts: Counts,
    *,
    both_empty: Literal[0, 1] = 1,
    rejection: Rejection = "area",
    epsilon: Epsilon = "none",
) -> Terms:
    """Mean of the queries' IoUs; every query counts, NaN when there is none."""
    values = iou(counts, both_empty=both_empty, rejection=rejection, epsilon=epsilon)
    every = np.ones(len(values), bool)
    each = 1 + _TO_NUMBER / max(len(values), 1) if epsilon == "lisa" else 1.0
    return Terms(values, every * each, every)


def ciou(counts: Counts, *, rejection: Rejection = "area", epsilon: Epsilon = "none") -> Terms:
    """Sum of intersections over sum of unions; NaN when all unions are empty.

    A correct "no target" adds nothing, a mask on a no-target query adds its area below the line.
    """
    below = counts.union.astype(np.float64)
    if rejection == "answer":
        below = np.where(~counts.answered & (counts.target_area == 0), 0, below)
    if epsilon != "none":
        below += _TO_SUM / max(len(below), 1)
    above = _intersection(counts, rejection)
    return Terms(above.astype(np.float64), below, np.ones(len(below), bool))


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
