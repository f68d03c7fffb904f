"""Comparing two runs: whose answers are better, and whether that may be luck."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import make_prediction, make_query, perfect, rows

from askmask.errors import DataError
from askmask.metrics import compare, evaluate
from askmask.metrics.compare import sign_test

QUERIES = [make_query(str(i), [rows(0, 4)]) for i in range(30)]


def _run(better: int):
    """Report of a run that is right in the first `better` queries and off by a row in others."""
    answers = [make_prediction(str(i), [rows(0, 4 if i < better else 5)]) for i in range(30)]
    return evaluate(QUERIES, answers[::-1], "r2sm", resamples=50)


def test_difference_with_wins_and_losses() -> None:
    found = compare(_run(20), _run(5))
    giou = found["gIoU"]
    assert giou.value == pytest.approx(15 * 0.2 / 30)
    assert 0 < giou.low < giou.value < giou.high
    assert (giou.n, giou.wins, giou.losses) == (30, 15, 0)
    assert giou.p_value == pytest.approx(2 * 0.5**15)
    assert found["cIoU"].wins == 15
    assert (found["AP"].value > 0, found["AP"].wins) == (True, 0)
    assert math.isnan(found["AP"].p_value)
    assert found["AP"].to_json()["p_value"] is None


def test_a_run_against_itself_has_no_difference_at_all() -> None:
    for difference in compare(_run(7), _run(7)).values():
        assert math.isnan(difference.value) or (
            difference.value, difference.low, difference.high
        ) == (0, 0, 0)  # fmt: skip


def test_pairing_makes_the_interval_narrow() -> None:
    """Queries differ much more from each other than the two runs do."""
    queries = [make_query(str(i), [rows(0, 1 + i % 9)]) for i in range(40)]
    one = evaluate(queries, [make_prediction(q.id, [rows(0, 5)]) for q in queries], resamples=200)
    two = evaluate(queries, [make_prediction(q.id, [rows(0, 6)]) for q in queries], resamples=200)
    paired = compare(one, two, resamples=200)["gIoU"]
    alone = one.metrics["gIoU"]
    assert paired.high - paired.low < 0.8 * (alone.high - alone.low)


def test_the_surer_run_wins_where_small_is_good() -> None:
    def run(probability: float):
        types = {"modal": probability, "amodal": 1 - probability, "hidden": 0.0}
        answers = [replace(perfect(query), mask_type_probability=types) for query in QUERIES]
        return evaluate(QUERIES, answers, resamples=20)

    found = compare(run(0.9), run(0.6))["type-brier"]
    assert found.value < 0
    assert (found.wins, found.losses) == (30, 0)


def test_order_of_queries_does_not_matter() -> None:
    other = evaluate(QUERIES[::-1], [perfect(query) for query in QUERIES], "r2sm", resamples=50)
    assert compare(_run(20), other)["gIoU"].losses == 10


def test_runs_on_other_queries_are_refused() -> None:
    less = evaluate(QUERIES[:3], [perfect(query) for query in QUERIES[:3]], "r2sm", resamples=2)
    with pytest.raises(DataError, match="got 30 and 3 of which 3 are common"):
        compare(_run(3), less)
    with pytest.raises(DataError, match="same queries"):
        compare(less, _run(3))


def test_only_common_figures_are_compared() -> None:
    gres = evaluate(QUERIES, [perfect(query) for query in QUERIES], "gres", resamples=2)
    assert set(compare(_run(3), gres)) == {"gIoU", "cIoU"}


@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_test_is_the_exact_sum(wins: int, losses: int) -> None:
    n, fewer = wins + losses, min(wins, losses)
    if not n:
        assert math.isnan(sign_test(wins, losses))
        return
    exact = min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)
    assert sign_test(wins, losses) == pytest.approx(exact)


def test_sign_test_of_many() -> None:
    assert sign_test(50_000, 50_000) == 1.0
    assert 0 <= sign_test(52_000, 48_000) < 1e-30
    assert np.isclose(sign_test(9, 1), 22 / 1024)
