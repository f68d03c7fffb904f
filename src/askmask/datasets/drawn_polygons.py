"""Polygons to masks, pixel by pixel as OpenCV draws and fills them.

ReasonSeg's masks are defined by the calls `polylines` and `fillPoly` on whole pixels, so only the
same pixels give published scores. OpenCV draws the outline with Bresenham's lines, which belong to
the mask, and fills each row between its crossings, kept with 16 bits behind the point. Ends outside
the picture are moved to its border first, which turns these lines a little; so it is done here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError

__all__ = ["MAX_COORDINATE", "draw_polygon"]

MAX_COORDINATE = 1_000_000
"""Farthest corner that is accepted, in pixels."""

_BITS = 16
_Ints = NDArray[np.int64]
_Point = tuple[int, int]


def _quotient(numerator: int, denominator: int) -> int:
    """Whole quotient, rounded towards 0 as C does."""
    size = abs(numerator) // abs(denominator)
    return size if (numerator < 0) == (denominator < 0) else -size


def _beyond(x: int, y: int, right: int, bottom: int) -> int:
    """Sides on which a point lies outside: 1 left, 2 right, 4 above, 8 below."""
    return (x < 0) + 2 * (x > right) + 4 * (y < 0) + 8 * (y > bottom)


def _clip(start: _Point, end: _Point, size_hw: tuple[int, int]) -> tuple[_Point, _Point, bool]:
    """Move the ends of a line to the picture's border; False when the line lies outside.

    Ends are moved first in y and then in x, each with the other as it then is, and even where the
    line turns out to lie outside: the filling goes by the moved ends.
    """
    right, bottom = size_hw[1] - 1, size_hw[0] - 1
    ends = [list(start), list(end)]
    sides = [_beyond(*start, right, bottom), _beyond(*end, right, bottom)]
    for axis, mask in ((1, 12), (0, 3)):
        if sides[0] & sides[1] or not (sides[0] | sides[1]):
            break
        for this in (0, 1):
            if not sides[this] & mask:
                continue
            (x, y), (other_x, other_y) = ends[this], ends[1 - this]
            if axis == 1:
                border = 0 if sides[this] < 8 else bottom
                x += int((border - y) * (other_x - x) / (other_y - y))
                y = border
            else:
                border = 0 if sides[this] == 1 else right
                y += int((border - x) * (other_y - y) / (other_x - x))
                x = border
            ends[this] = [x, y]
            sides[this] = (x < 0) + 2 * (x > right) if axis == 1 else 0
    (x0, y0), (x1, y1) = ends
    return (x0, y0), (x1, y1), not (sides[0] | sides[1])


def _line(start: _Point, end: _Point) -> tuple[_Ints, _Ints]:
    """Columns and rows of Bresenham's line, walked from left to right."""
    (x0, y0), (x1, y1) = (start, end) if start[0] <= end[0] else (end, start)
    dx, dy = x1 - x0, abs(y1 - y0)
    long, short = max(dx, dy), min(dx, dy)
    step = np.arange(long + 1)
    aside = (2 * short * step + max(long - 1, 0)) // max(2 * long, 1)
    along_x, along_y = (step, aside) if dx >= dy else (aside, step)
    return x0 + along_x, y0 + (along_y if y1 >= y0 else -along_y)


def _rows(start: _Point, end: _Point, height: int, ends: tuple[_Point, _Point]) -> _Ints:
    """(K, 2) row and column, the latter times 2**16, where an edge crosses the picture's rows.

    Args:
        start: first corner of the edge.
        end: its other corner, in another row.
        height: rows of the picture.
        ends: both corners as they were moved to the border.
    """
    (x0, y0), (x1, y1) = ends
    if y0 == y1:  # moved to one row: only the columns are taken from there
        y0, y1 = start[1], end[1]
    slope = _quotient((x1 - x0) << _BITS, y1 - y0)
    top, (x, y) = (start[1], (x0, y0)) if start[1] < end[1] else (end[1], (x1, y1))
    row = np.arange(max(top, 0), min(max(start[1], end[1]), height))
    return np.stack((row, (x << _BITS) + (row - y) * slope), axis=1)


def _fill(mask: NDArray[np.bool_], crossings: _Ints) -> None:
    """Set the pixels between a row's first and second crossing, its third and fourth, and so on."""
    crossings = crossings[np.lexsort((crossings[:, 1], crossings[:, 0]))]
    left, right = crossings[0::2], crossings[1::2]
    first = np.maximum((left[:, 1] + (1 << _BITS) - 1) >> _BITS, 0)
    end = np.clip((right[:, 1] >> _BITS) + 1, 0, mask.shape[1])
    for row, start, stop in zip(left[:, 0], first, end, strict=True):
        mask[row, start:stop] = True


def _corners(points_xy: Sequence[Sequence[float]], where: str) -> list[_Point]:
    """Corners on whole pixels, cut off towards 0 as the reference does."""
    try:
        points = np.array(points_xy, np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.zeros(0)
    inside = np.isfinite(points).all() and (np.abs(points) <= MAX_COORDINATE).all()
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not inside:
        raise DataError(
            f"{where}: expected points [[x, y], …] of at most {MAX_COORDINATE:,} pixels, got "
            f"{len(points_xy) if isinstance(points_xy, list) else type(points_xy).__name__}"
        )
    return [(int(x), int(y)) for x, y in points]


def draw_polygon(
    points_xy: Sequence[Sequence[float]], size_hw: tuple[int, int], where: str = "polygon"
) -> NDArray[np.bool_]:
    """Draw a polygon with its outline; one or two points give a dot or a line.

    Args:
        points_xy: corners in pixels, fractions cut off; parts outside the picture are left out.
        size_hw: height and width of the picture.
        where: file and record, for messages.

    Returns:
        (H, W) bool.

    Raises:
        DataError: when the points are no pairs of finite numbers, or too far away.
    """
    mask = np.zeros(size_hw, bool)
    corners = _corners(points_xy, where)
    crossings = []
    for start, end in zip((corners[-1], *corners[:-1]), corners, strict=True):
        near, far, shows = _clip(start, end, size_hw)
        if shows:
            columns, rows = _line(near, far)
            mask[rows, columns] = True
        if start[1] != end[1]:
            crossings.append(_rows(start, end, size_hw[0], (near, far)))
    if crossings:
        _fill(mask, np.concatenate(crossings))
    return mask
