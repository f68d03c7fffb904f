"""Polygons of many annotations to masks at once, pixel by pixel as `fill_polygons` fills them.

Filling one polygon is some forty NumPy calls on a few hundred numbers, so their fixed cost is most
of the time. Here the outlines of hundreds of annotations lie end to end and share the calls. Each
crossing of an outline gets a key, owner times a large stride plus position in the picture, and
sorting the keys keeps the owners apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from askmask.polygons import FINER, column_crossings, walk_edges
from askmask.rle import MAX_PIXELS, RLE

__all__ = ["fill_batch"]

_REACH = 4
"""Corners are moved to at most this many sides of the picture, as `fill_polygons` does."""

_STRIDE = 1 << 28
"""More than any position: MAX_PIXELS, and a column beyond it."""

_GROUP_LIMITS = 1 << (5 * np.arange(1, 6, dtype=np.int64) - 1)
"""Smallest magnitudes that need one character more, as in `rle`."""

_Ints = NDArray[np.int64]


def _within(sizes: _Ints) -> _Ints:
    """0, 1, 2, … in each of consecutive groups of these sizes."""
    counts: _Ints = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return counts


def _walk(corners: _Ints, polygon: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Points of all outlines on the fine grid, one a step along each edge's longer axis.

    Args:
        corners: (K, 2) x, y on the fine grid, polygon by polygon.
        polygon: (K,) which polygon a corner belongs to, ascending.

    Returns:
        x, y and polygon of the points, in order.
    """
    follower = np.arange(1, len(corners) + 1)
    last = np.flatnonzero(np.diff(polygon, append=-1))
    follower[last] = np.concatenate(([0], last[:-1] + 1))
    ends = corners[follower]
    moves = (corners != ends).any(1)
    u, v, edge = walk_edges(corners[moves], ends[moves])
    return u, v, polygon[moves][edge]


def _crossings(corners: _Ints, polygon: _Ints, sizes_hw: _Ints) -> _Ints:
    """Keys, polygon and position, where outlines cross the centres of pixel columns."""
    u, v, owner = _walk(corners, polygon)
    moved = np.flatnonzero((u[1:] != u[:-1]) & (owner[1:] == owner[:-1])) + 1
    owner = owner[moved]
    positions, centred = column_crossings(u, v, moved, *sizes_hw[owner].T)
    keys: _Ints = (owner * _STRIDE + positions)[centred]
    return keys


def _edges(keys: _Ints, pixels: _Ints) -> tuple[_Ints, _Ints]:
    """Keys where each polygon's mask begins (weight 1) and ends (weight -1); all masks end."""
    keys, times = np.unique(keys, return_counts=True)
    keys = keys[times % 2 == 1]
    keys = keys[keys % _STRIDE < pixels[keys // _STRIDE]]
    count = np.bincount(keys // _STRIDE, minlength=len(pixels))
    open_ended = np.flatnonzero(count % 2)
    keys = np.sort(np.concatenate((keys, open_ended * _STRIDE + pixels[open_ended])))
    return keys, np.where(_within(count + count % 2) % 2, -1, 1)


def _union(keys: _Ints, weights: _Ints, owner_of: _Ints) -> _Ints:
    """Keys, owner and position, at which the union of each owner's polygons changes."""
    keys = owner_of[keys // _STRIDE] * _STRIDE + keys % _STRIDE
    order = np.argsort(keys, kind="stable")
    keys, depth = keys[order], np.cumsum(weights[order])
    settled = np.flatnonzero(np.diff(keys, append=-1))  # last of the edges at one position
    inside = depth[settled] > 0
    changed: _Ints = keys[settled][np.diff(inside, prepend=False)]
    return changed


def _packed(keys: _Ints, sizes_hw: Sequence[tuple[int, int]], pixels: _Ints) -> list[RLE]:
    """Codes of all owners from the keys at which their masks change."""
    keys = keys[keys % _STRIDE < pixels[keys // _STRIDE]]
    count = np.bincount(keys // _STRIDE, minlength=len(pixels)) + 1  # runs
    stop = np.cumsum(count)
    ends = np.zeros(stop[-1], np.int64)
    final = np.zeros(len(ends), bool)
    final[stop - 1] = True
    ends[final], ends[~final] = pixels, keys % _STRIDE
    place = _within(count)
    runs = np.diff(ends, prepend=0)
    runs[place == 0] = ends[place == 0]
    numbers = runs.copy()
    third = np.flatnonzero(place > 2)  # from the fourth run on: the difference to two before
    numbers[third] -= runs[third - 2]
    last = np.searchsorted(_GROUP_LIMITS, numbers ^ (numbers >> 63), side="right")
    group = np.arange(len(_GROUP_LIMITS) + 1)
    digits = (numbers[:, None] >> (5 * group)) & 31
    characters = (digits | ((group < last[:, None]) << 5)) + 48
    text = characters[group <= last[:, None]].astype(np.uint8).tobytes().decode("ascii")
    bounds = [0, *np.cumsum(last + 1)[stop - 1].tolist()]
    return [
        {"size": [*size_hw], "counts": text[start:end]}
        for size_hw, (start, end) in zip(sizes_hw, pairwise(bounds), strict=True)
    ]


def fill_batch(
    outlines: Sequence[Sequence[NDArray[np.float64]]], sizes_hw: Sequence[tuple[int, int]]
) -> list[RLE]:
    """Fill the polygons of many annotations.

    Args:
        outlines: for each annotation its polygons, each a finite flat array x1, y1, x2, y2, … in
            pixels of three corners or more. There may be none.
        sizes_hw: for each annotation height and width of its picture, 1 to MAX_PIXELS pixels.

    Returns:
        For each annotation the mask of all pixels inside any of its polygons.
    """
    if not outlines:
        return []
    sizes = np.array(sizes_hw, np.int64).reshape(-1, 2)
    pixels = sizes.prod(axis=1)
    assert pixels.max() <= MAX_PIXELS, "the caller checks sizes"
    polygons = [polygon for group in outlines for polygon in group]
    owner_of = np.repeat(np.arange(len(outlines)), [len(group) for group in outlines])
    if not polygons:
        return _packed(np.zeros(0, np.int64), sizes_hw, pixels)
    polygon = np.repeat(np.arange(len(polygons)), [len(one) // 2 for one in polygons])
    reach = _REACH * sizes.max(axis=1)[owner_of][polygon][:, None]
    points = np.clip(np.concatenate(polygons).reshape(-1, 2), -reach, reach)
    corners = np.trunc(FINER * points + 0.5).astype(np.int64)
    keys = _crossings(corners, polygon, sizes[owner_of])
    keys, weights = _edges(keys, pixels[owner_of])
    return _packed(_union(keys, weights, owner_of), sizes_hw, pixels)
