"""Pictures and masks of one object at a time, by Filament on a software Vulkan driver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.device import Camera, Device, Handle, pose
from askmask.pantry.render.shapes import Part

__all__ = ["Camera", "Renderer"]

_AMBIENT = 33_000.0
_SUN = 88_000.0
_SUN_COLOUR = (0.86, 0.97, 1.12)
"""Slightly blue: it takes the warm cast off the image-based light."""

_SUN_DIRECTION = (-0.9, 0.55, -0.7)
"""From the upper left, over the camera's shoulder: the same side for all sprites of a picture."""


class Renderer:
    """Draws the parts that were put on stage, turned about the vertical, as seen by a camera.

    End a process that made a renderer with `os._exit`: the driver does not survive the
    interpreter's own clean-up.
    """

    def __init__(self, size: int) -> None:
        """Open the driver for pictures of `size` x `size` pixels.

        Raises:
            MissingExtraError: when mujoco or a Vulkan driver is missing.
        """
        self.size = size
        self._device = Device()
        self._scene = self._device.scene()
        self._lights = [
            self._device.sky(_AMBIENT),
            self._device.sun(_SUN_DIRECTION, _SUN_COLOUR, _SUN),
        ]
        for light, *_ in self._lights:
            self._scene.add_light(light)
        self._stage: list[Handle] = []
        self._target = self._device.target((size, size))

    def show(self, parts: Sequence[Part]) -> None:
        """Replace what is on stage by `parts`."""
        for renderable, *_ in self._stage:
            self._scene.remove_renderable(renderable)
        self._stage = [self._renderable(part) for part in parts]
        for renderable, *_ in self._stage:
            self._scene.add_renderable(renderable)

    def turn(self, degrees: float) -> None:
        """Set the rotation of what is on stage, anticlockwise seen from above."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        for renderable, *_ in self._stage:
            pose(renderable, np.zeros(3), rotation)

    def picture(self, camera: Camera) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 sRGB."""
        return self._target.picture(self._scene, self._device.camera(camera))

    def mask(self, camera: Camera) -> NDArray[np.bool_]:
        """(S, S) bool, pixels of what is on stage."""
        mask: NDArray[np.bool_] = (
            self._target.numbers(self._scene, self._device.camera(camera)) == 1
        )
        return mask

    def _renderable(self, part: Part) -> Handle:
        device = self._device
        mesh, texture = device.mesh(part.mesh), device.texture(part.finish.texture)
        return device.renderable(mesh, texture, part.finish, 1)
