"""N-acc and T-acc by hand."""

import math

from records import make_prediction, make_query, rows

from askmask.metrics.counts import count
from askmask.metrics.no_target import n_acc, t_acc


def test_shares_of_each_kind_of_query() -> None:
    queries = [make_query(name) for name in "abc"] + [make_query("d", [rows(0, 1)])]
    predictions = [
        make_prediction("a"),
        make_prediction("b", [rows(0, 1)]),
        make_prediction("c", error="the picture is broken"),
        make_prediction("d", [rows(5, 6)]),
    ]
    counts = count(queries, predictions)
    assert (n_acc(counts).value, n_acc(counts).n) == (1 / 3, 3)
    assert (t_acc(counts).value, t_acc(counts).n) == (1.0, 1)


def test_undefined_without_such_queries() -> None:
    targeted = count([make_query("a", [rows(0, 1)])], [make_prediction("a")])
    assert math.isnan(n_acc(targeted).value)
    assert t_acc(targeted).value == 0.0


def test_fused_masks_reject_when_empty_or_when_the_head_says_so() -> None:
    predictions = [
        make_prediction("a", fused=rows(0, 0)),
        make_prediction("b", fused=rows(0, 4), no_target_probability=0.6),
        make_prediction("c", fused=rows(0, 4), no_target_probability=0.4),
    ]
    counts = count([make_query(name) for name in "abc"], predictions)
    assert counts.answered.tolist() == [False, False, True]
