"""A pinhole camera without roll that looks down on level ground.

World axes are those of a `Scene`: X to the right, Y up, Z away from the camera along the ground,
in metres; the camera stands at X = 0, Z = 0. Pixels are (u, v) with v growing downward.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera"]


@dataclass(frozen=True)
class Camera:
    """Pinhole camera, pitched down and otherwise level.

    Attributes:
        focal_px: focal length in pixels.
        pitch_deg: angle of the optical axis below the horizontal, in (0, 90).
        height_m: height Y of the camera, in metres.
        centre_px: (u, v) that the optical axis meets; need not be the middle of the picture.
    """

    focal_px: float
    pitch_deg: float
    height_m: float
    centre_px: tuple[float, float]

    @cached_property
    def _cos(self) -> float:
        return cos(radians(self.pitch_deg))

    @cached_property
    def _sin(self) -> float:
        return sin(radians(self.pitch_deg))

    @property
    def horizon_px(self) -> float:
        """Row v in which level ground ends."""
        return self.centre_px[1] - self.focal_px * self._sin / self._cos

    @property
    def ground_squeeze(self) -> float:
        """How much shorter lengths along Z look than lengths across, at the optical axis."""
        return self._sin

    def depth(self, y: float, z: float) -> float:
        """Distance in metres of (·, y, z) along the optical axis."""
        return z * self._cos + (self.height_m - y) * self._sin

    def scale(self, y: float, z: float) -> float:
        """Pixels per metre at (·, y, z), for lengths parallel to the picture."""
        return self.focal_px / self.depth(y, z)

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Pixel (u, v) of a point; the point must lie before the camera."""
        scale = self.scale(y, z)
        down = (self.height_m - y) * self._cos - z * self._sin
        return self.centre_px[0] + scale * x, self.centre_px[1] + scale * down

    def ground_point(self, u: float, v: float, y: float = 0.0) -> tuple[float, float]:
        """Point (x, z) in metres where the ray through pixel (u, v) meets the level at `y`.

        The level must lie below the camera and the pixel below the horizon.
        """
        right = (u - self.centre_px[0]) / self.focal_px
        down = (v - self.centre_px[1]) / self.focal_px
        depth = (self.height_m - y) / (self._sin + down * self._cos)
        return right * depth, depth * (self._cos - down * self._sin)

    def level_homography(self, y: float = 0.0) -> NDArray[np.float64]:
        """(3, 3) float64 that takes (x, z, 1) on the level at `y` to pixels."""
        drop = self.height_m - y
        return self._through_lens(
            [
                [1.0, 0.0, 0.0],
                [0.0, -self._sin, drop * self._cos],
                [0.0, self._cos, drop * self._sin],
            ]
        )

    def wall_homography(self, z: float) -> NDArray[np.float64]:
        """(3, 3) float64 that takes (x, y, 1) on the upright plane at `z` to pixels."""
        height = self.height_m
        return self._through_lens(
            [
                [1.0, 0.0, 0.0],
                [0.0, -self._cos, height * self._cos - z * self._sin],
                [0.0, -self._sin, height * self._sin + z * self._cos],
            ]
        )

    def _through_lens(self, to_camera: list[list[float]]) -> NDArray[np.float64]:
        """Follow a (3, 3) map to camera axes (right, down, depth) by the projection."""
        u, v = self.centre_px
        lens = np.array([[self.focal_px, 0.0, u], [0.0, self.focal_px, v], [0.0, 0.0, 1.0]])
        seen: NDArray[np.float64] = lens @ np.array(to_camera)
        return seen
