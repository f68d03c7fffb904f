"""AP and AR as COCOeval computes them, each query being one "image", all masks of one class.

Equal to pycocotools but for its 2.2e-16 in the denominator of precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

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


class _Stairs(NamedTuple):
    """Precision at one threshold, the highest from each recall on: it falls in S steps.

    Only right masks raise precision, so a step ends at one of them.

    Attributes:
        at: (R,) int64, places of the right masks among the K that are kept, best score first.
        best: (R,) float64, highest precision from each right mask on.
        ends: (S,) int64, the last right mask of each step.
    """

    at: NDArray[np.int64]
    best: NDArray[np.float64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, right: NDArray[np.bool_]) -> _Stairs:
        """Climb down a ranking, (K,) bool."""
        at = np.flatnonzero(right)
        precision = np.arange(1, len(at) + 1) / (at + 1)
        best = np.ascontiguousarray(np.maximum.accumulate(precision[::-1])[::-1])
        return cls(at, best, np.flatnonzero(np.append(np.diff(best) != 0, [True] * (len(at) > 0))))

    def read(self, total: int) -> NDArray[np.float64]:
        """Precision at the 101 recalls, 0 where a recall is not reached."""
        found = np.arange(1, len(self.at) + 1) / total
        return np.append(self.best, 0.0)[np.searchsorted(found, RECALLS, side="left")]

    def change(self, masks: int) -> NDArray[np.float64]:
        """What each of the K masks adds to the sum of `best` with its weight.

        A mask moves it through the precision at every later step, which it raises or lowers, a
        right one also through the recall that it is worth itself.
        """
        last, height = self.at[self.ends], self.best[self.ends]
        width = np.diff(self.ends, prepend=-1)
        read = width / (last + 1)  # what one more mask before the step changes there
        later = np.cumsum(read[::-1])[::-1]
        lost = np.cumsum((read * height)[::-1])[::-1]
        change = np.zeros(masks)
        change[: last[-1] + 1 if len(last) else 0] = np.repeat(-lost, np.diff(last, prepend=-1))
        change[self.at] = np.repeat(height + (later - lost), width)
        return change


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """AP over N queries; D predicted masks in one range of area, best score first.

    It is no ratio of sums. For other weights of the queries it is taken to first order: each
    query's `influence` is the slope of AP in its weight. On a few hundred queries the ends of
    intervals differ from those of an exact bootstrap by some hundredths of their width.

    Attributes:
        query: (D,) int32, row of each mask's query.
        matched: (D,) uint16, bit t: the mask has a target at threshold t.
        ignored: (D,) uint16, bit t: the mask counts neither as right nor as wrong.
        targets: (N,) int64, targets of each query that count.
        thresholds: the bits over which the mean is taken.
    """

    query: NDArray[np.int32]
    matched: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    targets: NDArray[np.int64]
    thresholds: Sequence[int] = range(len(THRESHOLDS))

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
        new_row = np.full(self.n, -1, np.int32)
        new_row[rows] = np.arange(len(rows))
        query = new_row[self.query]
        inside = query >= 0
        return replace(
            self,
            query=query[inside],
            matched=self.matched[inside],
            ignored=self.ignored[inside],
            targets=self.targets[rows],
        )

    def curve(self, threshold: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which masks count, (D,) bool, and which of those are right, at one threshold."""
        bit = np.uint16(1 << threshold)
        kept = (self.ignored & bit) == 0
        return kept, (self.matched[kept] & bit) > 0

    @cached_property
    def value(self) -> float:
        """Mean precision over recalls and thresholds; NaN without targets."""
        total = int(self.targets.sum())
        if not total:
            return float("nan")
        curves = [_Stairs.of(self.curve(threshold)[1]) for threshold in self.thresholds]
        return float(np.mean([stairs.read(total) for stairs in curves]))

    def per_query(self) -> NDArray[np.float64]:
        """(N,) float64 NaN: the queries share one ranking of scores, so none has its own AP."""
        return np.full(self.n, np.nan)

    @cached_property
    def influence(self) -> NDArray[np.float64]:
        """(N,) float64, slope of AP in each query's weight; sums to 0."""
        total = int(self.targets.sum())
        if not total:
            return np.full(self.n, np.nan)
        slopes = np.zeros(self.n)
        for threshold in self.thresholds:
            kept, right = self.curve(threshold)
            stairs = _Stairs.of(right)
            gained = np.bincount(self.query[kept], stairs.change(len(right)), self.n)
            area = float(stairs.best.sum()) / total
            slopes += (gained - area * self.targets) / total
        return slopes / len(self.thresholds)

    def linear(self) -> Terms:
        """Return terms whose mean is AP: its value, and N times each query's influence."""
        value = self.value
        if np.isnan(value):
            nothing = np.zeros(self.n)
            return Terms(nothing, nothing, nothing > 0)
        return Terms(value + self.n * self.influence, np.ones(self.n), self.counted)


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
    return AveragePrecision(
        instances.ranked_query,
        instances.matched[area, looked_at],
        instances.ignored[area, looked_at],
        instances.targets[area],
        range(len(THRESHOLDS))[thresholds],
    )


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
