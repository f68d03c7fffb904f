"""Modal masks as people and other models give them: coarse, too large, too small, leaking."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["roughened"]

Mask = NDArray[np.bool_]


def roughened(mask: Mask, rng: np.random.Generator) -> Mask:
    """Spoil a mask, (H, W) bool, a little; a third of the masks stay exact, none becomes empty."""
    if rng.random() < 0.35:
        return mask
    spoilt = mask
    for spoil, share in _SPOILS:
        if rng.random() < share:
            spoilt = spoil(spoilt, rng)
    return spoilt if spoilt.any() else mask


def _coarse(mask: Mask, rng: np.random.Generator) -> Mask:
    """As from a mask head that works on a coarse grid."""
    height, width = mask.shape
    step = rng.uniform(1.5, 5)
    small = (max(1, round(width / step)), max(1, round(height / step)))
    grid = cv2.resize(mask.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    wide = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
    coarse: Mask = wide > rng.uniform(0.35, 0.65)
    return coarse


def _polygonal(mask: Mask, rng: np.random.Generator) -> Mask:
    """As drawn by annotators: few corners, no holes."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    tolerance = rng.uniform(0.7, 3)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(filled, [cv2.approxPolyDP(line, tolerance, True) for line in outlines], 1)
    drawn: Mask = filled.astype(bool)
    return drawn


def _resized(mask: Mask, rng: np.random.Generator) -> Mask:
    """A pixel or two too wide or too narrow all around."""
    side = 2 * int(rng.integers(1, 3)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    change = cv2.dilate if rng.random() < 0.55 else cv2.erode
    changed: Mask = change(mask.astype(np.uint8), kernel).astype(bool)
    return changed


def _wavy(mask: Mask, rng: np.random.Generator) -> Mask:
    """An unsure edge."""
    edge = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(1, 2.5))
    noise = rng.normal(0, 1, mask.shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), rng.uniform(1.5, 4))
    wavy: Mask = edge + 0.2 * smooth / max(float(smooth.std()), 1e-6) > 0.5
    return wavy


def _largest_part(mask: Mask, rng: np.random.Generator) -> Mask:
    """Only one of several parts was found."""
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    kept: Mask = labels == 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
    return kept


def _leaking(mask: Mask, rng: np.random.Generator) -> Mask:
    """A patch of something else at the edge."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return mask
    place = rng.integers(len(rows))
    radius = max(1, round(0.12 * float(np.sqrt(len(rows))) * rng.uniform(0.5, 1.5)))
    patched = mask.astype(np.uint8)
    cv2.circle(patched, (int(columns[place]), int(rows[place])), radius, 1, -1)
    leaking: Mask = patched.astype(bool)
    return leaking


_SPOILS: tuple[tuple[Callable[[Mask, np.random.Generator], Mask], float], ...] = (
    (_largest_part, 0.15),
    (_coarse, 0.45),
    (_polygonal, 0.35),
    (_resized, 0.3),
    (_wavy, 0.3),
    (_leaking, 0.08),
)
"""Ways of spoiling a mask, in the order in which they happen, and how often each does."""
