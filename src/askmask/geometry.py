"""Outlines of masks: traced along the edges of pixels, bridged over holes, filled again.

Tools disagree on where a polygon's corners lie. COCO's rasteriser takes the plane, in which a pixel
is a square: there an outline follows the *edges* of pixels. OpenCV's and Pillow's polygons run
through the *centres* of pixels and include all that they touch. One trace gives both, and in either
convention filling the outlines gives back the mask, pixel by pixel.

A polygon has one outline, so a hole is joined to what surrounds it by a *bridge*: a line that is
walked twice. Along edges it has no width, and through centres it runs over pixels of the mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError, ShapeError

__all__ = ["centre_polygons", "count_holes", "edge_polygons", "fill_centres", "join_parts"]

_Ints = NDArray[np.int64]

_STEP_XY = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
"""Right, down, left, up."""

_PIXEL_XY = np.array([(0, 0), (-1, 0), (-1, -1), (0, -1)])
"""From where a step in that direction starts to the mask's pixel on its right hand."""

_DOWN, _UP = 1, 3

_MAX_STEPS = 10_000_000
"""Longest outline that is filled, in pixels; bounds the memory that a file can claim."""


@dataclass
class _Loop:
    """A closed walk along pixel edges, with the mask on its right hand.

    Attributes:
        start_xy: (K, 2) where each step of length 1 begins.
        direction: (K,) 0 right, 1 down, 2 left, 3 up.
        bridged: what to walk after a step, before the next one: the way around a hole.
    """

    start_xy: _Ints
    direction: _Ints
    bridged: dict[int, _Ints] = field(default_factory=dict)

    @property
    def is_hole(self) -> bool:
        """Whether it surrounds background, counterclockwise."""
        x, y = self.start_xy.T
        dx, dy = _STEP_XY[self.direction].T
        return int((x * dy - y * dx).sum()) < 0

    def points_xy(self, through_centres: bool) -> tuple[_Ints, _Ints]:
        """What each step is in the polygon, and where a bridge may arrive before it."""
        if through_centres:
            pixels = self.start_xy + _PIXEL_XY[self.direction]
            return pixels, pixels
        return self.start_xy + _STEP_XY[self.direction], self.start_xy

    def walk_xy(self, through_centres: bool, first: int = 0) -> _Ints:
        """Points of the walk from step `first` back to it, with what is bridged to it."""
        points, arrivals = self.points_xy(through_centres)
        order = np.roll(np.arange(len(points)), -first)
        path = [arrivals[first : first + 1]]
        done = 0
        for place in sorted(self.bridged, key=lambda place: (place - first) % len(points)):
            until = (place - first) % len(points) + 1
            path += [points[order[done:until]], self.bridged[place], points[place : place + 1]]
            done = until
        return np.concatenate([*path, points[order[done:]], arrivals[first : first + 1]])


def _steps(mask: NDArray[np.bool_]) -> tuple[_Ints, _Ints]:
    """All steps between mask and background: starts (K, 2) and directions (K,)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    top, left_side = rows[0], columns[0]
    framed = np.pad(mask[top : rows[-1] + 1, left_side : columns[-1] + 1], 1)
    inside, above, left = framed[1:, 1:], framed[:-1, 1:], framed[1:, :-1]
    starts, directions = [], []
    sides = (inside & ~above, left & ~inside, above & ~inside, inside & ~left)
    for direction, found in enumerate(sides):
        corner_xy = np.argwhere(found)[:, ::-1] + (left_side, top)
        starts.append(corner_xy - np.minimum(_STEP_XY[direction], 0))
        directions.append(np.full(len(corner_xy), direction))
    return np.concatenate(starts), np.concatenate(directions)


def _successors(start_xy: _Ints, direction: _Ints) -> _Ints:
    """Number of the step that follows each step.

    Where two pixels touch at a corner only, the walk turns right and so stays with its pixel.
    """
    end_xy = start_xy + _STEP_XY[direction]
    wide = int(start_xy[:, 0].max()) + 1
    key = (start_xy[:, 1] * wide + start_xy[:, 0]) * 4 + direction
    order = np.argsort(key)
    successor = np.zeros(len(key), np.int64)
    for turn in (-1, 0, 1):  # the last that exists counts: right before straight before left
        wanted = (end_xy[:, 1] * wide + end_xy[:, 0]) * 4 + (direction + turn) % 4
        place = np.minimum(np.searchsorted(key, wanted, sorter=order), len(key) - 1)
        exists = key[order[place]] == wanted
        successor[exists] = order[place[exists]]
    return successor


def _loops(mask: NDArray[np.bool_]) -> list[_Loop]:
    """All closed walks of a mask, (H, W) bool; none for an empty one."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ShapeError(f"mask: expected (H, W) bool, got {mask.shape} {mask.dtype}")
    start_xy, direction = _steps(mask)
    if not len(direction):
        return []
    successor = _successors(start_xy, direction).tolist()
    seen = bytearray(len(successor))
    loops = []
    for first in range(len(successor)):
        walk = []
        at = first
        while not seen[at]:
            seen[at] = 1
            walk.append(at)
            at = successor[at]
        if walk:
            loops.append(_Loop(start_xy[walk], direction[walk]))
    return loops


