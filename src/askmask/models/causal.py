"""The small language model of the systems that are one, with a memory to generate tokens with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.transformer import Layer, waves
from askmask.models.trunk import TrunkSize

__all__ = ["CausalTransformer", "Memory", "interleaved", "last_state"]


class Memory(NamedTuple):
    """What a causal transformer keeps of a sequence that goes on.

    Attributes:
        keys: of each layer, (B, heads, L, C / heads).
        values: likewise.
        valid: (B, L) bool.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    valid: Tensor

    def of(self, rows: Tensor) -> Memory:
        """The memories of some sequences, (S,) long, for S that go on from them."""
        # As `each[rows]`, but quicker, backwards above all.
        keys = tuple(each.index_select(0, rows) for each in self.keys)
        values = tuple(each.index_select(0, rows) for each in self.values)
        return Memory(keys, values, self.valid.index_select(0, rows))


class CausalTransformer(nn.Module):
    """The small language model of the designs that are one: tokens of any kind, causal attention.

    Places that are not valid are looked at by nobody and take no position, so that what is padded
    changes nothing.
    """

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(size.width, size.heads) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)

    @property
    def _stack(self) -> list[Layer]:
        return cast("list[Layer]", list(self.layers))

    def forward(
        self, tokens: Tensor, valid: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """Read on.

        Args:
            tokens: (B, L, C) float.
            valid: (B, L) bool.
            past: what an earlier call returned, to go on from there.

        Returns:
            (B, L, C) hidden states, and the memory for the next call.
        """
        x, memory, _, _ = self._read(tokens, valid, past)
        return self.norm(x), memory

    def begin(self, tokens: Tensor) -> Memory:
        """Read what sequences begin with, (B, L, C), all of it valid; many may go on from it."""
        valid = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return self._read(tokens, valid, None)[1]

    def attention_maps(self, tokens: Tensor, valid: Tensor, past: Memory | None = None) -> Tensor:
        """Where each token looks: (B, layers, heads, L, L0 + L) for `forward` after L0 tokens."""
        _, memory, read, seen = self._read(tokens, valid, past)
        maps = [
            layer.attention.weights(normed, keys, seen)
            for layer, normed, keys in zip(self._stack, read, memory.keys, strict=True)
        ]
        return torch.stack(maps, 1)

    def _read(
        self, tokens: Tensor, valid: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory, list[Tensor], Tensor]:
        """States, the memory, what each layer's attention read, and what may be looked at."""
        x, seen = _placed(tokens, valid, past)
        read, keys, values = [], [], []
        for index, layer in enumerate(self._stack):
            normed = layer.norm(x)
            key, value = (
                layer.attention.split(project(normed))
                for project in (layer.attention.key, layer.attention.value)
            )
            if past is not None:
                key = torch.cat([past.keys[index], key], 2)
                value = torch.cat([past.values[index], value], 2)
            x = x + layer.attention.mix(normed, key, value, seen)
            x = x + layer.inner(x)
            read.append(normed)
            keys.append(key)
            values.append(value)
        known = valid if past is None else torch.cat([past.valid, valid], 1)
        return x, Memory(tuple(keys), tuple(values), known), read, seen


def _placed(tokens: Tensor, valid: Tensor, past: Memory | None) -> tuple[Tensor, Tensor]:
    """Tokens with their positions, and (B, 1, L, L0 + L) bool of what each may look at."""
    length = tokens.shape[1]
    known = valid if past is None else torch.cat([past.valid, valid], 1)
    before = known.shape[1] - length
    position = (known.cumsum(1) - 1).clamp(min=0)[:, before:]
    causal = torch.ones(length, known.shape[1], dtype=torch.bool, device=valid.device).tril(before)
    own = torch.eye(length, dtype=torch.bool, device=valid.device)
    own = functional.pad(own, (before, 0))  # a padded place sees itself: nothing at all is NaN
    seen = causal[None] & (known[:, None] | own[None])
    return tokens + waves(position, tokens.shape[2]), seen[:, None]


def last_state(states: Tensor, valid: Tensor) -> Tensor:
    """(B, C) of (B, L, C): the state of the last place that is valid, (B, L) bool."""
    last = (torch.arange(valid.shape[1], device=valid.device) * valid).argmax(1)
    return states[torch.arange(len(states), device=last.device), last]


def interleaved(
    words: Tensor, valid: Tensor, spots: Tensor, tokens: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Set tokens in among words.

    Args:
        words: (S, T, C) float.
        valid: (S, T) bool, False where padded.
        spots: (S, R) long, the word that each reference stands behind, or -1 for no reference.
        tokens: (S, R, C) float each; those of a reference stand behind each other.

    Returns:
        The text (S, T + R * len(tokens), C), and its validity; what is padded comes last.
    """
    given = spots >= 0
    count = words.shape[1]
    late = float(2 * count)
    place = torch.arange(count, device=words.device).expand(len(words), -1).float()
    keys = [place.masked_fill(~valid, late)]
    for index in range(len(tokens)):
        behind = (index + 1) / (len(tokens) + 1)
        keys.append((spots + behind).masked_fill(~given, late))
    sorted_keys, order = torch.cat(keys, 1).sort(dim=1, stable=True)
    parts = torch.cat([words, *tokens], 1)
    return parts.gather(1, order[..., None].expand(-1, -1, words.shape[2])), sorted_keys < late
