import numpy as np
import pytest

from askmask.models.deciding import decide
from askmask.models.hub.calibration import Calibration
from askmask.types import Candidates, Masks, MaskType, Query

TYPES = {MaskType.MODAL: 0.2, MaskType.AMODAL: 0.1, MaskType.HIDDEN: 0.7}
AMODAL = np.eye(3, dtype=bool)[:, :, None].repeat(4, 2)  # each candidate is a row of four pixels
MODAL = AMODAL & (np.arange(4) < 3)
FOUND = Candidates(Masks.from_dense(MODAL), Masks.from_dense(AMODAL), np.ones(3, np.float32))


def answer(select, none=-9.0, query=None, found=FOUND, thought=None, **calibration):
    logits = np.array(select, float)
    calibrated = Calibration(**calibration)
    return decide(found, query or Query("the can"), logits, none, TYPES, calibrated, thought)


def test_the_group_is_what_reaches_the_threshold_best_first():
    got = answer([0.5, -3.0, 2.0])
    np.testing.assert_allclose(got.scores, 1 / (1 + np.exp([-2.0, -0.5])), rtol=1e-6)
    np.testing.assert_array_equal(got.modal.dense(), MODAL[[2, 0]])
    assert got.mask_type is MaskType.HIDDEN
    np.testing.assert_array_equal(got.masks.dense(), (AMODAL & ~MODAL)[[2, 0]])
    assert got.rationale == "2 of 3 candidates fit, the best one left out has 0.05"


@pytest.mark.parametrize(("kind", "masks"), [("modal", MODAL), ("amodal", AMODAL)])
def test_a_forced_type_stands(kind, masks):
    got = answer([3.0, -9.0, -9.0], query=Query("the can", mask_type=MaskType(kind)))
    np.testing.assert_array_equal(got.masks.dense(), masks[[0]])
    assert got.mask_type_probability == TYPES


def test_where_something_fits_but_nothing_reaches_the_threshold_it_is_the_best():
    np.testing.assert_array_equal(answer([-2.0, -1.0, -3.0]).modal.dense(), MODAL[[1]])


def test_nothing_fits():
    got = answer([2.0, 1.0, 0.0], none=1.0, thought="All are boxes.")
    assert len(got) == 0
    assert got.no_target_probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert got.rationale.startswith("All are boxes. (nothing fits (probability 0.73)")
    weighed = answer([2.0, 1.0, 0.0], none=1.0, no_target_weights=(1.0, -1.0, 0.5))
    assert weighed.no_target_probability == pytest.approx(1 / (1 + np.exp(0.5)))
    assert len(weighed) == 3
    none = Masks.empty((3, 4))
    assert answer([], found=Candidates(none, none, np.zeros(0))).no_target_probability == 1.0


def test_extreme_logits_are_no_trouble():
    got = answer([1e4, -1e4, 0.0], none=-1e4)
    assert got.scores[0] == 1
    assert got.no_target_probability < 1e-9
