from __future__ import annotations

import numpy as np
import pytest

from askmask.models.deciding import calibrated, sigmoid
from askmask.models.embedded.certainty import group_certainty
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.hub.calibration import Calibration
from askmask.training.calibrate import Judged, calibrate, calibrate_judge


def judged(rng: np.random.Generator, empty: bool) -> Judged:
    """A network that is right, but too shy: wanted candidates score about -1, others -4."""
    wanted = np.zeros(6, bool)
    wanted[: 0 if empty else rng.integers(1, 3)] = True
    select = np.where(wanted, -1.0, -4.0) + rng.normal(0, 0.1, 6)
    none = (-1.0 if empty else -3.0) + rng.normal(0, 0.5)
    return Judged(select, float(none), wanted, int(wanted.sum()))


def certainty(fitted: EmbeddedConfig, item: Judged) -> float:
    """How sure the answer to a sentence is."""
    select = calibrated(fitted, item.select)
    own, best, constant = fitted.no_target_weights
    none = sigmoid(np.array(own * item.none + best * select.max() + constant))
    score = sigmoid(select)
    group = score >= min(fitted.select_threshold, score.max())
    return group_certainty(score, group, float(none))


def test_a_shy_network_gets_thresholds_that_answer_right() -> None:
    rng = np.random.default_rng(0)
    items = [judged(rng, empty=k % 5 == 0) for k in range(400)]
    fitted = calibrate(EmbeddedConfig(), items)
    own, best, constant = fitted.no_target_weights
    assert own > 0 > best  # a low best candidate speaks for "nothing fits"
    right = 0
    for item in (judged(rng, empty=k % 5 == 0) for k in range(400)):
        select = calibrated(fitted, item.select)
        none = 1 / (1 + np.exp(-(own * item.none + best * select.max() + constant)))
        score = 1 / (1 + np.exp(-select))
        group = (score >= fitted.select_threshold) & (none < fitted.no_target_threshold)
        right += bool((group == item.wanted).all())
    assert right > 380


def test_probabilities_of_candidates_become_shares_of_right_ones() -> None:
    """Of a network three times too sure, as the log-odds of its candidates tell."""
    rng = np.random.default_rng(2)
    items = []
    for _ in range(500):
        true = rng.normal(-1.0, 2.0, 6)
        wanted = rng.random(6) < 1 / (1 + np.exp(-true))
        items.append(Judged(3 * true + 1, -3.0, wanted, int(wanted.sum())))
    fitted = calibrate(EmbeddedConfig(), items)
    assert (fitted.scale, fitted.bias) == pytest.approx((1 / 3, -1 / 3), abs=0.05)


def test_the_sure_threshold_divides_right_from_wrong_groups() -> None:
    """Groups of clear scores are right, those of middling ones wrong."""
    one, other = np.array([True, False]), np.array([False, True])
    clear = [Judged(np.array([4.0, -4.0]), -4.0, one, 1)] * 30
    middling = [Judged(np.array([0.8, -1.5]), -4.0, other, 1)] * 10
    empty = [Judged(np.array([-5.0, -5.0]), 4.0, np.array([False, False]), 0)] * 10
    fitted = calibrate(EmbeddedConfig(), [*clear, *middling, *empty])
    sure, unsure = (certainty(fitted, item) for item in (clear[0], middling[0]))
    assert unsure < fitted.sure_threshold <= sure
    all_right = calibrate(EmbeddedConfig(sure_threshold=0.61), [*clear, *empty])
    assert all_right.sure_threshold == 0.61  # nothing to tell apart


@pytest.mark.parametrize("items", [[], [Judged(np.zeros(2), 0.0, np.zeros(2, bool), 0)]])
def test_nothing_to_fit_leaves_the_configuration(items: list[Judged]) -> None:
    assert calibrate(EmbeddedConfig(), items) == EmbeddedConfig()


def test_a_judge_that_is_biased_and_too_sure_is_put_right() -> None:
    """Its logits are five times too large and two too high, as are those of its nothings."""
    rng = np.random.default_rng(1)
    items = []
    for k in range(400):
        true = rng.normal(-1.5, 2.0, 6) if k % 4 else rng.normal(-6.0, 0.5, 6)
        wanted = rng.random(6) < 1 / (1 + np.exp(-true))
        none = -float(np.logaddexp.reduce(true))
        items.append(Judged(5 * (true + 2), none, wanted, int(wanted.sum())))
    fitted = calibrate_judge(items)
    assert fitted.scale == pytest.approx(0.2, abs=0.03)
    assert fitted.bias == pytest.approx(-2, abs=0.3)
    assert fitted.no_target_weights != (1.0, 0.0, 0.0)


def test_a_judge_that_is_worse_than_chance_is_not_turned_round() -> None:
    wanted = np.array([True, False])
    fitted = calibrate_judge([Judged(np.array([-2.0, 2.0]), 0.0, wanted, 1)] * 20)
    assert 0 < fitted.scale < 0.01


def test_a_judge_without_right_candidates_keeps_its_scale() -> None:
    nothing = [Judged(np.array([1.0, 2.0]), 0.0, np.zeros(2, bool), 0)] * 5
    assert calibrate_judge(nothing) == Calibration()
    assert calibrate_judge([]) == Calibration()
