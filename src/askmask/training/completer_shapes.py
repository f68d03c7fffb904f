"""Random shapes and random paint: what the completer learns beside the objects of our scenes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from askmask.pantry.textures import KINDS, texture

__all__ = ["random_paint", "random_shape"]

_TEXTURE_SIDE = 256
_VARIANTS = 12
"""Of each texture: more would not stay in its cache, and painting one takes a while."""

_FINER = 4
"""Bits of sub-pixel places of outlines."""

Points = NDArray[np.float64]


def random_shape(
    size_hw: tuple[int, int],
    centre_xy: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw a filled shape: a blob, a polygon, a rounded box, a stick or several of them joined.

    Args:
        size_hw: height and width of the picture, in pixels; what lies outside is cut off.
        centre_xy: place of its middle.
        radius: about half its longer side, in pixels.
        rng: decides everything.

    Returns:
        (H, W) bool; may be empty when it lies outside.
    """
    filled = np.zeros(size_hw, np.uint8)
    parts = 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
    place = np.array(centre_xy)
    for _ in range(parts):
        size = radius * (1 if parts == 1 else rng.uniform(0.35, 0.75))
        outline = _OUTLINES[rng.integers(len(_OUTLINES))](rng)
        angle, narrow = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = (outline * [1, narrow] * size) @ turn.T + place
        cv2.fillPoly(filled, [_fixed(points)], 1, shift=_FINER)
        place = points[rng.integers(len(points))]  # the next part grows out of this one's edge
    mask: NDArray[np.bool_] = filled.astype(bool)
    return mask


def _fixed(points: Points) -> NDArray[np.int32]:
    limited = np.clip(points, -4000, 8000)
    return np.round(limited * (1 << _FINER)).astype(np.int32)


def _blob(rng: np.random.Generator) -> Points:
    """A smooth closed curve around 0, of radius about 1."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(2, 7):
        radius += rng.normal(0, 0.35 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return _polar(np.clip(radius, 0.25, 2), angle)


def _polygon(rng: np.random.Generator) -> Points:
    """Three to eight corners around 0."""
    corners = int(rng.integers(3, 9))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    return _polar(rng.uniform(0.6, 1.0, corners), angle)


def _rounded_box(rng: np.random.Generator) -> Points:
    """A superellipse: from a diamond over an ellipse to a box."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    power = float(np.exp(rng.uniform(np.log(1.0), np.log(10.0))))
    size = (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)
    return _polar(size, angle)


def _stick(rng: np.random.Generator) -> Points:
    """A long box, sometimes wider at one end."""
    wide, other = rng.uniform(0.06, 0.3, 2)
    return np.array([[-1, -wide], [1, -other], [1, other], [-1, wide]])


def _polar(radius: Points, angle: Points) -> Points:
    points: Points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return points


_OUTLINES: tuple[Callable[[np.random.Generator], Points], ...] = (
    _blob,
    _blob,
    _polygon,
    _rounded_box,
    _rounded_box,
    _stick,
)


def random_paint(size_hw: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make a surface, (H, W, 3) uint8 RGB: a texture or a colour, with light from one side."""
    if rng.random() < 0.55:
        kind = KINDS[rng.integers(len(KINDS))]
        tile = texture(kind, int(rng.integers(_VARIANTS)), _TEXTURE_SIDE)
        zoom = rng.uniform(0.3, 1.5)
        side = max(16, round(_TEXTURE_SIDE * zoom))
        tile = cv2.resize(tile, (side, side), interpolation=cv2.INTER_LINEAR)
        times = (size_hw[0] // side + 2, size_hw[1] // side + 2, 1)
        top, left = rng.integers(0, side, 2)
        paint = np.tile(tile, times)[top : top + size_hw[0], left : left + size_hw[1]]
        paint = paint[..., rng.permutation(3)] * rng.uniform(0.4, 1.5, 3)
    else:
        paint = np.empty((*size_hw, 3))
        paint[:] = rng.uniform(0, 255, 3)
        if rng.random() < 0.5:
            coarse = rng.normal(0, rng.uniform(3, 40), (size_hw[0] // 8 + 1, size_hw[1] // 8 + 1))
            paint += cv2.resize(coarse, (size_hw[1], size_hw[0]))[..., None]
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    angle = rng.uniform(0, 2 * np.pi)
    across = (np.cos(angle) * columns / size_hw[1] + np.sin(angle) * rows / size_hw[0]) * 2 - 1
    lit = paint * (1 + rng.uniform(0, 0.3) * across[..., None])
    result: NDArray[np.uint8] = lit.clip(0, 255).astype(np.uint8)
    return result
