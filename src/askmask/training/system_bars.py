"""What a system's logits must pass, chosen on held-out sentences, the same way for every system.

Designs differ in how sure they are after a short training: one that gives every candidate a small
chance would say that nothing fits to nearly everything, one that gives every cell of a mask a small
chance would draw nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import torch
from torch import Tensor

from askmask.models.system import Bars, Reply, Truth, chosen_slots

__all__ = ["best_bars", "fused_iou"]

_BELONGS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.1, 0.05)
_NONE = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9, 0.05, 0.95, 0.02, 0.98)
_INSIDE = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.1, 0.05)
"""Probabilities that are tried; of equally good ones the first, so the usual one, is taken."""


def best_bars(judged: Iterable[tuple[Reply, Truth]]) -> Bars:
    """Choose the bars with the largest mean IoU of fused masks; a right "nothing fits" counts 1.

    Args:
        judged: batches of replies without bars, and what was asked for; without any, the bars are
            those of a probability of 0.5.
    """
    batches = list(judged)
    if not batches:
        return Bars()
    wanted = torch.cat([truth.none for _, truth in batches]).bool()
    nothing = torch.cat([reply.none for reply, _ in batches])
    best, found = -1.0, Bars()
    for belongs, inside in product(_BELONGS, _INSIDE):
        bars = Bars(belongs=_logit(belongs), inside=_logit(inside))
        # A bar for "nothing fits" changes no mask, so masks are fused once for all of them.
        anyway = torch.cat([_iou(reply, truth, bars) for reply, truth in batches])
        for none in _NONE:
            said = nothing > _logit(none)
            value = float(torch.where(said, wanted.float(), anyway).mean())
            if value > best + 1e-9:
                best, found = value, bars._replace(none=_logit(none))
    return found


def fused_iou(reply: Reply, chosen: Tensor, truth: Truth) -> Tensor:
    """(S,) IoU of what the chosen slots (S, K) show together with what is asked for."""
    fused = ((reply.masks > 0) & chosen[..., None, None]).any(1)
    wanted = truth.union.bool()
    return (fused & wanted).sum((1, 2)) / (fused | wanted).sum((1, 2)).clamp(min=1)


def _iou(reply: Reply, truth: Truth, bars: Bars) -> Tensor:
    """(S,) IoU of fused masks as if something fitted; 0 where nothing does."""
    something = reply._replace(none=torch.full_like(reply.none, -torch.inf)).above(bars)
    return fused_iou(something, chosen_slots(something), truth)


def _logit(probability: float) -> float:
    return float(torch.logit(torch.tensor(probability, dtype=torch.float64)))
