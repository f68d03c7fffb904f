"""From where a scene is seen: cameras that hold the things, and what they measure there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.device import Camera
from askmask.pantry.world.layout import Layout

__all__ = ["draw_camera", "levelled"]

_REACH = 40.0
"""Walls and floors behind the things are seen this many times farther than they."""


def draw_camera(layout: Layout, aspect: float, rng: np.random.Generator) -> Camera:
    """Draw a camera that shows most of a layout's things, some of them perhaps cut.

    Args:
        layout: with at least one thing.
        aspect: width by height of the picture.
        rng: source of chance.
    """
    field_of_view = rng.uniform(30, 48)
    elevation, azimuth = _direction(layout.kind, rng)
    towards = np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    right = np.cross(-towards, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, -towards)
    points = layout.points
    middle = (points.min(0) + points.max(0)) / 2
    across, along = (points - middle) @ right, (points - middle) @ up
    middle = (
        middle + right * (across.max() + across.min()) / 2 + up * (along.max() + along.min()) / 2
    )
    offset = points - middle
    tangent = np.tan(np.radians(field_of_view) / 2)
    reach = np.maximum(np.abs(offset @ right) / aspect, np.abs(offset @ up)) / tangent
    closeness = rng.uniform(0.9, 1.15) if rng.random() < 0.75 else rng.uniform(0.75, 0.9)
    distance = float((reach + offset @ towards).max()) * closeness
    # Never so near that the nearest thing fills the picture.
    distance = max(distance, float((offset @ towards).max()) + 0.15)
    jitter = rng.normal(0, 0.03, 2) * distance * tangent
    target = middle + right * jitter[0] + up * jitter[1]
    return Camera(target + distance * towards, target, field_of_view, _REACH)


def _direction(kind: str, rng: np.random.Generator) -> tuple[float, float]:
    """Elevation above the horizon and azimuth from the front, radians."""
    if kind == "shelf":
        return np.radians(rng.uniform(2, 16)), np.radians(rng.uniform(-22, 22))
    low, high = ((14, 28), (28, 48), (48, 75))[rng.choice(3, p=[0.5, 0.38, 0.12])]
    return np.radians(rng.uniform(low, high)), np.radians(rng.uniform(-50, 50))


def levelled(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Take world points (N, 3) to a scene's axes.

    Returns:
        (N, 3) float64: X to the right in the picture and Z away from the camera, both level and
        from the camera's foot; Y up from the ground.
    """
    line = camera.target - camera.position
    away = np.array([line[0], line[1], 0.0]) / np.hypot(line[0], line[1])
    right = np.cross(away, [0.0, 0.0, 1.0])
    offset = points - camera.position
    return np.stack([offset @ right, points[:, 2], offset @ away], axis=1)
