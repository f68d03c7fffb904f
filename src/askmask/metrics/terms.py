"""A metric before its division: what every query adds above and below the line.

All metrics here are ratios of sums over queries, means included. Kept apart per query, the terms
give the value, every slice and every bootstrap resample without counting pixels again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Terms"]


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

    def __getitem__(self, rows: NDArray[np.bool_]) -> Terms:
        """Terms of the chosen queries, (N,) bool."""
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
