"""Bootstrap intervals: repeatable, of the right width, undefined where the value is."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from askmask import loops
from askmask.metrics import bootstrap
from askmask.metrics.bootstrap import intervals
from askmask.metrics.terms import Terms


def _mean_of(values) -> Terms:
    return Terms.of_mean(values, np.ones(len(values), bool))


def test_the_seed_decides() -> None:
    terms = _mean_of(np.random.default_rng(0).random(60))
    first = intervals([terms], seed=3, resamples=200)
    assert first == intervals([terms], seed=3, resamples=200)
    assert first != intervals([terms], seed=4, resamples=200)


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = _mean_of(np.random.default_rng(0).random(40))
    whole = intervals([terms], seed=1, resamples=100)
    monkeypatch.setattr(bootstrap, "_CHUNK", 40 * 7)
    np.testing.assert_allclose(intervals([terms], seed=1, resamples=100), whole, rtol=1e-12)


def test_compiled_loops_change_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = [_mean_of(np.random.default_rng(seed).random(50)) for seed in range(3)]
    found = []
    for worth in (False, loops.worth(1 << 60)):  # without numba the same twice
        monkeypatch.setattr(loops, "worth", lambda number, worth=worth: worth)
        found.append(bootstrap.resample(terms, seed=1, resamples=100))
    np.testing.assert_array_equal(*found)


def test_width_is_that_of_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 2_000)
    ((low, high),) = intervals([_mean_of(values)], seed=0)
    error = values.std() / math.sqrt(len(values))
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.3 * error
    )


def test_covers_the_true_mean_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(2)
    ends = [intervals([_mean_of(rng.random(100))], seed=i, resamples=300)[0] for i in range(200)]
    covered = np.mean([low <= 0.5 <= high for low, high in ends])
    assert 0.90 <= covered <= 0.99


def test_ratios_of_sums_are_resampled_as_ratios() -> None:
    below = np.array([1.0, 99.0])
    terms = Terms(np.array([1.0, 0.0]), below, np.ones(2, bool))
    ((low, high),) = intervals([terms], seed=0)
    assert (low, high) == (0.0, 1.0)
    assert terms.value == 0.01


def test_undefined_value_has_undefined_ends() -> None:
    nowhere = np.zeros(5, bool)
    ends = intervals([Terms.of_mean(np.ones(5), nowhere), _mean_of(np.ones(5))], seed=0)
    assert np.isnan(ends[0]).all()
    assert ends[1] == (1.0, 1.0)
    assert np.isnan(intervals([_mean_of(np.ones(0))], seed=0)).all()


_ENDS = """
import numpy as np
from askmask.metrics.bootstrap import intervals
from askmask.metrics.terms import Terms
above, below = np.random.default_rng(1).random((2, 20, 1_000))
terms = [Terms(a, b, b > 0) for a, b in zip(above, below)]
print(intervals(terms, seed=0, resamples=200))
"""


def test_threads_of_blas_change_no_digit() -> None:
    one, three = (
        subprocess.run(
            [sys.executable, "-c", _ENDS],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        ).stdout
        for threads in "13"
    )
    assert one == three != b""
