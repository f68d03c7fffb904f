"""AP and AR as COCOeval computes them, each query being one "image", all masks of one class.

Equal to pycocotools but for its 2.2e-16 in the denominator of precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.columns import chunks
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
        last: (S,) int64, place of the mask that ends a step among those that are kept.
        right: (S,) int64, right masks up to and with it.
        height: (S,) float64, precision on the step.
    """

    last: NDArray[np.int64] = np.zeros(0, np.int64)
    right: NDArray[np.int64] = np.zeros(0, np.int64)
    height: NDArray[np.float64] = np.zeros(0)

    @property
    def area(self) -> float:
        """Sum of the heights over all right masks."""
        return float((self.height * np.diff(self.right, prepend=0)).sum())  # @ may use threads

    def then(self, at: NDArray[np.int64], number: NDArray[np.int64]) -> _Stairs:
        """Go on with right masks at these places; they lift the lower steps before them."""
        if not len(at):
            return self
        best = np.maximum.accumulate((number / (at + 1))[::-1])[::-1]
        ends = np.flatnonzero(np.diff(best, append=-1.0))
        higher = np.count_nonzero(self.height > best[0])
        steps = zip(self, (at, number, best), strict=True)
        return _Stairs(*(np.concatenate((old[:higher], new[ends])) for old, new in steps))

    def read(self, total: int) -> NDArray[np.float64]:
        """Precision at the 101 recalls of `total` targets, 0 where a recall is not reached."""
        needed = np.ceil(RECALLS * total).astype(np.int64)  # but for what the product rounds
        needed -= (needed - 1) / total >= RECALLS
        needed += needed / total < RECALLS
        return np.append(self.height, 0.0)[self.right.searchsorted(np.maximum(needed, 1))]

    def worth(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the weight of a wrong and of a right mask on each step adds to the area, (S,).

        A mask moves it through the precision at its own and every later step, which it raises or
        lowers; a right one also through the recall that it is worth itself.
        """
        read = np.diff(self.right, prepend=0) / (self.last + 1)
        later = np.cumsum(read[::-1])[::-1]
        lost = np.cumsum((read * self.height)[::-1])[::-1]
        return -lost, self.height + (later - lost)


def _spread(values: NDArray[np.float64], ends: NDArray[np.int64], within: slice) -> NDArray[Any]:
    """Repeat a value up to each end, and 0 behind the last, for the places `within`."""
    borders = np.append(ends, within.stop).clip(within.start, within.stop)
    return np.repeat(np.append(values, 0.0), np.diff(borders, prepend=within.start))


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

    def curve(
        self, threshold: int, masks: slice = slice(None)
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which masks count, (D,) bool, and which of those are right, at one threshold."""
        bit = np.uint16(1 << threshold)
        kept = (self.ignored[masks] & bit) == 0
        return kept, (self.matched[masks][kept] & bit) > 0

    def _climb(self, threshold: int) -> _Stairs:
        """Climb the stairs of precision."""
        stairs, kept, found = _Stairs(), 0, 0
        for masks in chunks(len(self.query)):
            _, right = self.curve(threshold, masks)
            at = kept + np.flatnonzero(right)
            stairs = stairs.then(at, np.arange(found + 1, found + len(at) + 1))
            kept, found = kept + len(right), found + len(at)
        return stairs

    @cached_property
    def _stairs(self) -> list[_Stairs]:
        """Stairs at each threshold."""
        return [self._climb(threshold) for threshold in self.thresholds]

    @cached_property
    def value(self) -> float:
        """Mean precision over recalls and thresholds; NaN without targets."""
        total = int(self.targets.sum())
        if not total:
            return float("nan")
        return float(np.mean([stairs.read(total) for stairs in self._stairs]))

    def per_query(self) -> NDArray[np.float64]:
        """(N,) float64 NaN: the queries share one ranking of scores, so none has its own AP."""
        return np.full(self.n, np.nan)

    @property
    def influence(self) -> NDArray[np.float64]:
        """(N,) float64, slope of AP in each query's weight; sums to 0."""
        total = int(self.targets.sum())
        if not total:
            return np.full(self.n, np.nan)
        area = sum(stairs.area for stairs in self._stairs)
        slopes = -area / total * self.targets.astype(np.float64)
        for threshold, stairs in zip(self.thresholds, self._stairs, strict=True):
            for gained in self._gained(threshold, stairs):
                slopes += gained
        slopes /= total * len(self.thresholds)
        return slopes

    def _gained(self, threshold: int, stairs: _Stairs) -> Iterator[NDArray[np.float64]]:
        """What the weight of each query's masks adds to the area of the stairs, part by part."""
        wrong_worth, right_worth = stairs.worth()
        place = found = 0
        for masks in chunks(len(self.query)):
            kept, right = self.curve(threshold, masks)
            number = int(np.count_nonzero(right))
            change = _spread(wrong_worth, stairs.last + 1, slice(place, place + len(right)))
            change[right] = _spread(right_worth, stairs.right, slice(found, found + number))
            yield np.asarray(np.bincount(self.query[masks][kept], change, self.n), np.float64)
            place, found = place + len(right), found + number

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
        instances.query[looked_at],
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