def _leftmost(hole: _Loop) -> int:
    """Number of a step down the left side of a hole, at its leftmost."""
    downward = np.flatnonzero(hole.direction == _DOWN)
    return int(downward[np.argmin(hole.start_xy[downward, 0])])


def _polygons(mask: NDArray[np.bool_], through_centres: bool) -> list[_Ints]:
    """One closed polygon, (K, 2) x, y, for each part of the mask, with its holes bridged.

    From the leftmost side of a hole the way left leads over pixels of the mask to another walk,
    which is the outer one or surrounds a hole further left, so that no circle can close. Holes are
    taken from right to left: each is complete when it is joined to its neighbour.
    """
    loops = _loops(mask)
    holes = [(loop, _leftmost(loop)) for loop in loops if loop.is_hole]
    holes.sort(key=lambda hole: -int(hole[0].start_xy[hole[1], 0]))
    upward: dict[tuple[int, int], tuple[_Loop, int]] = {}
    for loop in loops if holes else ():
        for place in np.flatnonzero(loop.direction == _UP).tolist():
            x, y = loop.start_xy[place].tolist()
            upward[x, y - 1] = loop, place
    for hole, first in holes:
        x, y = hole.start_xy[first].tolist()
        reach = int(np.argmin(mask[y, :x][::-1])) or x  # 0: the mask goes on to the border
        target, place = upward[x - reach, y]
        target.bridged[place] = hole.walk_xy(through_centres, first)
    outer = (loop for loop in loops if not loop.is_hole)
    return [_corners(loop.walk_xy(through_centres)) for loop in outer]


def _corners(path_xy: _Ints) -> _Ints:
    """Leave out points where a closed path does not turn; its lines are of slope 0, 1 or none."""
    moved = np.any(path_xy != np.roll(path_xy, 1, axis=0), axis=1)
    if not moved.any():
        return path_xy[:1]
    path_xy = path_xy[moved]
    towards = np.sign(np.roll(path_xy, -1, axis=0) - path_xy)
    return path_xy[np.any(towards != np.roll(towards, 1, axis=0), axis=1)]


def edge_polygons(mask: NDArray[np.bool_]) -> list[_Ints]:
    """Trace a mask along the edges of its pixels, as COCO's rasteriser takes polygons.

    Args:
        mask: (H, W) bool.

    Returns:
        One polygon (K, 2) int64 of x, y for each part whose pixels share sides; holes are bridged.
        x is in [0, W], y in [0, H]. Filled by `polygons.fill_polygons` they are the mask.
    """
    return _polygons(mask, through_centres=False)


def centre_polygons(mask: NDArray[np.bool_]) -> list[_Ints]:
    """Trace a mask through the centres of its border pixels, as OpenCV and Pillow take polygons.

    Args:
        mask: (H, W) bool.

    Returns:
        One polygon (K, 2) int64 of x, y for each part whose pixels share sides; holes are bridged.
        x is in [0, W), y in [0, H). K is 3 or more: what is a point or a line repeats its last one.
        Filled by `fill_centres` they are the mask.
    """
    polygons = _polygons(mask, through_centres=True)
    return [np.pad(one, ((0, max(0, 3 - len(one))), (0, 0)), mode="edge") for one in polygons]


