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


def _times_drawn(rng: np.random.Generator, resamples: int, n: int) -> NDArray[np.float64]:
    """How often each of `n` queries is drawn in each resample, (resamples, n)."""
    drawn = rng.integers(0, n, (resamples, n), np.int32)
    if loops.worth(drawn.size):
        return loops.tally(drawn, n)
    places = drawn + np.arange(resamples)[:, None] * n
    times = np.bincount(places.ravel(), minlength=resamples * n)
    return times.reshape(resamples, n).astype(np.float64)


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
    both = np.stack(
        [*(one.numerator for one in terms), *(one.denominator for one in terms)], axis=1
    )
    values = []
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        times = _times_drawn(rng, min(step, resamples - start), n)
        upper, lower = np.hsplit(times @ both, 2)
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
