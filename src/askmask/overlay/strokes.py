"""Anti-aliased strokes on masks: blending, outlines, hatching and the place for a badge."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from askmask.overlay.palette import Colour

__all__ = ["blend", "hatch", "inner_point", "outline", "window"]

# Signed distance, in standard deviations, of each 8-bit value that a blurred straight edge takes:
# the inverse of the normal distribution, tabulated once.
_GRID = np.linspace(-4, 4, 4001)
_NORMAL = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in _GRID])
_DISTANCE = np.interp(np.arange(256) / 255, _NORMAL, _GRID).astype(np.float32)


def window(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """Rows and columns of the box around `mask`, (H, W) bool, with a margin; None when empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


def blend(pixels: NDArray[np.uint8], colour: Colour, alpha: NDArray[np.floating]) -> None:
    """Mix `colour` into `pixels`, (H, W, 3) in place, by `alpha`, (H, W) in [0, 1]."""
    touched = alpha > 0
    share = alpha[touched][:, None].astype(np.float32)
    old = pixels[touched].astype(np.float32)
    pixels[touched] = np.rint(old + share * (np.array(colour, np.float32) - old)).astype(np.uint8)


def outline(mask: NDArray[np.bool_], width: float) -> NDArray[np.float32]:
    """Opacity, (H, W) float32, of a line of `width` pixels along the edge of `mask`.

    A Gaussian blur turns the edge into a ramp whose value tells the distance to the edge, which
    gives smooth lines without a distance transform. The border of the array is no edge.
    """
    sigma = max(1.0, width / 2.5)
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    blurred = np.asarray(grey.filter(ImageFilter.GaussianBlur(sigma)))
    distance = sigma * np.abs(_DISTANCE[blurred])
    opacity: NDArray[np.float32] = np.clip(width / 2 + 0.5 - distance, 0, 1)
    return opacity


def hatch(size_hw: tuple[int, ...], period: float, width: float) -> NDArray[np.float32]:
    """Opacity, (H, W) float32, of 45-degree stripes `period` pixels apart and `width` wide."""
    rows, columns = np.ogrid[: size_hw[0], : size_hw[1]]
    across = ((rows + columns) / math.sqrt(2)) % period - period / 2
    return np.clip(width / 2 + 0.5 - np.abs(across), 0, 1).astype(np.float32)


def inner_point(mask: NDArray[np.bool_]) -> tuple[float, float, float] | None:
    """Find the point of `mask`, (H, W) bool, that is farthest from its edge.

    The mask is thinned to at most 64 cells a side and peeled layer by layer; of the cells that stay
    longest the one nearest to their mean wins.

    Returns:
        (x, y, depth) in pixels, or None for an empty mask.
    """
    area = window(mask, 0)
    if area is None:
        return None
    crop = mask[area]
    step = max(1, math.ceil(max(crop.shape) / 64))
    # Sampling may miss every pixel of a thread-like mask: then take its pixels as they are.
    cells = crop[step // 2 :: step, step // 2 :: step]
    if not cells.any():
        step, cells = 1, crop
    layer, depth = np.pad(cells, 1), 0
    last = layer
    while layer.any():
        last, depth = layer, depth + 1
        core = layer[1:-1, 1:-1] & layer[:-2, 1:-1] & layer[2:, 1:-1]
        layer = np.pad(core & layer[1:-1, :-2] & layer[1:-1, 2:], 1)
    rows, columns = np.nonzero(last[1:-1, 1:-1])
    nearest = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    y = area[0].start + float(rows[nearest]) * step + step // 2 + 0.5
    x = area[1].start + float(columns[nearest]) * step + step // 2 + 0.5
    return x, y, float(depth * step)
