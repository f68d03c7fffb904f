"""Bootstrap intervals: how far would a figure move with another sample of queries?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import loops
from askmask.compiled import compiled
from askmask.metrics.columns import chunks, on_disk, release
from askmask.metrics.terms import Metric

__all__ = ["LEVEL", "RESAMPLES", "intervals", "percentiles", "resample"]

RESAMPLES = 1_000
LEVEL = 0.95

_CHUNK = 1_000_000
"""Numbers drawn at a time: bounds the memory, and small arrays are quicker."""

_DRAWS = 32
"""Resamples that are summed at a time at most."""

_CHARACTERS = 20
"""Characters that the codes of a query have at least: who counted so many has started numba."""

_PRODUCTS = 200_000
"""Products of one multiplication of matrices: so few that OpenBLAS starts no threads for it.

They would take longer than the sums, and round them in another order for each number of them.
"""


def _tally(drawn: NDArray[np.int64], times: NDArray[np.float64]) -> None:
    """Add how often each query was drawn."""
    for query in drawn:
        times[query] += 1


def _bincount(drawn: NDArray[np.int64], times: NDArray[np.float64]) -> None:
    """Do the same in NumPy, which lets no other thread run meanwhile."""
    times += np.bincount(drawn, minlength=len(times))


def _draw_sums(
    rng: np.random.Generator, draws: NDArray[np.int64], terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum `terms`, (N, M), over queries drawn with replacement, `draws` of them, (R,); (R, M)."""
    n = len(terms)
    tally = compiled(_tally) if loops.worth(n * _CHARACTERS) else _bincount
    times = np.zeros((len(draws), n))
    for row, number in zip(times, draws.tolist(), strict=True):
        tally(rng.integers(0, n, number), row)
    sums = np.zeros((len(draws), terms.shape[1]))
    block = max(1, _PRODUCTS // sums.size)
    for start in range(0, n, block):
        queries = slice(start, start + block)
        sums += times[:, queries] @ terms[queries]
    return sums


def _resampled(
    rng: np.random.Generator, resamples: int, columns: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Sum K columns over N queries drawn N times with replacement, (resamples, K).

    Many queries are drawn part by part, so that memory holds one part: how many of the draws fall
    into it is drawn first.
    """
    n = len(columns[0])
    left = np.full(resamples, n)
    sums = np.zeros((resamples, len(columns)))
    for rows in chunks(n):
        places = rows.stop - rows.start
        draws = left if rows.stop == n else rng.binomial(left, places / (n - rows.start))
        left = left - draws
        terms = np.stack([column[rows] for column in columns], axis=1)
        release()
        step = min(_DRAWS, max(1, _CHUNK // places))
        for start in range(0, resamples, step):
            part = slice(start, start + step)
            sums[part] += _draw_sums(rng, draws[part], terms)
    return sums


def _equal(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return all(np.array_equal(a[rows], b[rows]) for rows in chunks(len(a)))


def _distinct(
    columns: Sequence[NDArray[np.float64]],
) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Keep each column once: many metrics divide by the number of queries.

    Returns:
        The columns, and for each of those given its place among them.
    """
    kept: list[NDArray[np.float64]] = []
    place = []
    for column in columns:
        same = (at for at, other in enumerate(kept) if _equal(other, column))
        place.append(next(same, len(kept)))
        if place[-1] == len(kept):
            kept.append(column)
        release()
    return kept, place


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
    terms = [on_disk(metric.linear()) for metric in metrics]
    above, below = [one.numerator for one in terms], [one.denominator for one in terms]
    columns, place = _distinct([*above, *below])
    sums = _resampled(np.random.default_rng(seed), resamples, columns)
    upper, lower = np.hsplit(sums[:, place], 2)
    values = np.divide(upper, lower, out=np.full_like(upper, np.nan), where=lower > 0)
    return values.clip(0.0, 1.0)


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