def count_holes(mask: NDArray[np.bool_]) -> int:
    """Count the holes of a mask, (H, W) bool: background that does not reach the border."""
    return sum(loop.is_hole for loop in _loops(mask))


def _lines(polygon_xy: _Ints) -> tuple[_Ints, _Ints]:
    """Pixels x, y of the closed outline, one a step along the longer axis of each line."""
    following = np.roll(polygon_xy, -1, axis=0)
    steps = np.abs(following - polygon_xy).max(axis=1)
    owner = np.repeat(np.arange(len(steps)), steps + 1)
    first = np.cumsum(steps + 1) - (steps + 1)
    share = (np.arange(len(owner)) - first[owner]) / np.maximum(steps, 1)[owner]
    points = polygon_xy[owner] + share[:, None] * (following - polygon_xy)[owner]
    rounded = np.floor(points + 0.5).astype(np.int64)
    return rounded[:, 0], rounded[:, 1]


def fill_centres(
    polygons: Sequence[_Ints], size_hw: tuple[int, int], where: str = "polygon"
) -> NDArray[np.bool_]:
    """Fill polygons whose corners are pixels, with the pixels that their outlines touch.

    Args:
        polygons: (K, 2) int64 of x, y each, K of 1 or more; parts outside the picture are cut off.
        size_hw: height and width of the picture.
        where: file and record, for messages.

    Returns:
        (H, W) bool, the pixels in any of the polygons; inside is what an outline goes around an
        odd number of times.

    Raises:
        DataError: when an outline is too long.
    """
    height, width = size_hw
    filled = np.zeros(size_hw, bool)
    for polygon in polygons:
        steps = int(np.abs(polygon - np.roll(polygon, -1, axis=0)).max(axis=1).sum())
        if steps > _MAX_STEPS:
            raise DataError(
                f"{where}: expected an outline of at most {_MAX_STEPS:,} pixels, got {steps:,}"
            )
        x, y = _lines(polygon)
        shown = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        inside = _odd(polygon, size_hw)
        inside[y[shown], x[shown]] = True
        filled |= inside
    return filled


def _odd(polygon_xy: _Ints, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose way to the left crosses the outline an odd number of times, (H, W) bool."""
    height, width = size_hw
    start, end = polygon_xy, np.roll(polygon_xy, -1, axis=0)
    upper = np.where((start[:, 1] < end[:, 1])[:, None], start, end)
    lower = np.where((start[:, 1] < end[:, 1])[:, None], end, start)
    top = np.clip(upper[:, 1], 0, height)  # a line counts in rows top to bottom - 1
    rows = np.clip(lower[:, 1], 0, height) - top
    owner = np.repeat(np.arange(len(rows)), rows)
    row = top[owner] + np.arange(len(owner)) - (np.cumsum(rows) - rows)[owner]
    run = (lower - upper)[owner].astype(np.float64)
    x = upper[owner, 0] + (row - upper[owner, 1]) * run[:, 0] / run[:, 1]
    crossings = np.zeros((height, width + 1), np.int64)
    np.add.at(crossings, (row, np.clip(np.ceil(x), 0, width).astype(np.int64)), 1)
    odd: NDArray[np.bool_] = np.cumsum(crossings, axis=1)[:, :width] % 2 == 1
    return odd


def join_parts(polygons: Sequence[_Ints]) -> _Ints:
    """Join polygons to one, by bridges of a horizontal and a vertical line from part to part.

    Each part is joined where its corners come nearest to those before it. Rasterisers that include
    the outline draw the bridges: this is what a format of one polygon an object costs.

    Args:
        polygons: (K, 2) int64 of x, y each, one or more.

    Returns:
        (K, 2) int64.
    """
    joined = max(polygons, key=len)
    for polygon in sorted((one for one in polygons if one is not joined), key=len, reverse=True):
        distance = np.abs(joined[:, None] - polygon[None]).sum(axis=2)
        here, there = divmod(int(distance.argmin()), len(polygon))
        part = np.concatenate((polygon[there:], polygon[: there + 1]))
        elbow = np.array([[polygon[there, 0], joined[here, 1]]])
        bridge = (joined[: here + 1], elbow, part, elbow, joined[here:])
        joined = np.concatenate(bridge)
    return joined
