"""Paired comparison of two runs on the same queries: is one better, or was it luck?

Hard queries are hard for both runs, so the interval of their difference over the same draws is
much narrower than their two intervals suggest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.metrics.bootstrap import RESAMPLES, percentiles, resample
from askmask.metrics.figures import lower_is_better
from askmask.metrics.report import Report
from askmask.metrics.terms import Metric

__all__ = ["Difference", "compare", "sign_test"]


@dataclass(frozen=True)
class Difference:
    """One metric of run A minus that of run B.

    Attributes:
        value: in [-1, 1], NaN when either is undefined.
        low: lower end of the 95 % interval over the same bootstrap draws, NaN when undefined.
        high: upper end.
        n: number of queries that the metric is about in both runs.
        wins: queries on which A is better; 0 for metrics without a value of single queries (AP).
        losses: queries on which B is better.
        p_value: of the two-sided sign test on wins and losses; NaN without either.
    """

    value: float
    low: float
    high: float
    n: int
    wins: int
    losses: int
    p_value: float

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON writes it, undefined numbers as None."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high", "p_value")}
        defined = {name: None if math.isnan(x) else x for name, x in numbers.items()}
        return {**defined, "n": self.n, "wins": self.wins, "losses": self.losses}


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided p-value of `wins` against `losses` if both were equally likely.

    Exact at any number; ties are not counted. NaN when there are neither.
    """
    n = wins + losses
    if not n:
        return float("nan")
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))
    k = np.arange(min(wins, losses) + 1)
    log_share = log_factorial[n] - log_factorial[k] - log_factorial[n - k] - n * math.log(2)
    return min(1.0, 2 * float(np.exp(log_share).sum()))


def _rows_of(b: Report, a: Report) -> NDArray[np.intp]:
    """Rows of `b` in the order of `a`'s queries.

    Raises:
        DataError: when the two runs answered different queries.
    """
    row_of = {name: row for row, name in enumerate(b.query_ids)}
    common = sum(name in row_of for name in a.query_ids)
    if common < len(a.query_ids) or common < len(row_of):
        raise DataError(
            f"comparison: expected runs on the same queries, got {len(a.query_ids):,} and "
            f"{len(row_of):,} of which {common:,} are common; evaluate both against one file"
        )
    return np.array([row_of[name] for name in a.query_ids], np.intp)


def _difference(name: str, a: Metric, b: Metric, resampled: NDArray[np.float64]) -> Difference:
    """Difference of one metric; `resampled` holds that of each draw."""
    ours, theirs = a.per_query(), b.per_query()
    if lower_is_better(name):
        ours, theirs = -ours, -theirs
    wins, losses = int((ours > theirs).sum()), int((ours < theirs).sum())
    low, high = percentiles(resampled)
    n = int((a.counted & b.counted).sum())
    return Difference(a.value - b.value, low, high, n, wins, losses, sign_test(wins, losses))


def compare(
    a: Report, b: Report, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Difference]:
    """Compare two evaluations of the same queries: A minus B, metric by metric.

    Args:
        a: report of run A.
        b: report of run B; its queries may come in another order.
        seed: of the bootstrap.
        resamples: number of bootstrap resamples.

    Returns:
        A difference for each metric that both reports have, in the order of `a`.

    Raises:
        DataError: when the runs answered different queries.
    """
    rows = _rows_of(b, a)
    ours = {name: metric for name, metric in a.terms.items() if name in b.terms}
    theirs = {name: b.terms[name][rows] for name in ours}
    values = [
        resample(list(metrics.values()), seed=seed, resamples=resamples)
        for metrics in (ours, theirs)
    ]
    return {
        name: _difference(name, ours[name], theirs[name], difference)
        for name, difference in zip(ours, (values[0] - values[1]).T, strict=True)
    }
