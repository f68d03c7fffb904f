"""Hidden-part IoU by hand."""

import math

from records import make_prediction, make_query, rows

from askmask.metrics.counts import count
from askmask.metrics.hidden import hidden_part_iou

VISIBLE, WHOLE = (rows(0, 4),), (rows(0, 6),)


def _score(predicted, *, modal=VISIBLE, amodal=WHOLE, mask_type="amodal"):
    query = make_query("a", amodal, mask_type=mask_type, modal=modal)
    return hidden_part_iou(count([query], [make_prediction("a", [predicted])]))


def test_visible_pixels_leave_both_masks() -> None:
    assert _score(rows(0, 6)).value == 1.0
    assert _score(rows(4, 6)).value == 1.0
    assert _score(rows(0, 5)).value == 0.5
    assert _score(rows(0, 8)).value == 0.5
    assert _score(rows(0, 4)).value == 0.0


def test_what_one_target_hides_of_another_is_visible() -> None:
    modal, amodal = (rows(0, 4), rows(4, 6)), (rows(0, 4), rows(2, 8))
    assert _score(rows(4, 7), modal=modal, amodal=amodal).value == 0.5


def test_undefined_without_a_hidden_part_visible_masks_or_amodal_queries() -> None:
    assert math.isnan(_score(rows(0, 4), modal=(rows(0, 6),)).value)
    assert math.isnan(_score(rows(0, 4), modal=()).value)
    assert math.isnan(_score(rows(0, 4), mask_type="modal").value)
