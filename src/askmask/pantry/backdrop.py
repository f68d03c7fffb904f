"""The empty stage: wall, table or shelf boards in perspective, and the light that falls on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.staging import Board, Placement, Stage
from askmask.pantry.textures import FLOORS, WALLS, texture

__all__ = ["Light", "gain_table", "paint_backdrop"]

_VARIANTS = 8
"""Different surfaces of a kind; colours and scales are drawn anew for each scene."""

_LIGHT_SIDE = 160
"""Width in pixels of the light map, which is smooth and need not be finer."""


def paint_backdrop(stage: Stage, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint wall and boards without light.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = stage.size_hw
    camera = stage.camera
    across = width / camera.scale(stage.boards[0].y, stage.boards[0].near)
    picture = np.empty((height, width, 3), np.uint8)
    far = stage.boards[-1].far
    wall_foot = _row(stage.wall_px if stage.layout == "table" else height, height)
    kind = WALLS[rng.integers(len(WALLS))]
    tile = across * rng.uniform(0.5, 1.2)
    _cover(picture, 0, wall_foot, camera.wall_homography(far), kind, tile, rng, blur=True)
    kind = "wood" if stage.layout == "shelf" and rng.random() < 0.6 else _any_floor(rng)
    variant = int(rng.integers(_VARIANTS))
    tile = across * rng.uniform(0.5, 1.3)
    tint = _tint(rng)
    for board in stage.boards:
        top = _row(camera.project(0, board.y, board.far)[1], height)
        front = _row(camera.project(0, board.y, board.near)[1], height)
        front = height if stage.layout == "table" else front
        level = camera.level_homography(board.y)
        _cover(picture, top, front, level, kind, tile, rng, variant=variant, tint=tint)
        if stage.thickness:
            below = _row(camera.project(0, board.y - stage.thickness, board.near)[1], height)
            face = camera.wall_homography(board.near)
            edge = tint * 0.78
            _cover(picture, front, below, face, kind, tile, rng, variant=variant, tint=edge)
    return picture


def _any_floor(rng: np.random.Generator) -> str:
    return FLOORS[rng.integers(len(FLOORS))] if rng.random() < 0.75 else "wood"


def _tint(rng: np.random.Generator) -> NDArray[np.float32]:
    """(3,) float32 gains that give one texture many colours."""
    return (rng.uniform(0.8, 1.1) * rng.uniform(0.9, 1.1, 3)).astype(np.float32)


def _row(v: float, height: int) -> int:
    return min(max(round(v), 0), height)


def _cover(
    picture: NDArray[np.uint8],
    top: int,
    bottom: int,
    plane: NDArray[np.float64],
    kind: str,
    tile: float,
    rng: np.random.Generator,
    *,
    variant: int | None = None,
    tint: NDArray[np.float32] | None = None,
    blur: bool = False,
) -> None:
    """Fill rows top..bottom, in place, with a texture on a plane.

    Args:
        picture: (H, W, 3) uint8.
        top: first row.
        bottom: row after the last.
        plane: (3, 3) that takes plane coordinates in metres to pixels.
        kind: name of the texture.
        tile: side of one tile of the texture in metres.
        rng: draws where the texture starts and what is left open below.
        variant: which texture of its kind; drawn when None.
        tint: (3,) gains; drawn when None.
        blur: soften it, as a wall out of focus.
    """
    import cv2

    if bottom <= top:
        return
    width = picture.shape[1]
    variant = int(rng.integers(_VARIANTS)) if variant is None else variant
    tint = _tint(rng) if tint is None else tint
    # Texels about as large as pixels: a coarser texture for a smaller picture.
    side = 512 if width > 400 else 256
    surface = texture(kind, variant, side // 2 if blur else side)
    side = surface.shape[0]
    shift = rng.uniform(0, side, 2)
    unit = tile / side
    to_metres = np.array([[unit, 0, -shift[0] * unit], [0, unit, -shift[1] * unit], [0, 0, 1]])
    zoom = 0.5 if blur else 1.0
    crop = np.array([[zoom, 0, 0], [0, zoom, -top * zoom], [0, 0, 1.0]])
    size = (width, bottom - top)
    band = cv2.warpPerspective(
        surface,
        crop @ plane @ to_metres,
        (math.ceil(size[0] * zoom), math.ceil(size[1] * zoom)),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    tinted = cv2.LUT(band, gain_table(tint))
    picture[top:bottom] = cv2.resize(tinted, size) if blur else tinted


def gain_table(tint: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(1, 256, 3) uint8 table that multiplies each channel."""
    gains = np.arange(256, dtype=np.float32)[:, None] * tint
    table: NDArray[np.uint8] = np.minimum(gains, 255).astype(np.uint8)[None]
    return table


