"""Figures of completers: each against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from askmask.metrics.completion import completion_terms, judge_guess


def row(*columns: slice) -> NDArray[np.bool_]:
    mask = np.zeros((1, 20), bool)
    for one in columns:
        mask[0, one] = True
    return mask


VISIBLE, WHOLE = row(slice(0, 6)), row(slice(0, 10))


def test_a_guess_is_counted_as_by_hand() -> None:
    one = judge_guess(3, VISIBLE, WHOLE, row(slice(0, 8), slice(12, 13)), 0.7)
    assert one.picture == 3
    assert one.occlusion == pytest.approx(0.4)
    assert one.amodal_iou == pytest.approx(8 / 11)
    assert one.hidden_iou == pytest.approx(2 / 5)
    assert one.added == pytest.approx(1 / 6)
    assert one.confidence == 0.7


def test_visible_pixels_outside_of_the_annotated_shape_do_not_count_as_guessed() -> None:
    one = judge_guess(
        0, row(slice(0, 6), slice(15, 17)), WHOLE, row(slice(0, 10), slice(15, 17)), 1
    )
    assert one.amodal_iou == 1
    assert one.hidden_iou == 1
    assert one.added == 0


def test_what_is_added_counts_at_most_once_over() -> None:
    one = judge_guess(0, row(slice(0, 2)), row(slice(0, 2)), row(slice(0, 20)), 1)
    assert one.added == 1


def test_nothing_hidden_and_nothing_added_is_undefined() -> None:
    assert np.isnan(judge_guess(0, WHOLE, WHOLE, WHOLE, 1).hidden_iou)
    assert judge_guess(0, WHOLE, WHOLE, row(slice(0, 12)), 1).hidden_iou == 0


def test_figures_count_the_objects_they_are_about() -> None:
    guesses = [
        judge_guess(0, VISIBLE, WHOLE, WHOLE, 1.0),
        judge_guess(0, WHOLE, WHOLE, row(slice(0, 15)), 0.5),
        judge_guess(7, VISIBLE, WHOLE, VISIBLE, 0.5),
        judge_guess(7, row(slice(0, 1)), WHOLE, row(slice(0, 4)), 0.5),
    ]
    terms = completion_terms(guesses)
    found = {name: (one.value, int(one.denominator.sum())) for name, one in terms.items()}
    assert found["amodal-IoU"] == (pytest.approx((1 + 10 / 15 + 0.6 + 0.4) / 4), 4)
    assert found["amodal-IoU-occluded"] == (pytest.approx((1 + 0.6 + 0.4) / 3), 3)
    assert found["hidden-IoU"] == (pytest.approx((1 + 0 + 3 / 9) / 3), 3)
    assert found["hidden-IoU 0.25-0.5"] == (pytest.approx(0.5), 2)
    assert found["hidden-IoU 0.5-1"] == (pytest.approx(1 / 3), 1)
    assert found["hidden-IoU 0.05-0.25"] == (pytest.approx(np.nan, nan_ok=True), 0)
    assert found["added-to-whole"] == (pytest.approx(0.5), 1)
    assert found["confidence-error"][0] == pytest.approx((0 + 1 / 6 + 0.1 + 0.1) / 4)
    assert len(terms["amodal-IoU"].counted) == 2  # pictures
