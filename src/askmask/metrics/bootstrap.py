"""Bootstrap intervals: how far would a figure move with another sample of queries?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import loops
from askmask.metrics.terms import Metric

__all__ = ["LEVEL", "RESAMPLES", "intervals", "percentiles", "resample"]

RESAMPLES = 1_000
LEVEL = 0.95

_CHUNK = 1_000_000
"""Numbers drawn at a time: bounds the memory, and small arrays are quicker."""


def _draw_sums(
    rng: np.random.Generator, resamples: int, terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum `terms`, (N, M), over N queries that are drawn with replacement, (resamples, M)."""
    n = len(terms)
    drawn = rng.integers(0, n, (resamples, n), np.int32)
    if loops.worth(drawn.size):
        return loops.draw_sums(drawn, terms)
    places = drawn + np.arange(resamples)[:, None] * n
    times = np.bincount(places.ravel(), minlength=resamples * n)
    return np.asarray(times.reshape(resamples, n).astype(np.float64) @ terms)


def _distinct(columns: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], list[int]]:
    """Keep each column once, (N, K): many metrics divide by the number of queries.

    Returns:
        The columns, and for each of those given its place among them.
    """
    kept: list[NDArray[np.float64]] = []
    place = []
    for column in columns:
        same = (at for at, other in enumerate(kept) if np.array_equal(other, column))
        place.append(next(same, len(kept)))
        if place[-1] == len(kept):
            kept.append(column)
    return np.stack(kept, axis=1), place


def resample(
    metrics: Sequence[Metric], *, seed: int, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Take metrics over queries that are drawn with replacement; the same draws serve them all.

    All lie in [0, 1]; what the first-order change of AP leads beyond is cut off.

    Args:
        metrics: M metrics over the same N queries.
        seed: of the generator; the same seed and N give the same draws.
        resamples: number R of draws.

    Returns:
        (R, M) float64; NaN where a metric is undefined, everywhere when N is 0.
    """
    n = len(metrics[0].counted) if metrics else 0
    if not n:
        return np.full((resamples, len(metrics)), np.nan)
    rng = np.random.default_rng(seed)
    terms = [metric.linear() for metric in metrics]
    columns, place = _distinct(
        [one.numerator for one in terms] + [one.denominator for one in terms]
    )
    values = []
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        sums = _draw_sums(rng, min(step, resamples - start), columns)
        upper, lower = np.hsplit(sums[:, place], 2)
        values.append(np.divide(upper, lower, out=np.full_like(upper, np.nan), where=lower > 0))
    joined: NDArray[np.float64] = np.concatenate(values)
    return joined.clip(0.0, 1.0)


def intervals(
    metrics: Sequence[Metric], *, seed: int, resamples: int = RESAMPLES
) -> list[tuple[float, float]]:
    """Return the central 95 % percentile interval of each metric.

    A resample in which a metric is undefined is left out of its interval.

    Args:
        metrics: M metrics over the same N queries.
        seed: of the generator; the same seed and N give the same draws.
        resamples: number of draws.

    Returns:
        M pairs (low, high); NaN, NaN where the metric is undefined.
    """
    return [*map(percentiles, resample(metrics, seed=seed, resamples=resamples).T)]


def percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the central 95 % of the defined `values`, (R,); NaN without any."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
