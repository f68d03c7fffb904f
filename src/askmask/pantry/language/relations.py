"""Spatial relations between objects and anchors, and occlusion.

Each function takes the objects as a column and the anchors as a row and returns the truth of every
pair, (N, anchors). 2D tests are made on visible and on amodal masks; where the two disagree the
answer is UNCLEAR. Thresholds are those of the language's definition of each operation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.facts import Floats, Plane, SceneFacts, Shapes, Solid
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, Truth, agree, decide

__all__ = ["RELATIONS", "Relation", "adjacent", "between", "covering", "on"]

Relation = Callable[[Shapes, Shapes, tuple[int, int]], Truth]
"""(objects, anchors, height and width of the picture) -> truth of each pair."""


def _overlap_x(a: Plane, b: Plane) -> Floats:
    common: Floats = np.minimum(a.x1, b.x1) - np.maximum(a.x0, b.x0)
    share: Floats = np.maximum(common, 0) / np.maximum(np.minimum(a.w, b.w), 1)
    return share


def _gap_x(a: Plane, b: Plane) -> Floats:
    """Distance of the x intervals as a share of the narrower one; negative when they overlap."""
    apart: Floats = np.maximum(a.x0, b.x0) - np.minimum(a.x1, b.x1)
    share: Floats = apart / np.maximum(np.minimum(a.w, b.w), 1)
    return share


def _left(a: Plane, b: Plane, width: int) -> Truth:
    dx, dy = b.cx - a.cx, b.cy - a.cy
    true = (a.x1 <= b.x0 + 0.15 * np.minimum(a.w, b.w)) & (dx >= 0.03 * width)
    true &= np.abs(dy) <= 3 * np.abs(dx)
    return decide(true, (dx <= 0.01 * width) | (_overlap_x(a, b) >= 0.6))


def left_of(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is left of b in the picture."""
    width = size_hw[1]
    return agree(_left(a.modal, b.modal, width), _left(a.amodal, b.amodal, width))


