"""Bootstrap intervals: how far would a figure move with another sample of queries?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.terms import Metric, Terms

__all__ = ["LEVEL", "RESAMPLES", "intervals", "percentiles", "resample"]

RESAMPLES = 1_000
LEVEL = 0.95

_CHUNK = 4_000_000
"""Numbers drawn at a time: bounds the memory of large files to some tens of MB."""


def _times_drawn(rng: np.random.Generator, resamples: int, n: int) -> NDArray[np.float64]:
    """How often each of `n` queries is drawn in each resample, (resamples, n)."""
    drawn = rng.integers(0, n, (resamples, n), np.int32) + np.arange(resamples)[:, None] * n
    times = np.bincount(drawn.ravel(), minlength=resamples * n)
    return times.reshape(resamples, n).astype(np.float64)


def _ratios(terms: Sequence[Terms], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, K) float64, the K ratios in R resamples: two products instead of 2 K."""
    above = times @ np.stack([one.numerator for one in terms], axis=1)
    below = times @ np.stack([one.denominator for one in terms], axis=1)
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def resample(
    metrics: Sequence[Metric], *, seed: int, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Take metrics over queries that are drawn with replacement; the same draws serve them all.

    Args:
        metrics: M metrics over the same N queries.
        seed: of the generator; the same seed and N give the same draws.
        resamples: number R of draws.

    Returns:
        (R, M) float64; NaN where a metric is undefined, everywhere when N is 0.
    """
    values = np.full((resamples, len(metrics)), np.nan)
    n = len(metrics[0].counted) if metrics else 0
    if not n:
        return values
    rng = np.random.default_rng(seed)
    ratios = [i for i, metric in enumerate(metrics) if isinstance(metric, Terms)]
    terms = [metric for metric in metrics if isinstance(metric, Terms)]
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        part = slice(start, min(start + step, resamples))
        times = _times_drawn(rng, part.stop - start, n)
        if terms:
            values[part, ratios] = _ratios(terms, times)
        for i in sorted({*range(len(metrics))} - {*ratios}):
            values[part, i] = metrics[i].resampled(times)
    return values


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
