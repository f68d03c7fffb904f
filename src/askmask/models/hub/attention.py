"""Attention of a few tokens to a few others, without the matrices of all to all.

Asked for attentions, transformers keeps a matrix of all tokens by all tokens of every head of every
layer, and only with its slowest attention: with any other it returns nothing and says so in a log.
Here the fast attention does the work, and beside it the few rows that are asked for are computed
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor

from askmask.errors import ConfigError
from askmask.models.hub.loading import transformers

__all__ = ["RowsAsked", "attention_rows", "register_rows"]

_NAME = "askmask_rows"


@dataclass
class RowsAsked:
    """What attention is asked for, and what came.

    Attributes:
        rows: (R,) long, places of the tokens that look, counted from the end of what is read:
            -1 is the last.
        columns: (C,) long, places of the tokens that are looked at.
        layers: layers, in the order in which they compute.
        found: layer -> (heads, R, C) float32 shares of attention.
    """

    rows: Tensor
    columns: Tensor
    layers: frozenset[int]
    found: dict[int, Tensor] = field(default_factory=dict)


_ASKED: ContextVar[RowsAsked | None] = ContextVar("askmask_rows", default=None)


@contextmanager
def attention_rows(asked: RowsAsked) -> Iterator[RowsAsked]:
    """Collect rows of attention of what a model reads in this block, a batch of one.

    Raises:
        ConfigError: when a layer that was asked for gave none, e.g. as its model computes with
            another attention than that of `register_rows`.
    """
    token = _ASKED.set(asked)
    try:
        yield asked
    finally:
        _ASKED.reset(token)
    if missing := asked.layers - set(asked.found):
        raise ConfigError(
            f"attention: layers {sorted(missing)} gave no rows; load the model with "
            f"attn_implementation={_NAME!r}"
        )


@cache
def register_rows() -> str:
    """Teach transformers our attention; returns the name that models are loaded with."""
    library = transformers()
    fast = library.AttentionInterface()["sdpa"]

    def attend(
        module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **settings: Any
    ) -> Any:
        asked = _ASKED.get()
        if asked is not None and module.layer_idx in asked.layers:
            asked.found[module.layer_idx] = _rows(query, key, mask, settings["scaling"], asked)
        return fast(module, query, key, value, mask, **settings)

    library.AttentionInterface.register(_NAME, attend)
    masks = library.AttentionMaskInterface
    masks.register(_NAME, masks()["sdpa"])
    return _NAME


def _rows(
    query: Tensor, key: Tensor, mask: Tensor | None, scaling: float, asked: RowsAsked
) -> Tensor:
    """Shares of attention, (heads, R, C).

    Args:
        query: (1, heads, T, width).
        key: (1, key heads, K, width), of all that was read, the last T of which look.
        mask: (1, 1, T, K) bool or to be added; None where each token sees what is before it.
        scaling: of the products.
        asked: which rows and columns.
    """
    heads, shared, width = query.shape[1], key.shape[1], query.shape[3]
    looking = query[0, :, asked.rows].reshape(shared, -1, width)  # (key heads, group * R, width)
    products = (looking @ key[0].mT * scaling).float().reshape(heads, -1, key.shape[2])
    if mask is None:
        last = key.shape[2] + asked.rows[:, None]
        products = products.masked_fill(
            torch.arange(key.shape[2], device=key.device) > last, -torch.inf
        )
    else:
        seen = mask[0, :, asked.rows, : key.shape[2]]
        products = (
            products.masked_fill(~seen, -torch.inf) if seen.dtype == torch.bool else products + seen
        )
    return products.softmax(-1)[..., asked.columns]
