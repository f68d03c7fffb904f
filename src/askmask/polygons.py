"""Polygons to masks, pixel by pixel as the COCO tools fill them.

COCO's annotations were drawn as polygons and measured with its own rasteriser, so areas and masks
agree with published figures only when the same pixels are filled. It walks each edge on a grid five
times as fine and notes where the walk crosses the centre of a pixel column: these crossings are the
edges of the run-length code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError
from askmask.rle import RLE

__all__ = ["FINER", "column_crossings", "fill_polygons", "walk_edges"]

FINER = 5
"""Steps a pixel in which edges are walked."""

_MAX_STEPS = 2_000_000
"""Longest outline that is walked, in such steps; bounds the memory that a file can claim."""

_Ints = NDArray[np.int64]


def walk_edges(starts: _Ints, ends: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Points of edges on the fine grid, one a step along each edge's longer axis.

    Args:
        starts: (K, 2) x, y on the fine grid.
        ends: (K, 2) other than the starts.

    Returns:
        u, v: x and y of all points, edge by edge; and which edge each is of.
    """
    reach = np.abs(ends - starts)
    longer = (reach[:, 1] > reach[:, 0]).astype(np.int64)
    edge = np.arange(len(starts))
    length = reach[edge, longer]
    backwards = starts[edge, longer] > ends[edge, longer]  # walked from end to start, in reverse
    low = np.where(backwards[:, None], ends, starts)
    rise = np.where(backwards, -1, 1) * (ends - starts)[edge, 1 - longer]
    slope = rise / np.maximum(length, 1)
    points = length + 1
    of = np.repeat(edge, points)
    step = np.arange(len(of)) - np.repeat(np.cumsum(points) - points, points)
    step = np.where(backwards[of], length[of] - step, step)
    along = low[edge, longer][of] + step
    # Truncation, not rounding down, is what the reference does with negative places.
    across = np.trunc(low[edge, 1 - longer][of] + slope[of] * step + 0.5).astype(np.int64)
    in_x = longer[of] == 0
    return np.where(in_x, along, across), np.where(in_x, across, along), of


def column_crossings(
    u: _Ints, v: _Ints, moved: NDArray[np.intp], height: int | _Ints, width: int | _Ints
) -> tuple[_Ints, NDArray[np.bool_]]:
    """Where walks cross the centres of pixel columns.

    Args:
        u: x of the points of the walks.
        v: y of them.
        moved: (M,) places at which u is not what it was before.
        height: of the picture, or (M,) of the pictures.
        width: likewise.

    Returns:
        (M,) positions x * H + y, and (M,) whether the walk crosses a centre there.
    """
    x = (np.where(u[moved] < u[moved - 1], u[moved], u[moved] - 1) + 0.5) / FINER - 0.5
    y = (np.minimum(v[moved], v[moved - 1]) + 0.5) / FINER - 0.5
    y = np.ceil(np.clip(y, 0, height))
    positions: _Ints = x.astype(np.int64) * height + y.astype(np.int64)
    return positions, (x == np.floor(x)) & (x >= 0) & (x <= width - 1)


def _corners(points_xy: NDArray[np.float64], where: str) -> _Ints:
    """(K, 2) corners on the fine grid."""
    corners: _Ints = np.trunc(FINER * points_xy + 0.5).astype(np.int64)
    steps = int(np.abs(corners - np.roll(corners, -1, axis=0)).max(axis=1).sum())
    if steps > _MAX_STEPS:
        raise DataError(
            f"{where}: expected outlines of at most {_MAX_STEPS // FINER:,} pixels, got one of "
            f"{steps // FINER:,}"
        )
    return corners


def _crossings(corners: _Ints, size_hw: tuple[int, int]) -> _Ints:
    """Positions x * H + y at which the outline crosses the centres of pixel columns."""
    ends = np.roll(corners, -1, axis=0)
    moves = (corners != ends).any(1)
    u, v, _ = walk_edges(corners[moves], ends[moves])
    positions, centred = column_crossings(u, v, np.flatnonzero(u[1:] != u[:-1]) + 1, *size_hw)
    return positions[centred]


def _fill(corners: _Ints, size_hw: tuple[int, int]) -> RLE:
    """Mask of one polygon, (K, 2) corners on the fine grid."""
    edges, times = np.unique(_crossings(corners, size_hw), return_counts=True)
    edges = edges[(times % 2 == 1) & (edges < size_hw[0] * size_hw[1])]
    runs = np.diff(edges, prepend=0, append=size_hw[0] * size_hw[1])
    return rle.from_counts(runs.tolist(), size_hw)


def _numbers(polygon: object) -> NDArray[np.float64]:
    """The values of a polygon, or none when they are no numbers."""
    try:
        values = np.array(polygon)
    except ValueError:  # a list of lists of different lengths
        return np.zeros(0)
    return values.astype(np.float64) if values.dtype.kind in "iuf" else np.zeros(0)


def fill_polygons(
    polygons: Sequence[Sequence[float]], size_hw: tuple[int, int], where: str = "segmentation"
) -> RLE:
    """Mask of all pixels inside any of the polygons.

    Args:
        polygons: each a flat list x1, y1, x2, y2, … in pixels, of three corners or more; parts
            outside the picture are cut off. No polygon gives an empty mask.
        size_hw: height and width of the picture.
        where: file and record, for messages.

    Raises:
        DataError: when a polygon is no list of finite numbers in pairs, its outline or the picture
            too large.
    """
    if not 0 < size_hw[0] * size_hw[1] <= rle.MAX_PIXELS:
        raise DataError(
            f"{where}: expected a picture of 1 to {rle.MAX_PIXELS:,} pixels, got height and width "
            f"{list(size_hw)}"
        )
    filled = []
    for polygon in polygons:
        flat = _numbers(polygon)
        if flat.ndim != 1 or len(flat) < 6 or len(flat) % 2 or not np.isfinite(flat).all():
            raise DataError(
                f"{where}: expected polygons [x1, y1, x2, y2, x3, y3, …] in pixels, got one of "
                f"{len(polygon) if isinstance(polygon, list) else type(polygon).__name__} values"
            )
        reach = 4 * max(size_hw)
        points_xy = np.clip(flat, -reach, reach).reshape(-1, 2)
        filled.append(_fill(_corners(points_xy, where), size_hw))
    return filled[0] if len(filled) == 1 else rle.union(filled, size_hw)
