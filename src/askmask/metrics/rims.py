"""Rims of masks: the pixels near their outline, from which boundary IoU is computed.

Only the columns that hold masks are painted; the rest of the picture is background.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["DILATION_RATIO", "rim", "rim_areas", "rim_width"]

DILATION_RATIO = 0.02
"""Width of the rim as a share of the picture's diagonal, as in the official code."""

_Ints = NDArray[np.int64]


def rim_width(size_hw: tuple[int, int]) -> int:
    """Width of the rim in pixels, at least 1."""
    return max(1, round(DILATION_RATIO * math.hypot(*size_hw)))


def _shrunk(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Keep what has only mask up to `distance` before and behind it on the first axis."""
    height, width = mask.shape
    wide = np.zeros((height + 2 * distance, width), bool)
    wide[distance : distance + height] = mask
    span, window = 1, 2 * distance + 1
    while span < window:
        step = min(span, window - span)
        wide = wide[:-step] & wide[step:]
        span += step
    return wide


def rim(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return the pixels of `mask`, (H, W) bool, with background in the square around them.

    The square reaches `distance` pixels to each side; outside of the array is background.
    """
    return mask & ~_shrunk(_shrunk(mask, distance).T, distance).T


def _painted(edges: _Ints, columns: tuple[int, int], height: int) -> NDArray[np.bool_]:
    """Union of masks between two columns, (columns, height) bool; their `edges` end to end."""
    left, right = columns
    steps = np.zeros((right - left) * height + 1, np.int32)
    at = np.clip(edges - left * height, 0, len(steps) - 1)
    np.add.at(steps, at[0::2], 1)
    np.subtract.at(steps, at[1::2], 1)
    depth = np.cumsum(steps[:-1], dtype=np.int32)
    return (depth > 0).reshape(right - left, height)


def rim_areas(
    predicted: _Ints, target: _Ints, ignored: _Ints, size_hw: tuple[int, int]
) -> tuple[int, int]:
    """Count the pixels in both rims and in either, without ignored pixels.

    Args:
        predicted: edges of the predicted masks end to end, see `Edges`; they are fused.
        target: edges of the target masks.
        ignored: edges of the ignore region. Its border makes no rim.
        size_hw: of the picture.
    """
    height = size_hw[0]
    both = np.concatenate((predicted, target))
    if not len(both):
        return 0, 0
    columns = int(both[0::2].min()) // height, -(-int(both[1::2].max()) // height)
    width = rim_width(size_hw)
    rims = [rim(_painted(edges, columns, height), width) for edges in (predicted, target)]
    common, either = rims[0] & rims[1], rims[0] | rims[1]
    if len(ignored):
        scored = ~_painted(ignored, columns, height)
        common, either = common & scored, either & scored
    return int(common.sum()), int(either.sum())