def right_of(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is right of b in the picture: `left_of` in the mirror."""
    width = size_hw[1]
    pairs = ((a.modal, b.modal), (a.amodal, b.amodal))
    modal, amodal = (_left(o.mirrored(width), t.mirrored(width), width) for o, t in pairs)
    return agree(modal, amodal)


def _above(a: Plane, b: Plane, up: Solid, base: Solid) -> Truth:
    overlap = _overlap_x(a, b)
    low, high, middle = up.low[..., 1], base.high[..., 1], base.centre[..., 1]
    true = (low >= high - 0.01) & (overlap >= 0.25) & (a.cy < b.cy)
    false = (low < middle) | (_gap_x(a, b) > 0.5)
    return decide(true, false & ~((a.cy < b.y0) & (overlap > 0)))


def above(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is above b in space, over it."""
    return agree(
        _above(a.modal, b.modal, a.solid, b.solid), _above(a.amodal, b.amodal, a.solid, b.solid)
    )


def above_height(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is higher up than b, wherever it stands."""

    def test(o: Plane, t: Plane) -> Truth:
        low, low_t = a.solid.low[..., 1], b.solid.low[..., 1]
        middle, middle_t = a.solid.centre[..., 1], b.solid.centre[..., 1]
        true = (low >= low_t + 0.05) & (middle >= middle_t + 0.05) & (o.cy < t.cy)
        return decide(true, (middle <= middle_t) & ~(o.cy < t.y0))

    return agree(test(a.modal, b.modal), test(a.amodal, b.amodal))


def above_image(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is higher in the picture than b."""

    def test(o: Plane, t: Plane) -> Truth:
        true = o.y1 <= t.y0 + 0.15 * np.minimum(o.h, t.h)
        return decide(true, o.cy >= t.cy - 0.01 * size_hw[0])

    return agree(test(a.modal, b.modal), test(a.amodal, b.amodal))


def in_front_of(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a stands in front of b and, seen from here, before it."""
    depth, depth_t = a.solid.centre[..., 2], b.solid.centre[..., 2]
    common = np.minimum(a.solid.high, b.solid.high) - np.maximum(a.solid.low, b.solid.low)

    def test(o: Plane, t: Plane) -> Truth:
        level = common[..., 1] > 0.01
        true = (depth < b.solid.low[..., 2]) & (_overlap_x(o, t) >= 0.25) & level
        return decide(true, (depth >= depth_t) | (_gap_x(o, t) > 0.25))

    return agree(test(a.modal, b.modal), test(a.amodal, b.amodal))


def nearer(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is closer to the camera than b."""
    depth, depth_t = a.solid.centre[..., 2], b.solid.centre[..., 2]
    return decide(depth <= depth_t - np.maximum(0.03, 0.03 * depth_t), depth >= depth_t)


def farther(a: Shapes, b: Shapes, size_hw: tuple[int, int]) -> Truth:
    """Whether a is farther away than b."""
    depth, depth_t = a.solid.centre[..., 2], b.solid.centre[..., 2]
    return decide(depth >= depth_t + np.maximum(0.03, 0.03 * depth_t), depth <= depth_t)


def _reversed(relation: Relation) -> Relation:
    return lambda a, b, size_hw: relation(b, a, size_hw)


RELATIONS: dict[str, Relation] = {
    "left_of": left_of,
    "right_of": right_of,
    "above": above,
    "above,height": above_height,
    "above,image": above_image,
    "below": _reversed(above),
    "below,height": _reversed(above_height),
    "below,image": _reversed(above_image),
    "in_front_of": in_front_of,
    "in_front_of,depth": nearer,
    "behind": _reversed(in_front_of),
    "behind,depth": farther,
}
"""Operation and mode -> relation that looks at one anchor box."""


def _along(
    points: Floats, start: Floats, end: Floats, extents: Floats, inside: tuple[float, float]
) -> Truth:
    """Whether points (N, 2) lie between `start` and `end`; extents (2, 2) of the two anchors."""
    line = end - start
    length = max(float(np.hypot(*line)), 1e-9)
    unit = line / length
    share = (points - start) @ unit / length
    nearest = start + np.clip(share, 0, 1)[:, None] * line
    distance = np.hypot(*(points - nearest).T)
    half = 0.5 * float((extents @ np.abs(unit[::-1])).max())
    low, high = inside
    return decide(
        (share >= low) & (share <= high) & (distance <= half),
        (share < -0.05) | (share > 1.05) | (distance > 1.5 * half),
    )


def between(facts: SceneFacts, first: int, second: int) -> Truth:
    """(N,) whether each object is between two anchors, in the picture and on the ground."""
    answers = []
    for plane in (facts.shapes.modal, facts.shapes.amodal):
        centre = np.stack([plane.cx, plane.cy], 1)
        pair = centre[[first, second]]
        if np.hypot(*(pair[1] - pair[0])) < 0.1 * facts.width:
            return np.full(facts.n, UNCLEAR)
        extents = np.stack([plane.w, plane.h], 1)[[first, second]]
        answers.append(_along(centre, pair[0], pair[1], extents, (0.15, 0.85)))
    solid = facts.shapes.solid
    ground, sizes = solid.centre[:, [0, 2]], solid.size[:, [0, 2]]
    pair = ground[[first, second]]
    answers.append(_along(ground, pair[0], pair[1], sizes[[first, second]], (0.1, 0.9)))
    picture = agree(answers[0], answers[1])
    return decide(
        (picture == TRUE) & (answers[2] == TRUE), (picture == FALSE) | (answers[2] == FALSE)
    )


def adjacent(facts: SceneFacts, contact: bool) -> Truth:
    """(N, N) whether a is next to b, or touches it."""
    if contact:
        return decide(facts.gap <= 0.002, facts.gap >= 0.01)
    solid = facts.shapes.solid
    narrow = solid.size[:, [0, 2]].min(1)
    limit = np.minimum(0.06, np.maximum(0.03, 0.25 * np.minimum.outer(narrow, narrow)))
    low, high = facts.column.solid.low[..., 1], facts.column.solid.high[..., 1]
    level = np.minimum(high, solid.high[:, 1]) - np.maximum(low, solid.low[:, 1]) > 0.01
    blocked = _blocked(facts)
    return decide((facts.gap <= limit) & level & ~blocked, (facts.gap > 0.10) | blocked)


def _blocked(facts: SceneFacts) -> NDArray[np.bool_]:
    """(N, N) whether a third box lies on the shortest link of a and b, or on the box it spans."""
    a, b = facts.column.solid, facts.shapes.solid
    low: Floats = np.maximum(a.low, b.low)
    high: Floats = np.minimum(a.high, b.high)
    middle = (low + high) / 2
    # Where the intervals are apart, `high` is the one's end and `low` the other's start.
    start = np.where(high >= low, middle, high)[:, :, None]
    end = np.where(high >= low, middle, low)[:, :, None]
    third = np.all((start < b.high - 1e-6) & (end > b.low + 1e-6), axis=3)
    every = np.arange(facts.n)
    third[every, :, every] = False
    third[:, every, every] = False
    answer: NDArray[np.bool_] = np.any(third, axis=2)
    return answer


def on(facts: SceneFacts) -> Truth:
    """(N, N) whether a rests directly on b; support at second hand is UNCLEAR."""
    a, b = facts.column.solid, facts.shapes.solid
    rise = np.abs(a.low[..., 1] - b.high[..., 1])
    flat = [0, 2]
    inside = (a.centre[..., flat] > b.low[:, flat]) & (a.centre[..., flat] < b.high[:, flat])
    over = (a.low[..., flat] < b.high[:, flat]) & (a.high[..., flat] > b.low[:, flat])
    chain = (rise <= 0.02) & over.all(2)
    np.fill_diagonal(chain, False)
    reached = chain
    for _ in range(3):
        reached = reached | (reached.astype(int) @ chain.astype(int) > 0)
    return decide((rise <= 0.01) & inside.all(2) & chain, ~reached)


def covering(facts: SceneFacts) -> Truth:
    """(N, N) whether a hides a part of b."""
    true = (facts.covered >= 0.05) & (facts.scene.occlusion >= 50)
    return decide(true, facts.covered <= 0.005)
