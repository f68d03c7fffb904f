"""Columns on disk are the same numbers, and parts make the same report as the whole."""

import json
import math
import mmap
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from records import make_prediction, make_query, rows

from askmask.formats.askmask import PredictedMask, Prediction
from askmask.metrics import bootstrap, columns, evaluate
from askmask.metrics.matching import ranking
from askmask.metrics.terms import Terms


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay everything on disk, in parts of seven rows."""
    monkeypatch.setattr(columns, "_IN_MEMORY", 1)
    monkeypatch.setattr(columns, "CHUNK", 7)
    monkeypatch.setattr("askmask.metrics.matching.CHUNK", 7)


@pytest.mark.parametrize(("axis", "shape"), [(0, (5,)), (0, (5, 3)), (-1, (5,)), (-1, (4, 5))])
@pytest.mark.parametrize("in_memory", [1, 200, 1 << 20])
def test_a_table_is_its_parts_end_to_end(
    axis: int, shape: tuple, in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_IN_MEMORY", in_memory)
    parts = [np.random.default_rng(seed).integers(0, 99, shape) for seed in range(9)]
    table = columns.Table(axis)
    for part in parts:
        table.append({"a": part, "b": part > 50})
    found = table.columns()
    columns.release()
    assert np.array_equal(found["a"], np.concatenate(parts, axis))
    assert np.array_equal(found["b"], np.concatenate(parts, axis) > 50)
    found["a"][...] = 1  # can be written
    columns.release()
    assert (found["a"] == 1).all()


def test_a_record_on_disk_is_the_same_record(small: None) -> None:
    terms = Terms(np.arange(30.0), np.ones(30), np.arange(30) > 3)
    stored = columns.on_disk(terms)
    assert isinstance(stored.numerator.base, mmap.mmap)
    columns.release()
    assert stored.value == terms.value
    assert np.array_equal(stored.counted, terms.counted)


def test_threads_lay_columns_down_side_by_side(small: None) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            terms = [Terms(np.full(9, i), np.ones(9), np.ones(9, bool)) for i in range(300)]
            stored = [*pool.map(columns.on_disk, terms)]
    finally:
        sys.setswitchinterval(before)
    assert [one.value for one in stored] == [*range(300)]


def test_short_columns_stay_in_memory() -> None:
    terms = Terms(np.arange(30.0), np.ones(30), np.ones(30, bool))
    assert columns.on_disk(terms).numerator is terms.numerator


@pytest.mark.parametrize("scores", [[0.5], [0.1, 0.9, 0.9, 0.2], [*np.linspace(0, 1, 30)]])
def test_a_ranking_in_parts_is_that_of_one_sort(scores: list[float], small: None) -> None:
    score = np.random.default_rng(0).choice(scores, 100)
    looked_at = np.arange(100) % 9 > 0
    order = np.flatnonzero(looked_at)
    order = order[np.argsort(-score[order], kind="stable")]
    assert ranking(score, looked_at).tolist() == order.tolist()


def _benchmark(number: int) -> tuple[list, list]:
    rng = np.random.default_rng(5)
    queries, answers = [], []
    for i in range(number):
        top, height = rng.integers(0, 5), rng.integers(1, 5)
        kind = ["modal", "amodal"][i % 2]
        queries.append(make_query(f"q{i}", [rows(top, top + height)], mask_type=kind))
        shift = rng.integers(-1, 2)
        right = make_prediction("x", [rows(max(0, top + shift), top + height), rows(8, 10)])
        masks = (PredictedMask(one.segmentation, float(rng.random())) for one in right.masks)
        answers.append(Prediction(f"q{i}", mask_type=queries[-1].mask_type, masks=tuple(masks)))
    return queries, answers


def test_parts_give_the_report_of_the_whole(request: pytest.FixtureRequest) -> None:
    queries, answers = _benchmark(60)
    whole = evaluate(queries, answers)
    request.getfixturevalue("small")
    parts = evaluate(queries, answers[::-1])
    for name, figure in whole.metrics.items():
        assert parts.metrics[name].value == pytest.approx(figure.value, rel=1e-13, nan_ok=True)
    assert parts.counts.intersection.tolist() == whole.counts.intersection.tolist()
    assert [*parts.slices] == [*whole.slices]
    for name in ("AP", "APs", "gIoU"):
        ours, theirs = parts.terms[name].linear(), whole.terms[name].linear()
        assert ours.numerator == pytest.approx(theirs.numerator, rel=1e-12)
    assert json.dumps(parts.to_json()["mask_type_confusion"])


def test_draws_in_parts_are_as_wide_as_draws_from_the_whole(small: None) -> None:
    values = np.random.default_rng(1).random(200)
    terms = Terms.of_mean(values, np.ones(200, bool))
    draws = bootstrap.resample([terms], seed=0, resamples=2_000)[:, 0]
    error = values.std() / math.sqrt(len(values))
    assert draws.mean() == pytest.approx(values.mean(), abs=0.2 * error)
    assert draws.std() == pytest.approx(error, rel=0.1)


def test_every_resample_draws_as_many_as_there_are(small: None) -> None:
    ones = np.ones(100)
    sums = bootstrap._resampled(np.random.default_rng(0), 50, [ones, np.arange(100.0)])
    assert (sums[:, 0] == 100).all()
    assert len({*sums[:, 1]}) > 40
