"""Which predicted masks hit which targets: COCO's greedy matching, and the best assignment.

All queries are matched at once. Only pairs with an IoU of at least 0.5 can match, which are few;
the ten thresholds of COCO are ten bits of one number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask import loops
from askmask.metrics.assignment import assign
from askmask.metrics.columns import CHUNK, Table, chunks
from askmask.metrics.matching_loop import match

__all__ = [
    "ALL_THRESHOLDS",
    "AREAS",
    "MAX_DETECTIONS",
    "THRESHOLDS",
    "best_assignment",
    "coco_matches",
    "outside",
    "ranking",
    "ranks",
]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""COCO's IoU thresholds; an IoU equal to a threshold passes it."""

AREAS = {"": (0.0, 1e10), "s": (0.0, 32.0**2), "m": (32.0**2, 96.0**2), "l": (96.0**2, 1e10)}
"""COCO's ranges of area in pixels, by their letter in APs, APm and APl; both ends belong to it."""

MAX_DETECTIONS = 100
"""Masks of a query that COCO looks at, best score first."""

ALL_THRESHOLDS = np.uint16((1 << len(THRESHOLDS)) - 1)
"""A bit for each threshold."""

_SAMPLE = 10_000
"""Scores from which it is guessed how all are spread."""

_PASSED = np.minimum(THRESHOLDS, 1 - 1e-10)

_Ints = NDArray[np.int64]
_Bits = NDArray[np.uint16]


def ranks(query: _Ints, score: NDArray[np.float64]) -> _Ints:
    """Return the place of each mask in its query, best score first; equal scores keep their order.

    Args:
        query: (D,) int64, never decreasing.
        score: (D,) float64.
    """
    order = np.lexsort((-score, query))
    place = np.empty(len(query), np.int64)
    first = np.searchsorted(query, query)
    place[order] = np.arange(len(query)) - first[order]
    return place


