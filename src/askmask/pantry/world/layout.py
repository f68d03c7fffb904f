"""Who stands where: things side by side and one behind another on a table, or on shelf boards.

World axes: X towards the viewer, Y to the viewer's right, Z up, in metres; the table top is Z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.objects.asset import Asset

__all__ = ["Board", "Layout", "Placed", "about_z", "put_on_shelf", "put_on_table"]

_GAP = 0.002
"""Metres that things on a table keep apart."""

_TRIES = 60


@dataclass(frozen=True, eq=False)
class Placed:
    """A thing in its pose.

    Attributes:
        asset: what it is.
        rotation: (3, 3) float64.
        position: (3,) float64, where the middle of its foot is, metres.
    """

    asset: Asset
    rotation: NDArray[np.float64]
    position: NDArray[np.float64]

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """(K, 3) float64, its outermost points in the world."""
        points: NDArray[np.float64] = self.asset.hull @ self.rotation.T + self.position
        return points


@dataclass(frozen=True)
class Board:
    """A level shelf board: its upper side is at `z`, things on it may reach up to `z + room`."""

    z: float
    room: float


@dataclass(frozen=True, eq=False)
class Layout:
    """Things in their poses, and what they stand on.

    Attributes:
        kind: "table", "shelf" or "pile".
        placed: the things; their order numbers them.
        half_size: half the depth (X) and half the width (Y) of the ground that they take.
        boards: of a shelf, lowest first; empty for tables and piles.
    """

    kind: str
    placed: tuple[Placed, ...]
    half_size: tuple[float, float]
    boards: tuple[Board, ...] = ()

    @property
    def points(self) -> NDArray[np.float64]:
        """(K, 3) float64, outermost points of all things."""
        return np.concatenate([item.points for item in self.placed])


def about_z(radians: float) -> NDArray[np.float64]:
    """(3, 3) rotation about the vertical, anticlockwise seen from above."""
    cos, sin = np.cos(radians), np.sin(radians)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def put_on_table(things: Sequence[Asset], rng: np.random.Generator) -> Layout:
    """Stand things upright on a table, most of them close to another one."""
    placed: list[Placed] = []
    outlines: list[NDArray[np.float64]] = []
    spread = rng.uniform(0.15, 0.9)
    for asset in things:
        for _ in range(_TRIES):
            # Labels and screens mostly look at the viewer.
            yaw = rng.normal(0, 0.45) if rng.random() < 0.75 else rng.uniform(0, 2 * np.pi)
            outline = asset.footprint @ about_z(yaw)[:2, :2].T
            spot = _beside(outlines, outline, spread, rng)
            if all(_apart(outline + spot, other) for other in outlines):
                placed.append(Placed(asset, about_z(yaw), np.array([*spot, 0.0])))
                outlines.append(outline + spot)
                break
    if not placed:
        return Layout("table", (), (0.0, 0.0))
    return Layout("table", tuple(placed), _half_size(placed))


def _beside(
    outlines: Sequence[NDArray[np.float64]],
    outline: NDArray[np.float64],
    spread: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Spot (2,) next to one of the outlines, more often before or behind it than at its side."""
    if not outlines:
        return np.zeros(2)
    other = outlines[int(rng.integers(len(outlines)))]
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), 0.75 * np.sin(angle)])
    direction /= np.linalg.norm(direction)
    touch = (other @ direction).max() - (outline @ direction).min()
    gap = _GAP + rng.exponential(0.25 * spread) * np.ptp(outline, axis=0).min()
    aside = np.array([-direction[1], direction[0]])
    shift = rng.uniform(-0.5, 0.5) * np.ptp(other @ aside)
    middle = float((other @ aside).max() + (other @ aside).min()) / 2
    spot: NDArray[np.float64] = direction * (touch + gap) + aside * (middle + shift)
    return spot


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two convex outlines (P, 2) keep `_GAP` apart: some edge separates them."""
    for outline in (a, b):
        edge = np.roll(outline, -1, axis=0) - outline
        normal = np.stack([edge[:, 1], -edge[:, 0]], 1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        over_a, over_b = a @ normal.T, b @ normal.T
        low = over_b.min(0) - over_a.max(0)
        high = over_a.min(0) - over_b.max(0)
        if max(low.max(), high.max()) >= _GAP - 1e-9:
            return True
    return False


def _half_size(placed: Sequence[Placed]) -> tuple[float, float]:
    reach = np.abs(np.concatenate([item.points for item in placed])[:, :2]).max(0)
    return float(reach[0]), float(reach[1])


def put_on_shelf(things: Sequence[Asset], rng: np.random.Generator) -> Layout:
    """Stand things in two rows on one or two boards, the front row with gaps."""
    levels = 2 if len(things) >= 6 and rng.random() < 0.6 else 1
    share = np.array_split(np.arange(len(things)), levels)
    fill = rng.uniform(0.5, 0.62)
    rows = [_rows([things[i] for i in part], fill) for part in share]
    depth = max(sum(max(t.size_m[1] for t in row) for row in board if row) for board in rows)
    depth += rng.uniform(0.03, 0.06)
    width = max(sum(t.size_m[0] for t in row) for board in rows for row in board)
    width = width * rng.uniform(1.05, 1.25) + 0.04
    placed: list[Placed] = []
    boards = []
    z = 0.0
    for board in rows:
        tallest = max(thing.size_m[2] for row in board for thing in row)
        room = tallest * rng.uniform(1.15, 1.45) + 0.02
        boards.append(Board(z, room))
        back, front = board
        placed += _stand(back, -depth / 2 + 0.01, width, z, rng, at_back=True)
        placed += _stand(front, depth / 2 - 0.01, width, z, rng, at_back=False)
        z += room + 0.02
    return Layout("shelf", tuple(placed), (depth / 2, width / 2), tuple(boards))


def _rows(things: Sequence[Asset], fill: float) -> tuple[list[Asset], list[Asset]]:
    """Back and front row; of neighbours the taller one goes to the back."""
    tall_first = sorted(things, key=lambda thing: -thing.size_m[2])
    total = sum(thing.size_m[0] for thing in things)
    back: list[Asset] = []
    for thing in tall_first:
        if back and sum(t.size_m[0] for t in back) + thing.size_m[0] > fill * total:
            break
        back.append(thing)
    front = tall_first[len(back) :]
    return back, front


def _stand(
    row: Sequence[Asset],
    edge: float,
    width: float,
    z: float,
    rng: np.random.Generator,
    *,
    at_back: bool,
) -> list[Placed]:
    """Stand a row from left to right, its backs (or fronts) along X = `edge`."""
    if not row:
        return []
    order = [row[index] for index in rng.permutation(len(row))]
    yaws = rng.normal(0, 0.12, len(order))
    outlines = [
        asset.footprint @ about_z(yaw)[:2, :2].T for asset, yaw in zip(order, yaws, strict=True)
    ]
    sides = [float(np.ptp(outline[:, 1])) for outline in outlines]
    spare = max(width - sum(sides) - 0.01, 0.0)
    gaps = rng.dirichlet(np.full(len(order) + 1, 1.2)) * spare
    at = -width / 2 + 0.005
    placed = []
    for asset, yaw, outline, side, gap in zip(order, yaws, outlines, sides, gaps, strict=False):
        at += gap
        y = at - outline[:, 1].min()
        jitter = rng.uniform(0, 0.012)
        x = edge + jitter - outline[:, 0].min() if at_back else edge - jitter - outline[:, 0].max()
        placed.append(Placed(asset, about_z(yaw), np.array([x, y, z])))
        at += side
    return placed
