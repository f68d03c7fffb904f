"""The small language model: it looks back only, and memory and padding change nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from askmask.models.causal import CausalTransformer, interleaved
from askmask.models.trunk import SIZES

SIZE = SIZES["tiny"]()


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(3)


def test_it_looks_back_only() -> None:
    net = CausalTransformer(SIZE).eval()
    tokens, valid = torch.randn(1, 6, SIZE.width), torch.ones(1, 6, dtype=torch.bool)
    before, _ = net(tokens, valid)
    changed = tokens.clone()
    changed[:, 4] += torch.randn(SIZE.width)
    after, _ = net(changed, valid)
    assert torch.allclose(after[:, :4], before[:, :4], atol=1e-5)
    assert not torch.allclose(after[:, 4:], before[:, 4:], atol=1e-2)


def test_memory_gives_the_same_as_the_whole() -> None:
    net = CausalTransformer(SIZE).eval()
    tokens = torch.randn(2, 7, SIZE.width)
    valid = torch.tensor([[1, 1, 0, 1, 1, 1, 0], [1] * 7]).bool()
    whole, _ = net(tokens, valid)
    _, memory = net(tokens[:, :3], valid[:, :3])
    middle, memory = net(tokens[:, 3:5], valid[:, 3:5], memory)
    last, _ = net(tokens[:, 5:], valid[:, 5:], memory)
    assert torch.allclose(torch.cat([middle, last], 1), whole[:, 3:], atol=1e-5)


def test_sequences_that_begin_alike_share_what_was_read() -> None:
    net = CausalTransformer(SIZE).eval()
    begins, ends = torch.randn(2, 4, SIZE.width), torch.randn(3, 2, SIZE.width)
    rows, valid = torch.tensor([1, 0, 1]), torch.ones(3, 6, dtype=torch.bool)
    joined = torch.cat([begins[rows], ends], 1)
    whole, _ = net(joined, valid)
    begun = net.begin(begins).of(rows)
    shared, _ = net(ends, valid[:, 4:], begun)
    assert torch.allclose(shared, whole[:, 4:], atol=1e-5)
    maps = net.attention_maps(ends, valid[:, 4:], begun)
    assert torch.allclose(maps, net.attention_maps(joined, valid)[..., 4:, :], atol=1e-5)


def test_what_is_padded_inside_takes_no_position() -> None:
    net = CausalTransformer(SIZE).eval()
    tokens, hole = torch.randn(1, 4, SIZE.width), torch.randn(1, 2, SIZE.width)
    dense, _ = net(tokens, torch.ones(1, 4, dtype=torch.bool))
    holed = torch.cat([tokens[:, :2], hole, tokens[:, 2:]], 1)
    sparse, _ = net(holed, torch.tensor([[1, 1, 0, 0, 1, 1]]).bool())
    assert torch.allclose(sparse[:, [0, 1, 4, 5]], dense, atol=1e-5)


def test_attention_maps_are_causal_and_sum_to_one() -> None:
    net = CausalTransformer(SIZE).eval()
    valid = torch.tensor([[1, 1, 0, 1, 1]]).bool()
    maps = net.attention_maps(torch.randn(1, 5, SIZE.width), valid)
    assert maps.shape == (1, SIZE.layers, SIZE.heads, 5, 5)
    assert torch.allclose(maps.sum(-1), torch.ones(maps.shape[:-1]), atol=1e-5)
    assert (maps.triu(1) == 0).all()
    assert (maps[..., 3:, 2] == 0).all()


def test_tokens_stand_behind_the_words_that_they_belong_to() -> None:
    words = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])[..., None]
    valid = torch.tensor([[True] * 3, [True, True, False]])
    spots = torch.tensor([[2, 0], [0, -1]])
    tokens = [torch.tensor([[10.0, 20.0], [30.0, 0.0]])[..., None] * scale for scale in (1, 10)]
    text, known = interleaved(words, valid, spots, tokens)
    assert text[0, :, 0].tolist() == [1, 20, 200, 2, 3, 10, 100]
    assert text[1, known[1], 0].tolist() == [4, 30, 300, 5]
    assert known[1].tolist() == [True] * 4 + [False] * 3
