"""Non-maximum suppression of boxes and masks: all pairs at once, no compiled operation."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["box_iou", "mask_iou", "suppress"]

_PIXELS = 8192
"""Pixels of all masks that are compared at once; bounds the memory."""


def box_iou(boxes_xyxy: Tensor) -> Tensor:
    """Intersection over union of each pair of boxes.

    Args:
        boxes_xyxy: (…, N, 4) float; a box whose right or lower side comes first is empty.

    Returns:
        (…, N, N); 0 where both boxes are empty.
    """
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    common_low = torch.maximum(low[..., :, None, :], low[..., None, :, :])
    common_high = torch.minimum(high[..., :, None, :], high[..., None, :, :])
    area = (high - low).clamp(min=0).prod(-1)
    return _ratio((common_high - common_low).clamp(min=0).prod(-1), area)


def mask_iou(masks: Tensor) -> Tensor:
    """Intersection over union of each pair of masks.

    Args:
        masks: (N, h, w) bool.

    Returns:
        (N, N) float32; 0 where both masks are empty.
    """
    flat = masks.flatten(1)
    common = torch.zeros(len(flat), len(flat), device=masks.device)
    for start in range(0, flat.shape[1], _PIXELS):
        pixels = flat[:, start : start + _PIXELS].float()
        common += pixels @ pixels.T
    return _ratio(common, flat.sum(1).float())


def suppress(overlap: Tensor, score: Tensor, threshold: float) -> Tensor:
    """Keep what no better kept one overlaps: the greedy rule, for several pictures at once.

    Deciding the best one fixes what it suppresses, that decides the next best, and so on; one round
    decides all whose betters are decided. It takes as many rounds as the longest chain in which
    each suppresses the next, seldom more than five, and not as many as there are candidates.

    Args:
        overlap: (…, N, N) symmetric, e.g. IoU.
        score: (…, N); of equals, the first is the better.
        threshold: an overlap above it suppresses.

    Returns:
        (…, N) bool, True for what is kept.
    """
    order = score.argsort(dim=-1, descending=True, stable=True)
    place = order.argsort(dim=-1)
    better = place[..., :, None] < place[..., None, :]
    suppresses = ((overlap > threshold) & better).float()
    keep = torch.ones_like(score, dtype=torch.bool)
    while True:
        decided = (keep.float()[..., None, :] @ suppresses)[..., 0, :] == 0
        if torch.equal(decided, keep):
            return keep
        keep = decided


def _ratio(common: Tensor, area: Tensor) -> Tensor:
    either = area[..., :, None] + area[..., None, :] - common
    return torch.where(either > 0, common / either, torch.zeros_like(common))
