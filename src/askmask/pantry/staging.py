"""Who stands where: chooses camera and boards for a cast, and finds a place for each of it.

A table is one board before a wall; a shelf is two or three boards above each other. A board is a
level strip of ground, so both share all the code that puts things down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import cos, radians, sin, tan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.camera import Camera
from askmask.pantry.cast import ComposeSettings, look_size

if TYPE_CHECKING:
    from askmask.pantry.sprites import Look, SpriteBank, View

__all__ = ["Actor", "Board", "Placement", "Stage", "set_stage"]


_SHELF_LEAST = 6
"""Fewer things than this would leave a shelf all but empty; they get a table."""


@dataclass(frozen=True, eq=False)
class Actor:
    """One view of a look, cut to the bounds of its opaque pixels.

    Attributes:
        look: what it is.
        view: from where it is seen.
        pixels: (h, w, 4) uint8 RGBA, straight alpha.
        anchor: (x, y) in those pixels where the centre of the footprint projects.
        metres_per_pixel: size of a pixel at the object's centre.
    """

    look: Look
    view: View
    pixels: NDArray[np.uint8]
    anchor: tuple[float, float]
    metres_per_pixel: float

    @classmethod
    def of(cls, bank: SpriteBank, look: Look, index: int) -> Actor:
        """Cut view `index` of `look` out of the bank."""
        cell = bank.pixels(look, index)
        opaque = cell[..., 3] > 127
        rows = np.flatnonzero(opaque.any(1))
        columns = np.flatnonzero(opaque.any(0))
        # One pixel of margin keeps the soft edge.
        top, left = max(rows[0] - 1, 0), max(columns[0] - 1, 0)
        view = look.views[index]
        return cls(
            look,
            view,
            cell[top : rows[-1] + 2, left : columns[-1] + 2],
            (
                view.base_xy[0] * cell.shape[1] - float(left),
                view.base_xy[1] * cell.shape[0] - float(top),
            ),
            view.metres / cell.shape[1],
        )

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Width across the picture, depth along the view and height, in metres."""
        return (*self.view.extent_m, self.look.size_m[2])


@dataclass(frozen=True, eq=False)
class Placement:
    """An actor on its spot: x, y, z of the centre of its footprint, in metres."""

    actor: Actor
    x: float
    y: float
    z: float

    def disjoint(self, other: Placement) -> bool:
        """Whether the two footprints, taken as rectangles, keep apart (or differ in level)."""
        width, depth, _ = self.actor.size_m
        other_width, other_depth, _ = other.actor.size_m
        return (
            abs(self.y - other.y) > 1e-6
            or abs(self.x - other.x) >= (width + other_width) / 2
            or abs(self.z - other.z) >= (depth + other_depth) / 2
        )

    def box(self, camera: Camera) -> tuple[int, int, int, int]:
        """Where its pixels go: left, top, width, height in the picture, perhaps beyond it."""
        actor = self.actor
        middle = self.y + actor.size_m[2] / 2
        factor = camera.scale(middle, self.z) * actor.metres_per_pixel
        u, v = camera.project(self.x, self.y, self.z)
        rows, columns = actor.pixels.shape[:2]
        return (
            round(u - actor.anchor[0] * factor),
            round(v - actor.anchor[1] * factor),
            max(1, round(columns * factor)),
            max(1, round(rows * factor)),
        )


@dataclass(frozen=True)
class Board:
    """A level strip of ground that things stand on.

    Attributes:
        y: its height in metres.
        near: Z of its front edge in metres.
        far: Z where the wall begins.
        ceiling_px: picture row that nothing on it may reach above (the board overhead), or None.
    """

    y: float
    near: float
    far: float
    ceiling_px: float | None = None


@dataclass(frozen=True)
class Stage:
    """Camera and boards of a scene; the wall stands at the far end of the boards.

    Attributes:
        layout: "table" or "shelf".
        camera: the camera.
        size_hw: height and width of the picture in pixels.
        boards: lowest first.
        thickness: of a shelf board, in metres; 0 for a table.
    """

    layout: str
    camera: Camera
    size_hw: tuple[int, int]
    boards: tuple[Board, ...]
    thickness: float = 0.0

    @cached_property
    def wall_px(self) -> float:
        """Picture row where the highest board meets the wall; may lie above the picture."""
        board = self.boards[-1]
        return self.camera.project(0, board.y, board.far)[1]

    def fits(self, placement: Placement, board: Board, *, may_be_cut: bool) -> bool:
        """Whether a placement keeps to its board, its ceiling and, unless excused, the frame."""
        height, width = self.size_hw
        half = placement.actor.size_m[1] / 2
        if not board.near + half <= placement.z <= board.far - half:
            return False
        left, top, columns, rows = placement.box(self.camera)
        if board.ceiling_px is not None and top < board.ceiling_px + 1:
            return False
        inside_x = min(left + columns, width) - max(left, 0)
        inside_y = min(top + rows, height) - max(top, 0)
        if inside_x == columns and inside_y == rows:
            return True
        return may_be_cut and inside_x > 0.45 * columns and inside_y > 0.6 * rows

    def find_place(
        self,
        actor: Actor,
        board: Board,
        placed: Sequence[Placement],
        rng: np.random.Generator,
        settings: ComposeSettings,
    ) -> Placement | None:
        """Draw a free spot on `board`, often beside or behind a neighbour; None when too full."""
        neighbours = [other for other in placed if other.y == board.y]
        may_be_cut = rng.random() < settings.cut
        for _ in range(40):
            if neighbours and rng.random() < settings.crowding:
                neighbour = neighbours[rng.integers(len(neighbours))]
                spot = _beside(neighbour, actor, rng)
            else:
                spot = self._anywhere(board, actor, rng)
            placement = Placement(actor, spot[0], board.y, spot[1])
            if self.fits(placement, board, may_be_cut=may_be_cut) and all(
                placement.disjoint(other) for other in neighbours
            ):
                return placement
        return None

    def _anywhere(
        self, board: Board, actor: Actor, rng: np.random.Generator
    ) -> tuple[float, float]:
        """Point (x, z) that looks evenly spread in the picture."""
        height, width = self.size_hw
        half = actor.size_m[1] / 2
        low = self.camera.project(0, board.y, board.near + half)[1]
        high = self.camera.project(0, board.y, max(board.far - half, board.near))[1]
        row = rng.uniform(high, min(low, 0.98 * height)) if high < low else low
        return self.camera.ground_point(rng.uniform(0.02, 0.98) * width, row, board.y)


