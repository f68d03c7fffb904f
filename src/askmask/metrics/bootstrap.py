"""Bootstrap intervals: how far would a figure move with another sample of queries?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.terms import Terms

__all__ = ["LEVEL", "RESAMPLES", "intervals"]

RESAMPLES = 1_000
LEVEL = 0.95

_CHUNK = 4_000_000
"""Numbers drawn at a time: bounds the memory of large files to some tens of MB."""


def _times_drawn(rng: np.random.Generator, resamples: int, n: int) -> NDArray[np.float64]:
    """How often each of `n` queries is drawn in each resample, (resamples, n)."""
    drawn = rng.integers(0, n, (resamples, n), np.int32) + np.arange(resamples)[:, None] * n
    times = np.bincount(drawn.ravel(), minlength=resamples * n)
    return times.reshape(resamples, n).astype(np.float64)


def intervals(
    metrics: Sequence[Terms], *, seed: int, resamples: int = RESAMPLES
) -> list[tuple[float, float]]:
    """Return the central 95 % percentile interval of each metric.

    Queries are drawn with replacement and the same draws serve all metrics, so that their
    differences can be compared. A resample in which a metric is undefined is left out.

    Args:
        metrics: M metrics over the same N queries.
        seed: of the generator; the same seed and N give the same draws.
        resamples: number of draws.

    Returns:
        M pairs (low, high); NaN, NaN where the metric is undefined.
    """
    n = len(metrics[0].counted) if metrics else 0
    if not n:
        return [(float("nan"), float("nan"))] * len(metrics)
    rng = np.random.default_rng(seed)
    above = np.stack([terms.numerator for terms in metrics], axis=1)
    below = np.stack([terms.denominator for terms in metrics], axis=1)
    values = []
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        times = _times_drawn(rng, min(step, resamples - start), n)
        upper, lower = times @ above, times @ below
        values.append(np.divide(upper, lower, out=np.full_like(upper, np.nan), where=lower > 0))
    return [_percentiles(column) for column in np.concatenate(values).T]


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Ends of the central interval of the defined values."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
