"""A metric before its division: what every query adds above and below the line.

Nearly all metrics here are ratios of sums over queries, means included. Kept apart per query, the
terms give the value, every slice and every bootstrap resample without counting pixels again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Metric", "Terms"]


class Metric(Protocol):
    """A metric over N queries that can be taken again over others of them."""

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(N,) bool, the queries that the metric is about."""

    @property
    def n(self) -> int:
        """Number of queries that the metric is about."""

    @property
    def value(self) -> float:
        """The metric; NaN where it is undefined."""

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Metric:
        """Same metric over the chosen queries."""

    def per_query(self) -> NDArray[np.float64]:
        """(N,) float64, its value on each query alone; NaN where it has none."""

    def resampled(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(R,) float64, its value when query i is drawn `times[r, i]` times, NaN if undefined."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms of one metric over N queries.

    Attributes:
        numerator: (N,) float64; 0 where the query is not counted.
        denominator: (N,) float64; 0 where the query is not counted.
        counted: (N,) bool, the queries that the metric is about.
    """

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]
    counted: NDArray[np.bool_]

    @classmethod
    def of_mean(cls, values: NDArray[np.generic], counted: NDArray[np.bool_]) -> Terms:
        """Mean of `values`, (N,) numbers or bools, over the queries that are `counted`."""
        above = np.where(counted, values, 0).astype(np.float64)
        return cls(above, counted.astype(np.float64), counted)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Terms:
        """Terms of the chosen queries: (N,) bool or their rows."""
        return Terms(self.numerator[rows], self.denominator[rows], self.counted[rows])

    @property
    def n(self) -> int:
        """Number of queries that the metric is about."""
        return int(self.counted.sum())

    @property
    def value(self) -> float:
        """The metric; NaN when nothing stands below the line."""
        below = float(self.denominator.sum())
        return float(self.numerator.sum()) / below if below else float("nan")

    def per_query(self) -> NDArray[np.float64]:
        """(N,) float64, the ratio of each query's terms; NaN when nothing stands below the line."""
        return _ratio(self.numerator, self.denominator)

    def resampled(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(R,) float64, the ratio of the sums when query i is drawn `times[r, i]` times."""
        return _ratio(times @ self.numerator, times @ self.denominator)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.full(len(below), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
