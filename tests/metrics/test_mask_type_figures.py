"""Mask-type accuracy, its confusion table and switch accuracy by hand."""

import math

import pytest
from records import make_prediction, make_query, rows

from askmask.metrics.counts import count
from askmask.metrics.mask_type import mask_type_accuracy, mask_type_confusion, switch_accuracy

VISIBLE, WHOLE = rows(0, 4), rows(0, 8)


def test_accuracy_and_confusion() -> None:
    asked = ["modal", "modal", "amodal", "hidden", None]
    answered = ["modal", "amodal", "amodal", None, "modal"]
    queries = [make_query(str(i), [VISIBLE], mask_type=t) for i, t in enumerate(asked)]
    predictions = [make_prediction(str(i), [VISIBLE], mask_type=t) for i, t in enumerate(answered)]
    counts = count(queries, predictions)
    assert (mask_type_accuracy(counts).value, mask_type_accuracy(counts).n) == (0.5, 4)
    assert mask_type_confusion(counts) == {
        "modal": {"modal": 1, "amodal": 1, "hidden": 0},
        "amodal": {"modal": 0, "amodal": 1, "hidden": 0},
        "hidden": {"modal": 0, "amodal": 0, "hidden": 0},
    }


def test_undefined_for_a_model_without_types() -> None:
    counts = count([make_query("a", [VISIBLE])], [make_prediction("a", [VISIBLE], mask_type=None)])
    assert math.isnan(mask_type_accuracy(counts).value)


def _switch(modal_answer, amodal_answer, *, visible=VISIBLE, both_tagged=False, types="ma"):
    names = {"m": "modal", "a": "amodal", "h": "hidden"}
    queries = [
        make_query(
            "m", [visible], mask_type=names[types[0]], tags=["twin:a"] if both_tagged else []
        ),
        make_query("a", [WHOLE], mask_type=names[types[1]], tags=["twin:m", "plain"]),
    ]
    predictions = [make_prediction("m", [modal_answer]), make_prediction("a", [amodal_answer])]
    return switch_accuracy(count(queries, predictions))


@pytest.mark.parametrize(
    ("modal_answer", "amodal_answer", "value"),
    [
        (VISIBLE, WHOLE, 1.0),
        (rows(0, 5), rows(0, 7), 1.0),
        (WHOLE, WHOLE, 0.0),
        (VISIBLE, VISIBLE, 0.0),
        (WHOLE, VISIBLE, 0.0),
        (rows(0, 0), rows(0, 0), 0.0),
    ],
)
def test_both_answers_must_follow(modal_answer, amodal_answer, value: float) -> None:
    terms = _switch(modal_answer, amodal_answer)
    assert (terms.value, terms.n) == (value, 1)


def test_a_pair_that_is_tagged_on_both_sides_counts_once() -> None:
    assert _switch(VISIBLE, WHOLE, both_tagged=True).n == 1


def test_left_out_are_pairs_hardly_hidden_or_of_other_types() -> None:
    assert _switch(VISIBLE, WHOLE, visible=rows(0, 8)).n == 0
    assert _switch(VISIBLE, WHOLE, types="ha").n == 0
    assert math.isnan(_switch(VISIBLE, WHOLE, types="mm").value)


def test_a_twin_outside_the_file_makes_no_pair() -> None:
    query = make_query("a", [WHOLE], mask_type="amodal", tags=["twin:gone"])
    assert switch_accuracy(count([query], [make_prediction("a", [WHOLE])])).n == 0
