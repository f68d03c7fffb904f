"""The light of a scene: one to three lamps, the sky, and how the camera exposes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.world.layout import Layout

__all__ = ["Lamp", "Lighting", "draw_lighting", "expose"]

_BRIGHTEST = 6.0
"""Largest gain that the exposure applies; more would show the picture's 8 bits."""


@dataclass(frozen=True, eq=False)
class Lamp:
    """A spot light; see `Device.spot`."""

    position: NDArray[np.float64]
    target: NDArray[np.float64]
    colour: tuple[float, float, float]
    intensity: float
    cone: float
    softness: float
    bulb: float


@dataclass(frozen=True, eq=False)
class Lighting:
    """Lamps, intensity of the sky, and the brightness that the exposure aims at, in [0, 1]."""

    lamps: tuple[Lamp, ...]
    sky: float
    brightness: float


def draw_lighting(layout: Layout, rng: np.random.Generator) -> Lighting:
    """Draw the light of a layout with at least one thing; a shelf is lit from before it."""
    points = layout.points
    centre = (points.min(0) + points.max(0)) / 2
    count = int(rng.integers(1, 4))
    warmth = rng.uniform(-0.12, 0.2)
    colour = (1 + warmth, 1.0, 1 - warmth)
    # A lamp behind the things would stand behind the wall, one beside a shelf leave it dark.
    side = 0.25 if layout.kind == "shelf" else 0.5
    lamps = []
    for _ in range(count):
        around = rng.uniform(-side, side)
        away, height = rng.uniform(0.5, 1.6), rng.uniform(0.8, 2.2)
        if layout.kind == "shelf":
            away, height = rng.uniform(1.2, 2.2), rng.uniform(0.2, 1.2)
        position = centre + np.array(
            [away * np.cos(np.pi * around), away * np.sin(np.pi * around), height]
        )
        distance = float(np.linalg.norm(position - centre))
        lamps.append(
            Lamp(
                position,
                centre,
                colour,
                intensity=rng.uniform(14_000, 45_000) / count * distance**2,
                cone=rng.uniform(35, 70),
                softness=rng.uniform(0.3, 1.0),
                bulb=rng.uniform(0.01, 0.12),
            )
        )
    return Lighting(tuple(lamps), rng.uniform(7_000, 18_000), rng.uniform(0.42, 0.62))


def expose(picture: NDArray[np.uint8], brightness: float) -> NDArray[np.uint8]:
    """Brighten as a camera does: the middle of the picture goes towards `brightness`.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        brightness: sRGB value in [0, 1] at which a fairly bright part of the middle ends.

    Returns:
        (H, W, 3) uint8; highlights are compressed, not clipped.
    """
    height, width = picture.shape[:2]
    linear = (picture.astype(np.float32) / 255) ** 2.2
    middle = linear[height // 6 : height - height // 6, width // 6 : width - width // 6].mean(-1)
    measured = max(float(np.percentile(middle, 60)), 1e-4)
    linear *= float(np.clip(brightness**2.2 / measured, 0.5, _BRIGHTEST))
    bright = 0.7 + 0.3 * (1 - np.exp(-(linear - 0.7) / 0.3))
    curved = np.where(linear > 0.7, bright, linear)
    exposed: NDArray[np.uint8] = (np.clip(curved, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
    return exposed
