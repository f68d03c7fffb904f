"""The trunk of the seven systems: padding and memory change nothing, eyes start from others."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.trunk import (
    SIZES,
    Reader,
    Trunk,
    grid_tokens,
    plane_positions,
    pool_masks,
    start_from_proposer,
)

SIZE = SIZES["tiny"]()


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(3)


def test_sizes_are_consistent() -> None:
    for build in SIZES.values():
        size = build()
        assert size.width % 4 == 0
        assert size.width % size.heads == 0
        assert size.input_hw[0] % 16 == size.input_hw[1] % 16 == 0


def test_views_and_mask_features_have_their_shapes() -> None:
    trunk = Trunk(SIZE).eval()
    views = trunk.eyes(torch.zeros(2, 3, *SIZE.input_hw))
    assert [tuple(view.shape) for view in views] == [(2, 8, 12, 16), (2, 16, 6, 8), (2, 16, 3, 4)]
    assert views.of(torch.tensor([1, 1, 0])).middle.shape[0] == 3
    assert trunk.pixels(views.fine, views.middle).shape == (2, SIZE.mask_features, 12, 16)


def test_eyes_start_from_a_proposer_and_see_the_same() -> None:
    proposer, trunk = ProposerNet().eval(), Trunk(SIZES["small"]()).eval()
    state = {f"net.{name}": tensor for name, tensor in proposer.state_dict().items()}
    own = len(trunk.eyes.state_dict())
    parts = [trunk.eyes, trunk.pixels]
    assert start_from_proposer(parts, {**state, "category.weight": torch.zeros(1)}) > own
    images = torch.randn(1, 3, 48, 64)
    *_, appearance = proposer(images)
    assert torch.allclose(proposer.appearance(trunk.eyes(images).middle), appearance, atol=1e-5)


def test_eyes_of_another_size_take_nothing_over() -> None:
    given = {"stem.0.weight": torch.zeros(99, 3, 3, 3), "head.0.0.weight": torch.zeros(1)}
    assert start_from_proposer([Trunk(SIZE).eyes], given) == 0


def test_padded_words_change_nothing() -> None:
    reader = Reader(SIZE).eval()
    words, forced = torch.randn(2, 5, 1152), torch.tensor([0, 2])
    valid = torch.ones(2, 5, dtype=torch.bool)
    short, types = reader(words, valid, forced)
    longer = torch.cat([words, torch.randn(2, 3, 1152)], 1)
    padded, also = reader(longer, torch.nn.functional.pad(valid, (0, 3)), forced)
    assert torch.allclose(padded[:, :5], short, atol=1e-5)
    assert torch.allclose(also, types, atol=1e-5)
    assert not torch.allclose(reader(words, valid, 0 * forced)[1][1], types[1], atol=1e-3)


def test_tokens_of_a_grid_lie_row_by_row() -> None:
    features = torch.zeros(1, 4, 6, 8)
    features[0, 2:, :3] = 5
    tokens = grid_tokens(features, (2, 2)) - grid_tokens(0 * features, (2, 2))
    assert tokens.shape == (1, 4, 8)
    assert torch.allclose(tokens[0, :, 0], torch.tensor([0.0, 0.0, 5.0, 0.0]), atol=1e-5)


def test_pooling_averages_under_each_mask() -> None:
    features = torch.arange(8.0).reshape(1, 1, 2, 4)
    masks = torch.zeros(1, 3, 4, 8, dtype=torch.bool)
    masks[0, 0, :2, :2] = True  # one cell
    masks[0, 1, :, 6:] = True  # the last column
    assert pool_masks(features, masks)[0, :, 0].tolist() == [0.0, 5.0, 0.0]
    assert pool_masks(features, masks[:, :0]).shape == (1, 0, 1)


def test_places_of_the_plane_differ() -> None:
    places = plane_positions(torch.zeros(1, 3, 4), 16).flatten(1)
    assert places.shape == (16, 12)
    assert (torch.cdist(places.T, places.T) + torch.eye(12) > 0.1).all()
