"""Masks and targets are matched one to one, and tokens look inside their masks."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy
from torch import Tensor

from askmask.models.mask_generator import MaskGenerator, match
from askmask.models.trunk import Views


def squares(*rows: int) -> Tensor:
    """Masks (n, 4, 4), each with one row inside."""
    return torch.nn.functional.one_hot(torch.tensor(rows), 4).bool()[:, :, None].expand(-1, 4, 4)


def test_each_target_gets_the_proposal_that_is_most_like_it() -> None:
    wanted = squares(0, 1)[None]
    offered = (squares(3, 1, 0).float() * 10 - 5)[None]
    pairs = match(offered, wanted, torch.ones(1, 2).bool(), 5.0, 5.0)
    assert list(zip(*(part.tolist() for part in pairs), strict=True)) == [(0, 1, 1), (0, 2, 0)]


def test_padded_targets_are_matched_to_nothing() -> None:
    wanted = squares(0, 1).expand(3, 2, 4, 4)
    counted = torch.tensor([[False, True], [False, False], [True, True]])
    offered = torch.randn(3, 1, 4, 4)  # one proposal: the third sentence has a target too many
    pairs = match(offered, wanted, counted, 1.0, 1.0)
    assert pairs.sentence.tolist() == [0, 2]
    assert pairs.target[0] == 1
    assert match(offered[1:2], wanted[1:2], counted[1:2], 1.0, 1.0).target.shape == (0,)


@torch.no_grad()
def test_tokens_look_inside_their_masks() -> None:
    """What changes in the picture outside of a mask does not reach its token."""
    torch.manual_seed(0)
    size = toy.SIZE
    generator = MaskGenerator(size, 1)
    height, width = size.masks_hw
    views = Views(
        torch.randn(1, size.pyramid // 2, height, width),
        torch.randn(1, size.pyramid, height // 2, width // 2),
        torch.randn(1, size.pyramid, height // 4, width // 4),
    )
    # A map of pixels with another sign on the right gives each token one half as its mask.
    pixels = torch.ones(1, size.mask_features, height, width)
    pixels[..., width // 2 :] *= -1
    changed = views.coarse.clone()
    changed[..., changed.shape[3] // 2 :] += 1
    # One token a sentence, so that tokens hear nothing from each other.
    tokens = torch.randn(16, 1, size.width)
    picture = torch.zeros(16, dtype=torch.long)
    (first, before), (_, after) = (
        generator(tokens, generator.look(views._replace(coarse=coarse), pixels), picture)
        for coarse in (views.coarse, changed)
    )
    left = first.masks[:, 0, 0, 0] > 0
    assert 0 < left.sum() < 16
    assert torch.equal((after.tokens - before.tokens).abs().amax((1, 2)) > 1e-5, ~left)


@torch.no_grad()
def test_an_empty_mask_looks_everywhere() -> None:
    layer = MaskGenerator(toy.SIZE, 1).layers[0]
    keys, values = layer.source(torch.randn(1, toy.SIZE.pyramid, 3, 4))
    tokens = torch.randn(1, 2, toy.SIZE.width)
    nothing, everything = torch.zeros(1, 2, 12).bool(), torch.ones(1, 2, 12).bool()
    one, other = (layer(tokens, keys, values, inside) for inside in (nothing, everything))
    assert one.isfinite().all()
    assert torch.equal(one, other)
