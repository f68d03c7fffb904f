"""Draws scenes in 3D: exact masks first, then the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.objects.store import AssetStore
from askmask.pantry.render.device import Camera, Device, Handle, pose
from askmask.pantry.render.shapes import Part
from askmask.pantry.world.layout import Placed
from askmask.pantry.world.lighting import Lighting

__all__ = ["Masks", "Studio"]

_WIDE = 2.0
"""How much wider the picture is in which the parts outside of the frame are counted."""


@dataclass(frozen=True, eq=False)
class Masks:
    """Who is seen where.

    Attributes:
        front: (H, W) uint8, 1 + index of the front-most thing at each pixel, 0 for none.
        amodal: (N, H, W) bool, each thing as if it stood alone.
        area_full: (N,) int64, pixels of each, also outside the picture (up to half a picture's
            width or height beyond each edge).
    """

    front: NDArray[np.uint8]
    amodal: NDArray[np.bool_]
    area_full: NDArray[np.int64]

    @property
    def overlaps(self) -> NDArray[np.int64]:
        """(N, N) int64: pixels of b's amodal mask at which a is nearest; diagonal: visible."""
        count = len(self.amodal)
        columns = [np.bincount(self.front[mask], minlength=count + 1)[1:] for mask in self.amodal]
        return np.array(columns, np.int64).reshape(count, count).T


class Studio:
    """A renderer that keeps the meshes that it has seen.

    It grows with every new mesh; end its process now and then, with `os._exit`.
    """

    def __init__(self, store: AssetStore, size_hw: tuple[int, int]) -> None:
        """Open the driver for pictures of `size_hw` pixels.

        Raises:
            MissingExtraError: when mujoco or a Vulkan driver is missing.
        """
        self._store = store
        self._device = Device()
        self._target = self._device.target(size_hw)
        self._scene = self._device.scene()
        self._sky = self._device.sky(10_000.0)
        self._scene.add_light(self._sky[0])
        self._uploads: dict[str, list[tuple[Handle, Handle, Part]]] = {}

    def masks(self, placed: Sequence[Placed], camera: Camera) -> Masks:
        """Masks of things, at most 254, as if nothing else were there."""
        things = [self._thing(item, number) for number, item in enumerate(placed, 1)]
        seen = self._device.camera(camera)
        wide = self._device.camera(camera, _WIDE)
        for thing in things:
            self._add(thing)
        front = self._target.numbers(self._scene, seen)
        for thing in things:
            self._remove(thing)
        amodal = np.zeros((len(things), *front.shape), bool)
        area_full = np.zeros(len(things), np.int64)
        for index, thing in enumerate(things):
            self._add(thing)
            amodal[index] = self._target.numbers(self._scene, seen) > 0
            area_full[index] = amodal[index].sum()
            if _touches_frame(amodal[index]):
                area_full[index] += self._outside(wide)
            self._remove(thing)
        return Masks(front, amodal, area_full)

    @contextmanager
    def set_up(
        self, placed: Sequence[Placed], surroundings: Sequence[Part], lighting: Lighting
    ) -> Iterator[None]:
        """Put things in their surroundings and light them, for `front` and `picture`."""
        stage = [self._thing(item, number) for number, item in enumerate(placed, 1)]
        stage += [[self._renderable(part)] for part in surroundings]
        lamps = [
            self._device.spot(
                lamp.position,
                lamp.target,
                lamp.colour,
                lamp.intensity,
                cone=lamp.cone,
                softness=lamp.softness,
                bulb=lamp.bulb,
            )
            for lamp in lighting.lamps
        ]
        self._sky[0].set_intensity(lighting.sky)
        for thing in stage:
            self._add(thing)
        for lamp, *_ in lamps:
            self._scene.add_light(lamp)
        try:
            yield
        finally:
            for lamp, *_ in lamps:
                self._scene.remove_light(lamp)
            for thing in stage:
                self._remove(thing)

    def front(self, camera: Camera) -> NDArray[np.uint8]:
        """(H, W) uint8 as `Masks.front`, but 0 where the surroundings hide a thing."""
        return self._target.numbers(self._scene, self._device.camera(camera))

    def picture(self, camera: Camera) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB, before exposure."""
        return self._target.picture(self._scene, self._device.camera(camera))

    def _outside(self, wide: Any) -> int:
        """Pixels of what is in the scene that lie beyond the frame."""
        drawn = self._target.numbers(self._scene, wide) > 0
        height, width = drawn.shape
        inner = drawn[height // 4 : height - height // 4, width // 4 : width - width // 4]
        return int((int(drawn.sum()) - int(inner.sum())) * _WIDE**2)

    def _thing(self, item: Placed, number: int) -> list[Handle]:
        look = item.asset.look
        if look not in self._uploads:
            device = self._device
            self._uploads[look] = [
                (device.mesh(part.mesh), device.texture(part.finish.texture), part)
                for part in self._store.parts(item.asset)
            ]
        handles = [
            self._device.renderable(mesh, texture, part.finish, number)
            for mesh, texture, part in self._uploads[look]
        ]
        for renderable, *_ in handles:
            pose(renderable, item.position, item.rotation)
        return handles

    def _renderable(self, part: Part) -> Handle:
        device = self._device
        mesh, texture = device.mesh(part.mesh), device.texture(part.finish.texture)
        return device.renderable(mesh, texture, part.finish, 0)

    def _add(self, thing: Sequence[Handle]) -> None:
        for renderable, *_ in thing:
            self._scene.add_renderable(renderable)

    def _remove(self, thing: Sequence[Handle]) -> None:
        for renderable, *_ in thing:
            self._scene.remove_renderable(renderable)


def _touches_frame(mask: NDArray[np.bool_]) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())
