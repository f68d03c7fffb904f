"""gIoU, cIoU and Pr@t against numbers worked out by hand."""

import math

import numpy as np
import pytest
from records import make_prediction, make_query, rows

from askmask.errors import DataError
from askmask.metrics.counts import count
from askmask.metrics.iou import ciou, giou, iou, precision_at

# Four queries of 10 x 10 pixels: IoU 20/40, 10/10, rightly rejected, wrongly answered with 30.
QUERIES = [
    make_query("half", [rows(0, 3)]),
    make_query("exact", [rows(9, 10)]),
    make_query("rejected", []),
    make_query("invented", []),
]
PREDICTIONS = [
    make_prediction("half", [rows(1, 4)]),
    make_prediction("exact", [rows(9, 10)]),
    make_prediction("rejected", []),
    make_prediction("invented", [rows(0, 2), rows(1, 3)]),
]


def test_values_by_hand() -> None:
    counts = count(QUERIES, PREDICTIONS)
    assert iou(counts).tolist() == [0.5, 1.0, 1.0, 0.0]
    assert giou(counts).value == pytest.approx(2.5 / 4)
    assert ciou(counts).value == pytest.approx((20 + 10) / (40 + 10 + 0 + 30))
    assert (giou(counts).n, ciou(counts).n) == (4, 4)


def test_both_empty_zero_takes_the_reward_of_a_right_rejection() -> None:
    counts = count(QUERIES, PREDICTIONS)
    assert iou(counts, both_empty=0).tolist() == [0.5, 1.0, 0.0, 0.0]


def test_precision_is_over_targeted_queries_and_its_comparison_is_a_choice() -> None:
    counts = count(QUERIES, PREDICTIONS)
    assert precision_at(counts, 0.5).value == 0.5
    assert precision_at(counts, 0.5, comparison=">=").value == 1.0
    assert precision_at(counts, 0.5).n == 2


def test_a_missed_target_adds_its_area_to_the_union() -> None:
    counts = count([make_query("a", [rows(0, 3)])], [make_prediction("a", [])])
    assert (giou(counts).value, ciou(counts).value) == (0.0, 0.0)
    assert counts.union.tolist() == [30]


def test_an_empty_mask_is_a_rejection_by_area_but_an_answer_by_masks() -> None:
    counts = count([make_query("a", [])], [make_prediction("a", [rows(0, 0)])])
    assert giou(counts, rejection="area").value == 1.0
    assert giou(counts, rejection="answer").value == 0.0
    assert math.isnan(ciou(counts).value)


def test_relas_table() -> None:
    """The four cases of ReLA's evaluator, with a no-target head beside a fused mask."""
    queries = [make_query("tp"), make_query("fn"), make_query("fp", [rows(0, 3)])]
    queries.append(make_query("tn", [rows(0, 3)]))
    predictions = [
        make_prediction("tp", fused=rows(0, 5), no_target_probability=0.9),
        make_prediction("fn", fused=rows(0, 5), no_target_probability=0.1),
        make_prediction("fp", fused=rows(1, 4), no_target_probability=0.9),
        make_prediction("tn", fused=rows(1, 4), no_target_probability=0.1),
    ]
    counts = count(queries, predictions)
    assert iou(counts, rejection="answer").tolist() == [1.0, 0.0, 0.0, 0.5]
    terms = ciou(counts, rejection="answer")
    assert terms.numerator.tolist() == [0, 0, 0, 20]
    assert terms.denominator.tolist() == [0, 50, 40, 40]


def test_ignored_pixels_leave_both_masks() -> None:
    query = make_query("a", [rows(0, 4)], ignore=rows(2, 8))
    counts = count([query], [make_prediction("a", [rows(1, 9)])])
    assert (counts.intersection.tolist(), counts.union.tolist()) == ([10], [30])


def test_all_ignored_is_both_empty() -> None:
    query = make_query("a", [rows(0, 4)], ignore=rows(0, 10))
    assert giou(count([query], [make_prediction("a", [rows(0, 9)])])).value == 1.0


def test_a_fused_mask_counts_only_without_instances() -> None:
    query = make_query("a", [rows(0, 2)])
    alone = count([query], [make_prediction("a", fused=rows(0, 2))])
    beside = count([query], [make_prediction("a", [rows(0, 1)], fused=rows(0, 2))])
    assert (giou(alone).value, giou(beside).value) == (1.0, 0.5)


def test_failure_is_never_a_right_rejection() -> None:
    query = make_query("a", [])
    assert giou(count([query], [make_prediction("a", error="out of memory")])).value == 0.0


def test_no_queries_is_undefined() -> None:
    counts = count([], [])
    values = [giou(counts).value, ciou(counts).value, precision_at(counts, 0.5).value]
    assert np.isnan(values).all()


def test_a_mask_of_another_size_names_the_query() -> None:
    wrong = make_prediction("q7", [rows(0, 2, (20, 20))])
    with pytest.raises(DataError, match=r"expected masks of size \[10, 10\] as in query q7"):
        count([make_query("q7", [rows(0, 2)])], [wrong])
