"""Attention, and the layer that the readers and language models of the seven systems stack."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Attention", "Layer", "waves"]


class Attention(nn.Module):
    """Multi-head attention of `x` to `source`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, heads, L, C / heads)."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """Mix `source` into (B, L, C).

        Args:
            x: (B, L, C) float.
            source: (B, M, C) float.
            seen: bool, broadcast to (B, heads, L, M): what each place of `x` may look at.
        """
        return self.mix(x, self.split(self.key(source)), self.split(self.value(source)), seen)

    def mix(self, x: Tensor, keys: Tensor, values: Tensor, seen: Tensor) -> Tensor:
        """As `forward`, with keys and values (B, heads, M, C / heads) that may be kept."""
        query = self.split(self.query(x))
        if torch.is_autocast_enabled("cpu"):
            # The backward pass of the fused operator is slow there in bfloat16.
            mixed = self._shares(query, keys, seen).to(values.dtype) @ values
        else:
            mixed = functional.scaled_dot_product_attention(query, keys, values, attn_mask=seen)
        result: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return result

    def weights(self, x: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
        """The attention maps themselves, (B, heads, L, M), with keys as `mix`; rows sum to 1."""
        return self._shares(self.split(self.query(x)), keys, seen)

    @staticmethod
    def _shares(query: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
        """Share of each source in each place; none at all where a place may look at nothing."""
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])
        return scores.masked_fill(~seen, torch.finfo(scores.dtype).min).softmax(-1) * seen


class Layer(nn.Module):
    """Self-attention and an inner layer; pre-norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.inner = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(B, L, C) -> the same shape; `seen` as in `Attention`."""
        normed = self.norm(x)
        x = x + self.attention(normed, normed, seen)
        result: Tensor = x + self.inner(x)
        return result


def waves(position: Tensor, width: int) -> Tensor:
    """Sines and cosines, (..., width) float, of (...) positions (Vaswani et al. 2017, 3.5)."""
    rate = torch.arange(0, width, 2, device=position.device, dtype=torch.float32) / width
    angle = position[..., None] * torch.exp(-math.log(10_000.0) * rate)
    return torch.cat([angle.sin(), angle.cos()], -1)
