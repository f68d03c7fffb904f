"""What is measured on a scene before any sentence is judged.

`Plane` holds 2D boxes and centroids (picture frame, pixels, y down), `Solid` upright 3D boxes
(metres, X right, Y up, Z away). All arrays have one entry an object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.vocabulary import vocabulary
from askmask.pantry.scene import Scene

__all__ = ["Floats", "Plane", "SceneFacts", "Shapes", "Solid"]

Floats: TypeAlias = NDArray[np.float64]

MIN_VISIBLE = 100
"""Objects with fewer visible pixels are never asked for nor used as references."""

_SCAN_LINES = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))


@dataclass(frozen=True, eq=False)
class Plane:
    """Boxes and centroids of N masks; x1 and y1 are exclusive."""

    x0: Floats
    x1: Floats
    y0: Floats
    y1: Floats
    cx: Floats
    cy: Floats

    @property
    def w(self) -> Floats:
        """Widths."""
        return self.x1 - self.x0

    @property
    def h(self) -> Floats:
        """Heights."""
        return self.y1 - self.y0

    def mirrored(self, width: int) -> Plane:
        """The same masks in the picture flipped left to right."""
        return Plane(width - self.x1, width - self.x0, self.y0, self.y1, width - self.cx, self.cy)

    def column(self) -> Plane:
        """Each array as (N, 1), so that pairs broadcast to (N, anchors)."""
        return Plane(*(values[:, None] for values in vars(self).values()))

    def union(self, chosen: NDArray[np.intp]) -> Plane:
        """One box around the chosen masks, with the box's centre."""
        x0, x1 = self.x0[chosen].min(), self.x1[chosen].max()
        y0, y1 = self.y0[chosen].min(), self.y1[chosen].max()
        return Plane(*np.array([[x0], [x1], [y0], [y1], [(x0 + x1) / 2], [(y0 + y1) / 2]], float))


@dataclass(frozen=True, eq=False)
class Solid:
    """N upright boxes: lower and upper corner, (N, 3) metres in the order X, Y, Z."""

    low: Floats
    high: Floats

    @property
    def centre(self) -> Floats:
        """(N, 3) centres."""
        return (self.low + self.high) / 2

    @property
    def size(self) -> Floats:
        """(N, 3) sides."""
        return self.high - self.low

    def column(self) -> Solid:
        """Corners as (N, 1, 3), so that pairs broadcast."""
        return Solid(self.low[:, None], self.high[:, None])

    def union(self, chosen: NDArray[np.intp]) -> Solid:
        """One box around the chosen ones."""
        return Solid(self.low[chosen].min(0)[None], self.high[chosen].max(0)[None])


@dataclass(frozen=True, eq=False)
class Shapes:
    """Modal planes, amodal planes and solids of the same objects."""

    modal: Plane
    amodal: Plane
    solid: Solid

    def column(self) -> Shapes:
        """All arrays with a new second axis, for pairs."""
        return Shapes(self.modal.column(), self.amodal.column(), self.solid.column())

    def union(self, chosen: NDArray[np.intp]) -> Shapes:
        """One shape around the chosen ones."""
        return Shapes(self.modal.union(chosen), self.amodal.union(chosen), self.solid.union(chosen))


