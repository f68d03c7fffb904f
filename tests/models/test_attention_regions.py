"""Attention becomes regions: what stands out, cut, numbered, the most conspicuous first."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from askmask.models.attention_regions import components, evidence, head_worth, regions


def drawn(*rows: str) -> Tensor:
    """Digits as tenths, "#" as one."""
    return torch.tensor([[1.0 if c == "#" else int(c) / 10 for c in row] for row in rows])


def test_evidence_is_what_a_sentence_adds() -> None:
    asked = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.2]])
    generic = torch.tensor([[0.5, 0.1, 0.4], [1.0, 1.0, 1.0]])
    assert torch.allclose(evidence(asked, generic), torch.tensor([[0, 1.0, 0], [0, 0, 0]]))
    # Only shares count, not how much is spent on the picture in all.
    assert torch.allclose(evidence(asked, generic), evidence(asked * 0.1, generic * 7), atol=1e-5)


def test_a_head_is_worth_what_lies_on_targets() -> None:
    maps = torch.stack([drawn("#0", "00"), drawn("55", "00"), drawn("00", "00")])[None]
    wanted = torch.zeros(1, 4, 4)
    wanted[:, :2, :2] = 1
    assert torch.allclose(head_worth(maps, wanted), torch.tensor([[1.0, 0.5, 0.0]]))


def test_components_touch_at_corners_too() -> None:
    inside = drawn("##000", "00#00", "00000", "#000#", "#0000") > 0
    labels = components(inside[None])[0]
    assert (labels > 0).equal(inside)
    assert len(labels.unique()) == 4  # outside, and three
    assert labels[0, 0] == labels[1, 2]
    assert labels[3, 0] == labels[4, 0] != labels[3, 4]
    assert components(inside[None][:0]).shape == (0, 5, 5)


def test_the_most_conspicuous_region_comes_first() -> None:
    found = regions(drawn("99000", "99000", "00000", "00006")[None, None], (0.5,), 3, 0.7)
    assert found.there.tolist() == [[True, True, False]]
    assert found.worth[0, 0] > found.worth[0, 1] > 0
    assert found.inside[0, 0].equal(drawn("##000", "##000", "00000", "00000") > 0)
    assert found.inside[0, 1].sum() == 1
    assert not found.inside[0, 2].any()


def test_thresholds_give_parts_and_wholes_that_differ_enough() -> None:
    maps = drawn("3300", "3900", "0000", "0000")[None, None]
    kept = regions(maps, (0.2, 0.6), 2, overlap=0.7)
    assert sorted(kept.inside.sum((2, 3))[0].tolist()) == [1, 4]
    strict = regions(maps, (0.2, 0.6), 2, overlap=0.2)
    assert strict.there.tolist() == [[True, False]]


def test_a_map_without_evidence_has_no_region() -> None:
    found = regions(torch.zeros(2, 3, 4, 4), (0.3, 0.5), 2, 0.7)
    assert not found.there.any()
    assert regions(torch.rand(2, 3, 4, 4), (0.3,), 0, 0.7).inside.shape == (2, 0, 4, 4)
