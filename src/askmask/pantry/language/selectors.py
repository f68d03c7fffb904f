"""Selectors: pick the k first candidates by some order, if the margin is wide enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.comparisons import sizes
from askmask.pantry.language.facts import Floats, SceneFacts

__all__ = ["Order", "first", "nearness", "orders", "ranked"]


@dataclass(frozen=True, eq=False)
class Order:
    """One way to rank objects: smallest value first.

    Attributes:
        values: (N,) what is ranked.
        step: least difference between neighbours in rank that must be told apart.
        ratio: least ratio of neighbours in rank.
        veto: when given, this order does not rank; it only forbids a choice that it contradicts
            by more than this ratio.
    """

    values: Floats
    step: float = 0.0
    ratio: float = 1.0
    veto: float | None = None

    def separates(self, here: int, there: int) -> bool:
        """Whether `here` comes clearly before `there`."""
        near, far = float(self.values[here]), float(self.values[there])
        # Negated values rank the largest first: compare their sizes.
        small, large = sorted((abs(near), abs(far)))
        return far - near >= self.step and large >= self.ratio * small


def ranked(order: Order, candidates: NDArray[np.intp]) -> list[int]:
    """Candidates, first in rank first."""
    return [int(i) for i in candidates[np.argsort(order.values[candidates], kind="stable")]]


def first(ways: Sequence[Order], candidates: NDArray[np.intp], k: int) -> frozenset[int] | None:
    """The k first candidates, or None when the orders disagree or the margin is too small."""
    if len(candidates) <= k:
        return None
    chosen: frozenset[int] | None = None
    for way in ways:
        if way.veto is not None:
            if chosen is not None and _vetoed(way.values, way.veto, candidates, chosen):
                return None
            continue
        rank = ranked(way, candidates)
        if not way.separates(rank[k - 1], rank[k]):
            return None
        if chosen is not None and chosen != frozenset(rank[:k]):
            return None
        chosen = frozenset(rank[:k])
    return chosen


def _vetoed(
    values: Floats, veto: float, candidates: NDArray[np.intp], chosen: frozenset[int]
) -> bool:
    others = [int(i) for i in candidates if int(i) not in chosen]
    return float(values[others].max()) > veto * float(values[list(chosen)].min())


def orders(facts: SceneFacts, op: str, mode: str) -> tuple[Order, ...]:
    """The orders that must agree for a selector without anchor.

    Args:
        facts: the scene's.
        op: name of the selector.
        mode: "image" for topmost and bottommost; "both", "visible" or "real" for sizes; else "".
    """
    modal, amodal, solid = facts.shapes.modal, facts.shapes.amodal, facts.shapes.solid
    dx, dy = 0.02 * facts.width, 0.02 * facts.height
    if op in ("leftmost", "nth_from_left"):
        return Order(modal.cx, dx), Order(amodal.cx, dx), Order(amodal.x0)
    if op in ("rightmost", "nth_from_right"):
        return Order(-modal.cx, dx), Order(-amodal.cx, dx), Order(-amodal.x1)
    if op in ("topmost", "bottommost"):
        return _vertical(facts, 1 if op == "topmost" else -1, mode, dy)
    if op in ("nearest_to_camera", "farthest_from_camera"):
        sign = 1 if op == "nearest_to_camera" else -1
        depth = solid.centre[:, 2]
        step = max(0.03, 0.03 * float(depth.max(initial=0)))
        return Order(sign * depth, step), Order(sign * solid.low[:, 2])
    if op in ("largest", "smallest"):
        sign = -1 if op == "largest" else 1
        return tuple(Order(sign * size, ratio=1.2) for size in sizes(facts, mode))
    if op == "tallest":
        return Order(-solid.size[:, 1], 0.01, 1.1), Order(amodal.h, veto=1.3)
    if op == "widest":
        return Order(-solid.size[:, 0], ratio=1.15), Order(-amodal.w)
    if op == "thinnest":
        return (Order(solid.size.min(1), ratio=1.25),)
    if op == "roundest":
        return (Order(-facts.roundness, 0.05),)
    return (Order(-facts.hidden_share, 0.10),)


def _vertical(facts: SceneFacts, sign: int, mode: str, step: float) -> tuple[Order, ...]:
    modal, amodal = facts.shapes.modal, facts.shapes.amodal
    edge = amodal.y0 if sign > 0 else amodal.y1
    picture = (Order(sign * modal.cy, step), Order(sign * amodal.cy, step))
    if mode == "image":
        return (*picture, Order(sign * edge))
    return (Order(-sign * facts.shapes.solid.centre[:, 1], 0.03), *picture)


def nearness(facts: SceneFacts, anchors: NDArray[np.intp], far: bool) -> tuple[Order, ...]:
    """Orders of `nearest_to` and `farthest_from`: 3D gap, then distance in the picture."""
    sign = -1 if far else 1
    gaps = facts.gap[:, anchors].min(1) + 1e-4
    ways = [Order(sign * gaps, ratio=1.2)]
    for plane in (facts.shapes.modal, facts.shapes.amodal):
        apart = np.hypot(
            plane.cx[:, None] - plane.cx[anchors], plane.cy[:, None] - plane.cy[anchors]
        ).min(1)
        ways.append(Order(sign * apart, ratio=1.2))
    return tuple(ways)