class SceneFacts:
    """Measurements of one scene, computed when first asked for.

    Attributes:
        scene: the scene.
        n: number of objects.
        height, width: of the picture.
        nouns: (N,) place of each category in the vocabulary.
        modal_area, amodal_area: (N,) pixels.
        shapes: boxes of all objects.
    """

    def __init__(self, scene: Scene) -> None:
        """Measure the masks of `scene`.

        Raises:
            DataError: when a category is not in the noun bank.
        """
        self.scene = scene
        self.n = len(scene.objects)
        self.height, self.width = scene.image.shape[:2]
        words = vocabulary()
        self.nouns = np.array(
            [words.noun_index(item.category, f"scene {scene.seed}") for item in scene.objects], int
        )
        modal, amodal = self._planes()
        centre = np.array([item.centre_m for item in scene.objects], float).reshape(-1, 3)
        w_d_h = np.array([item.size_m for item in scene.objects], float).reshape(-1, 3)
        half = w_d_h[:, [0, 2, 1]] / 2
        self.shapes = Shapes(modal, amodal, Solid(centre - half, centre + half))

    def _planes(self) -> tuple[Plane, Plane]:
        """Measure all masks; what is wholly hidden borrows its amodal box."""
        modal = np.array([_measure(item.modal) for item in self.scene.objects]).reshape(-1, 7)
        amodal = np.array([_measure(item.amodal) for item in self.scene.objects]).reshape(-1, 7)
        self.modal_area, self.amodal_area = modal[:, 6], amodal[:, 6]
        modal = np.where(modal[:, 6:] > 0, modal, amodal)
        return Plane(*modal.T[:6]), Plane(*amodal.T[:6])

    @cached_property
    def column(self) -> Shapes:
        """`shapes` as a column, for (N, N) relations."""
        return self.shapes.column()

    @cached_property
    def volume(self) -> Floats:
        """(N,) cubic metres of the box."""
        values: Floats = self.shapes.solid.size.prod(1)
        return values

    @cached_property
    def hidden_share(self) -> Floats:
        """(N,) share of the amodal mask that other objects cover."""
        values: Floats = 1 - self.modal_area / np.maximum(self.amodal_area, 1)
        return values

    @cached_property
    def covered(self) -> Floats:
        """(N, N) share of b's amodal mask whose front-most surface is a."""
        values: Floats = self.scene.occlusion / np.maximum(self.amodal_area, 1)
        return values

    @cached_property
    def outside_share(self) -> Floats:
        """(N,) share of the amodal mask that lies outside the picture."""
        full = np.array([item.amodal_area_full for item in self.scene.objects], float)
        values: Floats = 1 - self.amodal_area / np.maximum(full, 1)
        return values

    @cached_property
    def frame_distance(self) -> Floats:
        """(N,) pixels between the visible mask and the nearest edge of the picture."""
        plane = self.shapes.modal
        far = np.minimum(self.width - plane.x1, self.height - plane.y1)
        values: Floats = np.minimum(np.minimum(plane.x0, plane.y0), far)
        return values

    @cached_property
    def gap(self) -> Floats:
        """(N, N) distance of the 3D boxes in metres."""
        a, b = self.column.solid, self.shapes.solid
        apart = np.maximum(0, np.maximum(a.low - b.high, b.low - a.high))
        values: Floats = np.linalg.norm(apart, axis=2)
        return values

    @cached_property
    def roundness(self) -> Floats:
        """(N,) `4 pi area / perimeter²` of the amodal masks; 1 is a disc."""
        return np.array([_roundness(item.amodal) for item in self.scene.objects])

    @cached_property
    def askable(self) -> NDArray[np.bool_]:
        """(N,) objects that show enough to be asked for."""
        return self.modal_area >= MIN_VISIBLE


def _measure(mask: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return x0, x1, y0, y1, cx, cy, area; zeros for an empty mask."""
    rows, columns = mask.sum(1), mask.sum(0)
    area = int(rows.sum())
    if not area:
        return (0.0,) * 7
    ys, xs = np.flatnonzero(rows), np.flatnonzero(columns)
    cy, cx = rows[ys] @ ys / area + 0.5, columns[xs] @ xs / area + 0.5
    return xs[0], xs[-1] + 1, ys[0], ys[-1] + 1, cx, cy, area


def _roundness(mask: NDArray[np.bool_]) -> float:
    """Roundness by Crofton's formula: count edges along lines of eight directions."""
    area = int(mask.sum())
    if not area:
        return 0.0
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    crop = np.pad(mask[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1], 2)
    angles = np.array([np.arctan2(dy, dx) for dx, dy in _SCAN_LINES])
    nearby = np.concatenate([angles[-1:] - np.pi, angles, angles[:1] + np.pi])
    weights = (nearby[2:] - nearby[:-2]) / 2
    crossings = [
        np.count_nonzero(crop != np.roll(crop, (dy, dx), (0, 1))) / np.hypot(dx, dy)
        for dx, dy in _SCAN_LINES
    ]
    perimeter = float(weights @ crossings) / 2
    return 4 * np.pi * area / perimeter**2