def ranking(score: NDArray[np.float64], looked_at: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return which of D masks, best score first; equal scores keep their order.

    Many masks are split by their scores first, so that no sort takes much memory.

    Args:
        score: (D,) float64.
        looked_at: (D,) bool, the masks to rank.
    """
    some = score[:: max(1, len(score) // _SAMPLE)]
    parts = len(score) // CHUNK + 1
    borders = np.unique(np.quantile(some, np.arange(1, parts) / parts)) if parts > 1 else some[:0]
    ranked = Table()
    ranked.append({"mask": np.zeros(0, np.int32)})
    for part in range(len(borders), -1, -1):
        masks = [np.zeros(0, np.int64)]
        for rows in chunks(len(score)):
            inside = looked_at[rows] & (borders.searchsorted(score[rows]) == part)
            masks.append(rows.start + np.flatnonzero(inside))
        together = np.concatenate(masks)
        order = np.argsort(-score[together], kind="stable")
        ranked.append({"mask": together[order].astype(np.int32)})
    return ranked.columns()["mask"]


def outside(area: _Ints) -> NDArray[np.bool_]:
    """Tell which areas, (K,) int64 pixels, lie outside of each range, (A, K) bool."""
    bounds = np.array([*AREAS.values()])
    return (area < bounds[:, :1]) | (area > bounds[:, 1:])


def coco_matches(
    mask: _Ints,
    target: _Ints,
    iou: NDArray[np.float64],
    query: _Ints,
    rank: _Ints,
    ignored_target: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    edges: int = 0,
) -> tuple[_Bits, _Bits]:
    """Match as COCOeval does: best score first, each takes the free target of the highest IoU.

    A target that is ignored (a crowd, or outside of the range of area) is taken only when no other
    can be, and a crowd can be taken again and again.

    Args:
        mask: (K,) int64, the mask of each pair.
        target: (K,) int64, the target of each pair.
        iou: (K,) float64.
        query: (D,) int64, index of each mask's query.
        rank: (D,) int64 of `ranks`.
        ignored_target: (A, G) bool, for each range of area.
        crowd: (G,) bool.
        edges: of all masks, by whose number compiled loops are chosen.

    Returns:
        matched and matched to an ignored target, both (A, D) uint16; bit t is that of threshold t.
    """
    passed = ((1 << np.searchsorted(_PASSED, iou, side="right")) - 1).astype(np.uint16)
    live = np.flatnonzero((passed > 0) & (rank[mask] < MAX_DETECTIONS))
    # COCO walks through the targets in order and keeps the last of equal IoUs.
    live = live[np.lexsort((-target[live], -iou[live], rank[mask[live]], query[mask[live]]))]
    if loops.worth(edges):
        pairs = mask[live], target[live], passed[live]
        return match(*pairs, ignored_target, crowd, len(query))
    matched, ignored = np.zeros((2, len(ignored_target), len(query)), np.uint16)
    free = np.full(ignored_target.shape, ALL_THRESHOLDS, np.uint16)
    for rows, wants_ignored in _turns(live, mask, query):
        m, g = mask[rows], target[rows]
        fits = ignored_target[:, g] == wants_ignored
        hit = np.where(fits, passed[rows] & free[:, g] & ~matched[:, m], 0).astype(np.uint16)
        matched[:, m] |= hit
        ignored[:, m] |= np.where(wants_ignored, hit, 0).astype(np.uint16)
        free[:, g] &= ~np.where(crowd[g], 0, hit).astype(np.uint16)
    return matched, ignored


def _turns(live: _Ints, mask: _Ints, query: _Ints) -> list[tuple[_Ints, NDArray[np.bool_]]]:
    """Split sorted pairs into turns with one pair a query, so that a turn is one array operation.

    Every mask has two passes through its pairs: those that count, then those that are ignored.
    """
    if not len(live):
        return []
    same_mask = np.concatenate(([0], np.cumsum(np.diff(mask[live]) != 0)))
    twice = np.concatenate((live, live))
    second = np.repeat([False, True], len(live))
    order = np.lexsort((np.tile(np.arange(len(live)), 2), second, np.tile(same_mask, 2)))
    twice, second = twice[order], second[order]
    owner = query[mask[twice]]
    turn = np.arange(len(twice)) - np.searchsorted(owner, owner)
    by_turn = np.argsort(turn, kind="stable")
    borders = np.searchsorted(turn[by_turn], np.arange(1, int(turn.max()) + 1))
    return [(twice[rows], second[rows]) for rows in np.split(by_turn, borders)]


def best_assignment(mask: _Ints, target: _Ints, iou: NDArray[np.float64], query: _Ints) -> _Ints:
    """Choose pairs, each mask and each target at most once, with the largest sum of IoU.

    So the result does not hang on scores or on the order of masks.

    Args:
        mask: (K,) int64, the mask of each pair.
        target: (K,) int64, the target of each pair.
        iou: (K,) float64 above 0.
        query: (D,) int64, index of each mask's query.

    Returns:
        Indices of the chosen pairs.
    """
    if not len(mask):
        return np.zeros(0, np.int64)
    # Nearly always all masks of a target have no other target: then its nearest mask wins.
    choosy = np.bincount(mask)[mask] > 1
    contested = np.bincount(target, choosy)[target] > 0
    order = np.lexsort((-iou, target, contested))[: (~contested).sum()]
    chosen = [order[np.flatnonzero(np.diff(target[order], prepend=-1))]]
    rest = np.flatnonzero(contested)
    rest = rest[np.argsort(query[mask[rest]], kind="stable")]
    borders = np.flatnonzero(np.diff(query[mask[rest]])) + 1
    for rows in np.split(rest, borders) if len(rest) else []:
        names, row = np.unique(mask[rows], return_inverse=True)
        goals, column = np.unique(target[rows], return_inverse=True)
        worth = np.zeros((len(names), len(goals)))
        worth[row, column] = iou[rows]
        pair = np.zeros(worth.shape, np.int64)
        pair[row, column] = rows
        chosen.append(np.array([pair[both] for both in assign(worth)], np.int64))
    return np.concatenate(chosen)
