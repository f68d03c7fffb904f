"""Attention maps -> a few regions that a sentence may be about.

After recipes that are published in several places: subtract what is looked at whatever is asked,
keep the few heads that find things, cut at several thresholds, take connected components.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Regions", "components", "evidence", "head_worth", "regions"]

_EACH = 2
"""Components of a map at a threshold: the heaviest."""


class Regions(NamedTuple):
    """K regions for each of S sentences, the most conspicuous first.

    Attributes:
        inside: (S, K, h, w) bool.
        worth: (S, K) mean evidence inside minus mean evidence outside.
        there: (S, K) bool, False where no more regions were found.
    """

    inside: Tensor
    worth: Tensor
    there: Tensor


def evidence(asked: Tensor, generic: Tensor) -> Tensor:
    """Where a sentence draws more attention than no sentence does.

    Args:
        asked: (…, G) attention to G picture tokens.
        generic: (…, G) the same without a sentence.

    Returns:
        (…, G) in [0, 1], the largest 1; all 0 where nothing stands out.
    """
    shares = [each / each.sum(-1, keepdim=True).clamp(min=1e-9) for each in (asked, generic)]
    more = (shares[0] - shares[1]).clamp(min=0)
    return more / more.amax(-1, keepdim=True).clamp(min=1e-9)


def head_worth(maps: Tensor, wanted: Tensor) -> Tensor:
    """How well heads find targets: share of their evidence that lies on them.

    Args:
        maps: (S, …, rows, columns) evidence.
        wanted: (S, h, w) float masks.

    Returns:
        (S, …); 0 for a map without evidence.
    """
    rows, columns = maps.shape[-2:]
    share = functional.adaptive_avg_pool2d(wanted, (rows, columns))
    share = share.reshape(len(maps), *[1] * (maps.dim() - 3), rows, columns)
    return (maps * share).sum((-2, -1)) / maps.sum((-2, -1)).clamp(min=1e-9)


def components(inside: Tensor) -> Tensor:
    """Number 8-connected components.

    The largest number of a component spreads over it, a cell a round, for as many rounds as there
    are rows and columns; a component that winds further may fall apart.

    Args:
        inside: (M, h, w) bool.

    Returns:
        (M, h, w) long, 0 outside; different components have different numbers up to h * w.
    """
    count, height, width = inside.shape
    own = torch.arange(1, height * width + 1, device=inside.device).view(1, 1, height, width)
    free = inside[:, None].float()
    labels = own * free
    for _ in range(height + width if count else 0):
        labels = functional.max_pool2d(labels, 3, 1, 1) * free
    return labels[:, 0].long()


def regions(maps: Tensor, thresholds: Sequence[float], count: int, overlap: float) -> Regions:
    """Cut maps into components and keep the most conspicuous that differ.

    Args:
        maps: (S, N, h, w) evidence in [0, 1].
        thresholds: shares of a map's largest value at which it is cut.
        count: K, how many regions are kept.
        overlap: largest IoU of two that are kept.
    """
    sentences, _, height, width = maps.shape
    levels = maps.new_tensor(thresholds)[:, None, None]
    cut = maps[:, :, None] > levels * maps.amax((2, 3))[:, :, None, None, None]
    each = maps[:, :, None].expand_as(cut).flatten(0, 2)  # (S * N * T, h, w)
    labels = components(cut.flatten(0, 2))
    mass = each.new_zeros(len(each), height * width + 1)
    mass = mass.scatter_add(1, labels.flatten(1), each.flatten(1))[:, 1:]
    heaviest, number = mass.topk(min(_EACH, height * width), 1)
    inside = labels[:, None] == 1 + number[..., None, None]
    worth = _contrast(inside.float(), each[:, None])
    found = (part.reshape(sentences, -1, *part.shape[2:]) for part in (inside, worth, heaviest > 0))
    return _different(Regions(*found), count, overlap)


def _contrast(inside: Tensor, values: Tensor) -> Tensor:
    """Mean of values inside minus mean outside, (M, E) of (M, E, h, w) and (M, 1, h, w)."""
    sums, areas = (values * inside).sum((2, 3)), inside.sum((2, 3))
    everything, cells = values.sum((2, 3)), inside.shape[2] * inside.shape[3]
    return sums / areas.clamp(min=1) - (everything - sums) / (cells - areas).clamp(min=1)


def _different(found: Regions, count: int, overlap: float) -> Regions:
    """The best, then the best of those that do not overlap it, and so on."""
    flat = found.inside.flatten(2).float()
    area = flat.sum(2)
    free = found.there
    rows = torch.arange(len(flat), device=flat.device)
    kept = []
    for _ in range(count):
        pick = found.worth.masked_fill(~free, -torch.inf).argmax(1)
        there = free[rows, pick]
        kept.append(
            Regions(
                found.inside[rows, pick] & there[:, None, None],
                found.worth[rows, pick].masked_fill(~there, 0),
                there,
            )
        )
        shared = (flat @ flat[rows, pick][..., None])[..., 0]
        either = area + area[rows, pick][:, None] - shared
        free = free & (shared <= overlap * either)
    if not kept:
        none = found.worth[:, :0]
        return Regions(found.inside[:, :0], none, none.bool())
    return Regions(*(torch.stack(parts, 1) for parts in zip(*kept, strict=True)))
