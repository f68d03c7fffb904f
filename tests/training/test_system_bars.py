"""Bars are those with the best masks on held-out sentences."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

import torch

from askmask.models.system import Bars, Reply, Truth, chosen_slots
from askmask.training.system_bars import best_bars

HW = (2, 4)


def told(
    scores: list[list[float]], none: list[float], wanted: list[list[int]]
) -> tuple[Reply, Truth]:
    """Sentences about slots, each of which is a column of the picture; `wanted` names slots."""
    count, slots = len(scores), len(scores[0])
    masks = torch.full((count, slots, *HW), -9.0)
    truth = torch.zeros(count, slots, *HW, dtype=torch.bool)
    counted = torch.zeros(count, slots, dtype=torch.bool)
    for slot in range(slots):
        masks[:, slot, :, slot] = 9.0
    for row, each in enumerate(wanted):
        for slot in each:
            truth[row, slot, :, slot] = counted[row, slot] = True
    reply = Reply(masks, torch.tensor(scores), torch.tensor(none), torch.zeros(count, 3))
    return reply, Truth(truth, truth, counted, torch.zeros(count, dtype=torch.long))


def test_a_system_that_is_right_at_half_keeps_half() -> None:
    judged = told([[2.0, -2.0], [-2.0, 2.0]], [-1.0, -1.0], [[0], [1]])
    assert best_bars([judged]) == Bars()
    assert best_bars([]) == Bars()


def test_chances_that_are_all_small_still_tell_slots_apart() -> None:
    """Groups of two at 0.25, others at 0.08, and "nothing fits" at 0.75 unless something does."""
    scores = [[-1.1, -1.1, -2.5], [-2.5, -1.1, -1.1], [-2.5, -2.5, -2.5]]
    reply, truth = told(scores, [1.1, 1.1, 2.5], [[0, 1], [1, 2], []])
    assert not chosen_slots(reply).any()
    bars = best_bars([(reply, truth)])
    assert -2.5 < bars.belongs < -1.1 < 1.1 < bars.none < 2.5
    chosen = chosen_slots(reply.above(bars))
    assert torch.equal(chosen, truth.counted)


def test_masks_that_are_faint_everywhere_still_have_a_shape() -> None:
    """Cells at 0.25, others at 0.14."""
    reply, truth = told([[2.0, -2.0], [-2.0, 2.0]], [-1.0, -1.0], [[0], [1]])
    faint = reply._replace(masks=torch.where(reply.masks > 0, -1.1, -1.8))
    bars = best_bars([(faint, truth)])
    assert bars == Bars(inside=pytest.approx(math.log(0.2 / 0.8)))
    assert torch.equal(faint.above(bars).masks > 0, reply.masks > 0)


def test_batches_count_by_their_sentences() -> None:
    """The second slot, at 0.65, belongs in the sentences of `two` only."""
    one = told([[2.0, 0.6]], [-1.0], [[0]])
    two = told([[2.0, 0.6]] * 2, [-1.0] * 2, [[0, 1]] * 2)
    assert best_bars([one, two]) == Bars()
    assert best_bars([one, one, one, two]).belongs == pytest.approx(math.log(0.7 / 0.3))
