"""A tiny sprite bank of coloured boxes and discs, so that tests know every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.sprites import Look, View

CELL = 64
ELEVATIONS = (12, 28, 50)


class FakeBank:
    """Twenty looks of ten categories; every view is a full rectangle or a disc."""

    def __init__(self, rgb: tuple[int, int, int] | None = None) -> None:
        self.looks = tuple(_look(number) for number in range(20))
        self._rgb = {look.look: rgb or _rgb(k) for k, look in enumerate(self.looks)}

    def pixels(self, look: Look, view_index: int) -> NDArray[np.uint8]:
        view = look.views[view_index]
        cell = np.zeros((CELL, CELL, 4), np.uint8)
        rows, columns = _cell_size(look.size_m, view.elevation, view.metres)
        top, left = (CELL - rows) // 2, (CELL - columns) // 2
        window = cell[top : top + rows, left : left + columns]
        window[:] = (*self._rgb[look.look], 255)
        if look.shape == "ball":
            y, x = np.mgrid[0:rows, 0:columns]
            ring = ((y + 0.5) / rows - 0.5) ** 2 + ((x + 0.5) / columns - 0.5) ** 2
            window[ring > 0.25] = 0
        return cell


def _cell_size(
    size_m: tuple[float, float, float], elevation: int, metres: float
) -> tuple[int, int]:
    width, depth, height = size_m
    angle = np.radians(elevation)
    tall = height * np.cos(angle) + depth * np.sin(angle)
    return round(tall / metres * CELL), round(width / metres * CELL)


def _look(number: int) -> Look:
    kind = number % 10
    ball = kind >= 6
    side = 0.06 + 0.006 * kind
    size = (side, side, side if ball else side * (1.2 + 0.1 * kind))
    metres = 2.4 * max(size)
    views = []
    for elevation in ELEVATIONS:
        rows, _ = _cell_size(size, elevation, metres)
        base = (CELL + rows) / 2 - size[1] * np.sin(np.radians(elevation)) / 2 / metres * CELL
        views.append(
            View(elevation, 0.0, metres, (0.5, base / CELL), size[:2], {"red": 0.7, "blue": 0.2})
        )
    return Look(
        look=f"thing-{kind}/{number // 10}",
        category=f"thing {kind}",
        container="box" if kind < 4 else "none",
        shape="ball" if ball else "box",
        material="cardboard",
        size_m=size,
        views=tuple(views),
    )


def _rgb(number: int) -> tuple[int, int, int]:
    return (number * 67) % 256, (number * 131 + 40) % 256, (number * 29 + 90) % 256
