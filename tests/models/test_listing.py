"""Answers that list targets: what is learnt of them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from askmask.models.listing import Listing, left_to_right
from askmask.models.system import Truth


def test_a_list_of_targets_is_learnt_word_by_word() -> None:
    listing = Listing(2, 3)
    answers, chosen = listing.told(torch.tensor([[7, 8]] * 3), torch.tensor([0, 1, 2]), 2)
    assert answers[:, :3].tolist() == [[1, 2, 3], [1, 2, 7], [1, 2, 7]]
    assert answers[1, 3:5].tolist() == [8, 0]
    assert answers[2].tolist() == [1, 2, 7, 8, 7, 8, 0]
    assert [row.nonzero()[:, 0].tolist() for row in chosen] == [[2], [2, 4], [2, 4, 6]]


def test_choices_inside_of_a_target_are_learnt_too() -> None:
    listing = Listing(3, 2, chosen=(0, 1))
    _, chosen = listing.told(torch.tensor([[7, 8, 9]] * 3), torch.tensor([0, 1, 2]), 2)
    assert [row.nonzero()[:, 0].tolist() for row in chosen] == [[2], [2, 3, 5], [2, 3, 5, 6, 8]]


def test_states_are_told_apart() -> None:
    """State 0 is that of the last word, state n that of word n - 1 of the answer."""
    listing = Listing(2, 3)
    answer = listing.endless(torch.tensor([[7, 8]]), 2)[0]
    assert answer.tolist() == [1, 2, 7, 8, 7, 8]
    states = torch.arange(1 + len(answer))[None, :, None]
    assert listing.choices(states, 2)[0, :, 0].tolist() == [2, 4]
    assert listing.targets(states)[0, :, :, 0].tolist() == [[3, 4], [5, 6]]


def test_targets_are_listed_from_left_to_right() -> None:
    """By their visible parts, so that the order is the same whatever mask type is asked for."""
    modal = torch.zeros(2, 3, 2, 4, dtype=torch.bool)
    modal[0, 0, :, 3] = modal[0, 1, :, 1:] = modal[0, 2, :, :2] = True
    modal[1, 0, :, 2] = True  # the others are padded
    masks = modal.flip(3)
    counted = torch.tensor([[True] * 3, [True, False, False]])
    sorted_ = left_to_right(Truth(masks, modal, counted, torch.tensor([1, 0])))
    assert torch.equal(sorted_.modal[0], modal[0, [2, 1, 0]])
    assert torch.equal(sorted_.masks[0], masks[0, [2, 1, 0]])
    assert torch.equal(sorted_.modal[1], modal[1])
    assert torch.equal(sorted_.counted, counted)
