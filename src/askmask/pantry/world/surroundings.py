"""What stands around the things: table, wall and floor, or a shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.shapes import Finish, Mesh, Part, join, quad
from askmask.pantry.textures import FLOORS, WALLS, texture
from askmask.pantry.world.layout import Layout, about_z

__all__ = ["build_surroundings"]

_SIDE = 256
"""Pixels of a texture's side."""

_FLOOR = -0.75
"""Height of the floor, the table top being 0; metres."""

_THICK = 0.014
"""Of a shelf's boards, metres."""


def build_surroundings(
    layout: Layout, variants: Sequence[int], rng: np.random.Generator
) -> list[Part]:
    """Build what a layout's things stand on and before.

    Args:
        layout: with at least one thing.
        variants: numbers of the surfaces that may be used.
        rng: source of chance.
    """
    if layout.kind == "shelf":
        return _shelf(layout, variants, rng)
    return _room(layout, variants, rng)


def _finish(kinds: Sequence[str], variants: Sequence[int], rng: np.random.Generator) -> Finish:
    kind = kinds[int(rng.integers(len(kinds)))]
    pixels = texture(kind, variants[int(rng.integers(len(variants)))], _SIDE)
    tint = rng.uniform(0.8, 1.05) * rng.uniform(0.92, 1.08, 3)
    tinted = np.clip(pixels * tint, 0, 255).astype(np.uint8)
    return Finish(tinted, roughness=rng.uniform(0.35, 0.95))


def _room(layout: Layout, variants: Sequence[int], rng: np.random.Generator) -> list[Part]:
    """A table before a wall, over a floor; the front edge of the table may be seen."""
    reach = max(layout.half_size)
    half = reach * rng.uniform(1.4, 3.0) + 0.15
    width = half * rng.uniform(1.0, 1.5)
    tile = rng.uniform(0.35, 1.2)
    table = _box((-half, -width, -0.03), (half, width, 0.0), tile)
    distance = half * rng.uniform(1.05, 1.8) + 0.05
    tile = rng.uniform(0.6, 1.6)
    aside = max(2.5, 1.4 * width)
    # Walls at the back and at both sides, so that no camera looks out of the room.
    walls = [
        _panel((-distance, -aside, _FLOOR), (0, 2 * aside, 0), (0, 0, 5), tile),
        _panel((aside, -aside, _FLOOR), (-aside - distance, 0, 0), (0, 0, 5), tile),
        _panel((-distance, aside, _FLOOR), (aside + distance, 0, 0), (0, 0, 5), tile),
    ]
    room = _turned(join(walls), rng.normal(0, 0.2))
    reach = 2 * aside
    floor = _panel((-reach, -reach, _FLOOR), (2 * reach, 0, 0), (0, 2 * reach, 0), tile)
    return [
        Part(table, _finish(("wood", "wood", *FLOORS), variants, rng)),
        Part(room, _finish(("plaster", *WALLS), variants, rng)),
        Part(floor, _finish(("wood", "tile", "speckle", "cloth"), variants, rng)),
    ]


def _turned(mesh: Mesh, radians: float) -> Mesh:
    turn = about_z(radians)
    return replace(mesh, vertices=mesh.vertices @ turn.T, normals=mesh.normals @ turn.T)


def _shelf(layout: Layout, variants: Sequence[int], rng: np.random.Generator) -> list[Part]:
    """Boards, sides and a back, before a wall."""
    x, y = layout.half_size
    tile = rng.uniform(0.25, 0.7)
    top = layout.boards[-1].z + layout.boards[-1].room
    levels = [*(board.z for board in layout.boards), top + _THICK]
    boards = [_box((-x, -y, level - _THICK), (x, y, level), tile) for level in levels]
    sides = [
        _box((-x, -y - _THICK, -_THICK), (x, -y, top + _THICK), tile),
        _box((-x, y, -_THICK), (x, y + _THICK, top + _THICK), tile),
    ]
    back = _box((-x - 0.01, -y - _THICK, -_THICK), (-x, y + _THICK, top + _THICK), tile)
    behind = -x - 0.02
    wall = _panel((behind, -3, -2), (0, 6, 0), (0, 0, 5), rng.uniform(0.6, 1.6))
    shelf = _finish(("wood", "wood", "plaster", "speckle"), variants, rng)
    return [
        Part(join([*boards, *sides]), shelf),
        Part(back, _finish(("wood", "plaster", "plaster", "speckle"), variants, rng)),
        Part(wall, _finish(("plaster", *WALLS), variants, rng)),
    ]


def _panel(
    corner: Sequence[float] | NDArray[np.float64],
    right: Sequence[float] | NDArray[np.float64],
    up: Sequence[float] | NDArray[np.float64],
    tile: float,
) -> Mesh:
    """Panel seen from outside, as in `quad`; its texture repeats every `tile` metres."""
    across, along = np.asarray(right, float), np.asarray(up, float)
    mesh = quad(list(corner), list(across), list(along))
    size = np.array([np.linalg.norm(across), np.linalg.norm(along)])
    return replace(mesh, uv=mesh.uv * size / tile)


def _box(low: Sequence[float], high: Sequence[float], tile: float) -> Mesh:
    """Closed box with edges along the axes."""
    x, y, z = low
    depth, width, height = (b - a for a, b in zip(low, high, strict=True))
    return join(
        [
            _panel((high[0], y, z), (0, width, 0), (0, 0, height), tile),
            _panel((x, high[1], z), (0, -width, 0), (0, 0, height), tile),
            _panel((high[0], high[1], z), (-depth, 0, 0), (0, 0, height), tile),
            _panel((x, y, z), (depth, 0, 0), (0, 0, height), tile),
            _panel((high[0], y, high[2]), (0, width, 0), (-depth, 0, 0), tile),
            _panel((x, y, z), (0, width, 0), (depth, 0, 0), tile),
        ]
    )
