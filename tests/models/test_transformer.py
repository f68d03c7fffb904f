"""Attention is the same in float32 and, written as products, in bfloat16 on a CPU."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from askmask.models.transformer import Attention


@pytest.fixture
def seen() -> torch.Tensor:
    """Places that see some of five sources; the last sees none."""
    seen = torch.ones(1, 1, 4, 5, dtype=torch.bool)
    seen[..., 1, 2:], seen[..., 3, :] = False, False
    return seen


@pytest.fixture
def attention() -> Attention:
    torch.manual_seed(0)
    return Attention(16, 2)


def mixed(attention: Attention, seen: torch.Tensor, half: bool) -> tuple[torch.Tensor, ...]:
    """What comes out, and the gradient of its sum with respect to what goes in."""
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(2, 4, 16, generator=chance, requires_grad=True)
    source = torch.randn(2, 5, 16, generator=chance)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        result = attention(x, source, seen)
    result.float().square().sum().backward()
    assert x.grad is not None
    return result.float(), x.grad


def test_bfloat16_gives_nearly_the_same(attention: Attention, seen: torch.Tensor) -> None:
    for half, full in zip(
        mixed(attention, seen, half=True), mixed(attention, seen, half=False), strict=True
    ):
        torch.testing.assert_close(half, full, atol=0.02, rtol=0.02)


def test_a_place_that_sees_nothing_takes_nothing(attention: Attention, seen: torch.Tensor) -> None:
    for half in (False, True):
        result, _ = mixed(attention, seen, half)
        torch.testing.assert_close(
            result[:, 3], attention.output.bias.expand(2, -1), atol=0.01, rtol=0.01
        )
