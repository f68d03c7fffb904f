"""AP and AR as COCOeval computes them, each query being one "image", all masks of one class.

Equal to pycocotools but for its 2.2e-16 in the denominator of precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.instances import Instances
from askmask.metrics.matching import MAX_DETECTIONS, THRESHOLDS
from askmask.metrics.terms import Terms

__all__ = ["AveragePrecision", "average_precision", "average_recall"]

RECALLS = np.linspace(0, 1, 101)
"""Recalls at which COCO reads precision."""

_SHARE = np.array([i.bit_count() / len(THRESHOLDS) for i in range(1 << len(THRESHOLDS))])
"""Share of the thresholds whose bits are set in a number."""


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """AP over N queries; D predicted masks in one range of area, best score first, T thresholds.

    It is no ratio of sums. For other weights of the queries it is taken to first order: each
    query's `influence` is the slope of AP in its weight. On a few hundred queries the ends of
    intervals differ from those of an exact bootstrap by some hundredths of their width.

    Attributes:
        query: (D,) int64, row of each mask's query.
        matched: (T, D) bool, the mask has a target.
        kept: (T, D) bool, the mask counts as right or wrong.
        targets: (N,) int64, targets of each query that count.
    """

    query: NDArray[np.int64]
    matched: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    targets: NDArray[np.int64]

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(N,) bool, all: a mask on a query without target is a false positive."""
        return np.ones(len(self.targets), bool)

    @property
    def n(self) -> int:
        """Number of queries."""
        return len(self.targets)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> AveragePrecision:
        """AP over the chosen queries: (N,) bool or their rows."""
        rows = np.arange(self.n)[rows]
        new_row = np.full(self.n, -1)
        new_row[rows] = np.arange(len(rows))
        query = new_row[self.query]
        inside = query >= 0
        return AveragePrecision(
            query[inside], self.matched[:, inside], self.kept[:, inside], self.targets[rows]
        )

    @cached_property
    def value(self) -> float:
        """Mean precision over recalls and thresholds; NaN without targets."""
        total = int(self.targets.sum())
        if not total:
            return float("nan")
        curves = zip(self.matched, self.kept, strict=True)
        return float(np.mean([_read_precision(*curve, total) for curve in curves]))

    def per_query(self) -> NDArray[np.float64]:
        """(N,) float64 NaN: the queries share one ranking of scores, so none has its own AP."""
        return np.full(self.n, np.nan)

    @cached_property
    def influence(self) -> NDArray[np.float64]:
        """(N,) float64, slope of AP in each query's weight; sums to 0."""
        total = int(self.targets.sum())
        if not total:
            return np.full(self.n, np.nan)
        curves = zip(self.matched, self.kept, strict=True)
        slopes = np.zeros(self.n)
        for curve in curves:
            slopes += self._influence(*curve, total)
        return slopes / len(self.matched)

    def _influence(
        self, matched: NDArray[np.bool_], kept: NDArray[np.bool_], total: int
    ) -> NDArray[np.float64]:
        """Slope of one threshold's area under the precision curve, P = right / seen.

        A query moves it through the recall that its own targets are worth, and through the
        precision at every later mask, which its masks raise or lower.
        """
        query, right = self.query[kept], matched[kept]
        seen = np.arange(1, len(right) + 1)
        precision = np.cumsum(right) / seen
        best, at = _best_from_here(precision)
        # How many targets are read at each point, and what one more mask before it changes there.
        read = np.bincount(at[right], minlength=len(right)) / seen
        later = np.cumsum(read[::-1])[::-1]
        later_precision = np.cumsum((read * precision)[::-1])[::-1]
        change = right * best + (right * later - later_precision)
        area = float(best[right].sum()) / total
        gained = np.bincount(query, change, self.n)
        return np.asarray((gained - area * self.targets) / total)

    def linear(self) -> Terms:
        """Return terms whose mean is AP: its value, and N times each query's influence."""
        value = self.value
        if np.isnan(value):
            nothing = np.zeros(self.n)
            return Terms(nothing, nothing, nothing > 0)
        return Terms(value + self.n * self.influence, np.ones(self.n), self.counted)


def _best_from_here(
    precision: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Highest precision from each point on, and the point where it is."""
    if not len(precision):
        return precision, np.zeros(0, np.int64)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    # The last point of each plateau of `best` is where its precision is reached.
    ends = np.flatnonzero(np.append(np.diff(best) != 0, True))
    return best, np.repeat(ends, np.diff(ends, prepend=-1))


def _read_precision(
    matched: NDArray[np.bool_], kept: NDArray[np.bool_], total: int
) -> NDArray[np.float64]:
    """Precision at the 101 recalls, 0 where a recall is not reached."""
    right = matched[kept]
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best, _ = _best_from_here(precision)
    at = np.searchsorted(found / total, RECALLS, side="left")
    return np.append(best, 0.0)[np.minimum(at, len(best))]


def _bits(values: NDArray[np.uint16], thresholds: slice) -> NDArray[np.bool_]:
    """(T, D) bool, the bits of the chosen thresholds."""
    chosen = np.arange(len(THRESHOLDS), dtype=np.uint16)[thresholds, None]
    return (values >> chosen & 1).astype(bool)


def average_precision(
    instances: Instances, area: int = 0, thresholds: slice = slice(None)
) -> AveragePrecision:
    """Average precision at `thresholds` of COCO's ten, over targets in one range of area.

    Args:
        instances: matched masks.
        area: index into `matching.AREAS`; 0 is all.
        thresholds: chosen of `matching.THRESHOLDS`.
    """
    looked_at = instances.ranked
    matched = _bits(instances.matched[area, looked_at], thresholds)
    ignored = _bits(instances.ignored[area, looked_at], thresholds)
    return AveragePrecision(instances.ranked_query, matched, ~ignored, instances.targets[area])


def average_recall(instances: Instances, area: int = 0, most: int = MAX_DETECTIONS) -> Terms:
    """Share of targets that are found, mean over the ten thresholds; NaN without targets.

    Args:
        instances: matched masks.
        area: index into `matching.AREAS`; 0 is all.
        most: masks of a query that are looked at, best score first.
    """
    looked_at = instances.rank < most
    right = instances.matched[area] & ~instances.ignored[area]
    found = _SHARE[right[looked_at]]
    above = np.bincount(instances.query[looked_at], found, len(instances)).astype(np.float64)
    below = instances.targets[area].astype(np.float64)
    return Terms(above, below, below > 0)