def _beside(neighbour: Placement, actor: Actor, rng: np.random.Generator) -> tuple[float, float]:
    """Point (x, z) next to a neighbour; the taller one of the two tends to stand behind."""
    width, depth, height = actor.size_m
    other_width, other_depth, other_height = neighbour.actor.size_m
    across, along = (width + other_width) / 2, (depth + other_depth) / 2
    gap = rng.uniform(0.0, 0.35) * min(width, depth, other_width, other_depth)
    if rng.random() < 0.2:
        side = rng.choice([-1, 1])
        return neighbour.x + side * (across + gap), neighbour.z + rng.uniform(-1, 1) * along
    behind = rng.random() < (0.8 if height > 0.8 * other_height else 0.2)
    shift = along + gap
    return (
        neighbour.x + rng.uniform(-0.85, 0.85) * across,
        neighbour.z + (shift if behind else -shift),
    )


def set_stage(
    cast: Sequence[Look],
    elevations: Sequence[float],
    size_hw: tuple[int, int],
    rng: np.random.Generator,
    settings: ComposeSettings,
) -> tuple[Stage, float]:
    """Choose layout and camera for a cast.

    Args:
        cast: the looks that are to be seen.
        elevations: what the bank offers, in degrees.
        size_hw: height and width of the picture in pixels.
        rng: source of chance.
        settings: shares of the layouts and elevations.

    Returns:
        The stage, and the elevation at which its objects are to be seen.
    """
    if rng.random() < settings.shelf and len(cast) >= _SHELF_LEAST:
        elevation = min(elevations)
        return _shelf(cast, elevation, size_hw, rng), elevation
    weights = np.array([settings.elevations.get(angle, 0.0) for angle in elevations])
    weights = weights if weights.sum() else np.ones(len(elevations))
    elevation = elevations[rng.choice(len(elevations), p=weights / weights.sum())]
    return _table(cast, elevation, size_hw, rng), elevation


def _table(
    cast: Sequence[Look], elevation: float, size_hw: tuple[int, int], rng: np.random.Generator
) -> Stage:
    height, width = size_hw
    # Picture width in metres at the middle of the table: more things need more room.
    typical = float(np.median([look_size(look) for look in cast]))
    across = typical * rng.uniform(3.8, 5.6) * (len(cast) / 8) ** 0.45
    focal = width / 2 / tan(radians(rng.uniform(26, 42) / 2))
    distance = focal * across / width
    pitch = radians(elevation)
    camera = Camera(
        focal, elevation, distance * sin(pitch), (width / 2, height * rng.uniform(0.55, 0.68))
    )
    # How far below the horizontal one looks at the foot of the wall.
    steepest = elevation - (4 if elevation < 20 else 8 if elevation < 40 else 20)
    foot = radians(rng.uniform(0.62 * elevation, steepest) if elevation < 40 else 20)
    near = camera.ground_point(width / 2, height * 1.02)[1]
    return Stage("table", camera, size_hw, (Board(0.0, near, camera.height_m / tan(foot)),))


def _shelf(
    cast: Sequence[Look], elevation: float, size_hw: tuple[int, int], rng: np.random.Generator
) -> Stage:
    height, width = size_hw
    tallest = max(look.size_m[2] for look in cast)
    widths = sum(look.size_m[0] for look in cast)
    # Deep enough for a second row behind most things, and for the deepest thing in most turns.
    deep = [max(look.size_m[:2]) for look in cast]
    depth = max(rng.uniform(2.2, 3.2) * float(np.median(deep)), 0.85 * max(deep))
    thickness = rng.uniform(0.04, 0.09) * tallest
    pitch = radians(elevation)
    # The back of a board is seen higher, more so on the lower boards, which are seen steeply.
    rise = tallest * rng.uniform(1.05, 1.2) + depth * tan(1.4 * pitch) + thickness
    crowded = widths / 3 > 0.33 * (3 * rise * width / height)
    levels = 3 if crowded and rng.random() < 0.7 else 2
    tall = levels * rise + rng.uniform(0.0, 0.15) * rise
    across = max(tall * width / height, 0.62 * widths / levels)
    focal = width / 2 / tan(radians(rng.uniform(24, 34) / 2))
    distance = focal * across / width
    middle = (levels - 0.5) * rise / 2 + rng.uniform(-0.06, 0.06) * rise
    camera = Camera(focal, elevation, distance * sin(pitch) + middle, (width / 2, height / 2))
    near = distance * cos(pitch) - depth / 2
    boards = [Board(level * rise, near, near + depth) for level in range(levels)]
    for level, above in enumerate(boards[1:]):
        edge = camera.project(0, above.y - thickness, above.near)[1]
        boards[level] = replace(boards[level], ceiling_px=edge)
    return Stage("shelf", camera, size_hw, tuple(boards), thickness)
