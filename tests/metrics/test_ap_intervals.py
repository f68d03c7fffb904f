"""Intervals of AP: its first-order change against AP computed anew for every resample."""

import numpy as np
import pytest

from askmask.metrics.average_precision import AveragePrecision
from askmask.metrics.bootstrap import percentiles, resample


def _sample(n: int, seed: int) -> AveragePrecision:
    """Queries with 1 to 3 targets; better masks have higher scores, as a rule."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(1, 4, n)
    query = np.repeat(np.arange(n), targets + 1)
    quality = rng.random(len(query))
    order = np.argsort(-(quality + rng.normal(0, 0.3, len(query))))
    matched = quality[order] > np.array([[0.3], [0.7]])
    first = np.arange(len(query)) != np.repeat(np.cumsum(targets + 1) - 1, targets + 1)
    matched &= first[order]  # of n + 1 masks at most n have a target
    ignored = rng.random(matched.shape) >= 0.95
    return AveragePrecision(query[order], _bits(matched), _bits(ignored), targets, (0, 1))


def _bits(each: np.ndarray) -> np.ndarray:
    """One bit a threshold: (2, D) bool to (D,) uint16."""
    return (each[0] + 2 * each[1]).astype(np.uint16)


def _repeated(ap: AveragePrecision, times: np.ndarray) -> AveragePrecision:
    """Every query as often as it was drawn."""
    again = times[ap.query].astype(int)
    masks = (np.repeat(column, again) for column in (ap.query, ap.matched, ap.ignored))
    return AveragePrecision(*masks, ap.targets * times.astype(int), ap.thresholds)


def _area(ap: AveragePrecision) -> float:
    """Area under the curves of precision: AP without the steps of reading it at 101 recalls."""
    areas = []
    for threshold in ap.thresholds:
        _, right = ap.curve(threshold)
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        areas.append(sum(precision[i:].max() for i in right.nonzero()[0]) / ap.targets.sum())
    return float(np.mean(areas))


@pytest.mark.parametrize("seed", range(3))
def test_first_order_is_the_slope(seed: int) -> None:
    ap, heavier = _sample(300, seed), np.ones(300)
    heavier[seed * 50] = 2
    expected = _area(_repeated(ap, heavier)) - _area(ap)
    terms = ap.linear()
    found = heavier @ terms.numerator / (heavier @ terms.denominator) - ap.value
    assert found == pytest.approx(expected, rel=0.05, abs=1e-5)
    assert abs(ap.influence.sum()) < 1e-9


def test_ends_are_those_of_an_exact_bootstrap() -> None:
    ap = _sample(200, 1)
    (low, high) = percentiles(resample([ap], seed=0, resamples=400)[:, 0])
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 200, (400, 200))
    exact = [_repeated(ap, np.bincount(draw, minlength=200)).value for draw in draws]
    width = np.subtract(*np.quantile(exact, [0.975, 0.025]))
    assert low == pytest.approx(np.quantile(exact, 0.025), abs=0.12 * width)
    assert high == pytest.approx(np.quantile(exact, 0.975), abs=0.12 * width)


def test_chosen_queries_are_a_sample_of_their_own() -> None:
    ap = _sample(50, 2)
    rows = np.arange(50) % 3 == 0
    part = ap[rows]
    assert part.n == 17
    inside = rows[ap.query]
    masks = (column[inside] for column in (ap.query, ap.matched, ap.ignored))
    alone = AveragePrecision(*masks, np.where(rows, ap.targets, 0), ap.thresholds)
    assert part.value == alone.value


def test_no_targets_is_undefined() -> None:
    nothing = np.zeros(3, np.uint16)
    ap = AveragePrecision(np.zeros(3, np.int64), nothing, nothing, np.zeros(1, np.int64))
    assert np.isnan(ap.value)
    assert np.isnan(resample([ap], seed=0, resamples=2)).all()


def test_no_masks_and_only_wrong_ones_find_nothing() -> None:
    for masks in (0, 3):
        nothing = np.zeros(masks, np.uint16)
        ap = AveragePrecision(np.zeros(masks, np.int64), nothing, nothing, np.ones(1, np.int64))
        assert ap.value == 0
        assert ap.influence.tolist() == [0.0]