class Light:
    """Brightness of a stage: gradients, the shade under boards, and the shadows of things.

    Attributes:
        tint: (3,) float32 gain of each channel.
        low: (h, w) float32 brightness map at low resolution, 1 = as painted.
    """

    def __init__(
        self, stage: Stage, placements: Sequence[Placement], rng: np.random.Generator
    ) -> None:
        """Draw the light and let the placements cast their shadows."""
        height, width = stage.size_hw
        self._stage = stage
        self._zoom = min(1.0, _LIGHT_SIDE / width)
        rows, columns = round(height * self._zoom), round(width * self._zoom)
        self.tint = (rng.uniform(0.82, 1.15) * rng.uniform(0.94, 1.06, 3)).astype(np.float32)
        gx, gy = rng.uniform(-0.22, 0.22), rng.uniform(-0.12, 0.25)
        across = np.linspace(-1, 1, columns, dtype=np.float32) * gx
        down = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] * gy
        self.ambient = (1 + across + down).astype(np.float32)
        self.low = self.ambient * self._wall_shade(rows)[:, None]
        self.low *= 1 - self._shadows(placements, rng, (rows, columns))

    def at(self, u: float, v: float) -> float:
        """Brightness without shadows at a pixel."""
        rows, columns = self.ambient.shape
        row = min(max(int(v * self._zoom), 0), rows - 1)
        column = min(max(int(u * self._zoom), 0), columns - 1)
        return float(self.ambient[row, column])

    def fall_on(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Lit copy of an (H, W, 3) uint8 picture."""
        import cv2

        percent = np.clip(self.low[..., None] * (100 * self.tint), 0, 255).astype(np.uint8)
        gains = cv2.resize(percent, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        lit: NDArray[np.uint8] = cv2.multiply(picture, gains, scale=0.01)
        return lit

    def _wall_shade(self, rows: int) -> NDArray[np.float32]:
        """(h,) float32: the wall is darker than the board, most at its foot and under boards."""
        stage = self._stage
        v = (np.arange(rows, dtype=np.float32) + 0.5) / self._zoom
        shade = np.ones(rows, np.float32)
        reach = 0.1 * stage.size_hw[0]
        if stage.layout == "table":
            foot = stage.wall_px
            return np.where(v < foot, 0.88 - 0.18 * np.exp((v - foot) / reach), shade).astype(
                np.float32
            )
        shade *= 0.82
        for board in stage.boards:
            back, _, under = self._rows_of(board)
            below = v > under
            shade = np.where(below, 0.8 - 0.35 * np.exp((under - v) / reach), shade)
            on_top = (v >= back) & (v <= under)
            shade = np.where(on_top, 0.9 + 0.1 * (v - back) / max(under - back, 1), shade)
        return shade.astype(np.float32)

    def _rows_of(self, board: Board) -> tuple[float, float, float]:
        camera, thickness = self._stage.camera, self._stage.thickness
        return (
            camera.project(0, board.y, board.far)[1],
            camera.project(0, board.y, board.near)[1],
            camera.project(0, board.y - thickness, board.near)[1],
        )

    def _shadows(
        self, placements: Sequence[Placement], rng: np.random.Generator, size: tuple[int, int]
    ) -> NDArray[np.float32]:
        """(h, w) float32 share of the light that is taken away."""
        import cv2

        cast = np.zeros(size, np.uint8)
        contact = np.zeros(size, np.uint8)
        on_shelf = self._stage.layout == "shelf"
        strength = rng.uniform(0.25, 0.6) * (0.7 if on_shelf else 1.0)
        # Sprites are lit from the upper left, so shadows lean to the right.
        lean, away = rng.uniform(0.1, 0.8), rng.uniform(-0.15, 0.5)
        away = abs(away) if on_shelf else away
        for placement in placements:
            self._draw_shadow(placement, lean, away, cast, contact)
        soft = cv2.GaussianBlur(cast, (0, 0), rng.uniform(1.2, 3.5)).astype(np.float32)
        close = cv2.GaussianBlur(contact, (0, 0), 1.3).astype(np.float32)
        taken = np.maximum(soft * (strength / 255), close * ((0.3 + 0.6 * strength) / 255))
        lying: NDArray[np.float32] = taken * self._board_rows(size[0])[:, None]
        return lying

    def _board_rows(self, rows: int) -> NDArray[np.float32]:
        """(h,) float32, 1 on boards and less on walls, where cast shadows do not lie."""
        v = (np.arange(rows, dtype=np.float32) + 0.5) / self._zoom
        lying = np.zeros(rows, bool)
        for board in self._stage.boards:
            back, front, _ = self._rows_of(board)
            lying |= (v >= back) & ((v <= front) | (self._stage.layout == "table"))
        return np.where(lying, 1.0, 0.25).astype(np.float32)

    def _draw_shadow(
        self,
        placement: Placement,
        lean: float,
        away: float,
        cast: NDArray[np.uint8],
        contact: NDArray[np.uint8],
    ) -> None:
        """Lay the silhouette down on the ground, and darken the footprint, both in place."""
        import cv2

        camera, zoom = self._stage.camera, self._zoom
        actor = placement.actor
        width, depth, height = actor.size_m
        foot = np.array(camera.project(placement.x, placement.y, placement.z)) * zoom
        tip = (
            np.array(
                camera.project(
                    placement.x + lean * height, placement.y, placement.z + away * height
                )
            )
            * zoom
        )
        scale = camera.scale(placement.y, placement.z) * zoom
        rows = actor.pixels.shape[0]
        squeeze = scale * actor.metres_per_pixel
        step = (foot - tip) / max(rows, 1)  # from one sprite row to the next lower one
        matrix = np.array(
            [
                [squeeze, step[0], tip[0] - squeeze * actor.anchor[0]],
                [0.0, step[1], tip[1]],
            ]
        )
        laid = cv2.warpAffine(actor.pixels[..., 3], matrix, cast.shape[::-1])
        np.maximum(cast, laid, out=cast)
        axes = (
            max(1, round(0.5 * width * scale)),
            max(1, round(0.5 * depth * scale * camera.ground_squeeze)),
        )
        cv2.ellipse(contact, (round(foot[0]), round(foot[1])), axes, 0, 0, 360, 255, -1)
