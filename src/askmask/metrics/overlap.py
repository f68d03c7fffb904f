"""Pixels that masks have in common, counted on edges for many queries at once."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from askmask import loops
from askmask.errors import DataError
from askmask.metrics.edges import Edges, ranges

__all__ = ["Role", "pair_intersections", "pixels", "regions"]

_Ints = NDArray[np.int64]

_POINTS = 1_000_000
"""Edges that are looked up at a time: bounds the memory of queries with very many masks."""


class Role(IntEnum):
    """What a mask is in its query. Masks of one role are fused."""

    PREDICTED = 0
    TARGET = 1
    OTHER = 2
    IGNORED = 3


_BITS = 15
"""Bits for the number of masks of one role over a pixel: 14, and one that catches the carry."""

_MOST = (1 << (_BITS - 1)) - 1
_ONES = np.uint64(sum(_MOST << (_BITS * role) for role in Role))
_CARRIES = np.uint64(sum((_MOST + 1) << (_BITS * role) for role in Role))
_GATHER = np.uint64(sum(1 << (46 - 14 * role) for role in Role))
"""Multiplied with carries at the bits 14, 29, 44, 59, moves them to the bits 60 to 63."""

_STEPS = np.array([sign << (_BITS * role) for role in Role for sign in (1, -1)], np.int64)
"""What a start and a stop of each role add to the depth."""


def regions(edges: Edges, query: _Ints, role: NDArray[np.int64], size: _Ints) -> NDArray[np.int64]:
    """Count the pixels of each query by the roles that cover them.

    Args:
        edges: of M masks.
        query: (M,) int64, index of each mask's query, never decreasing.
        role: (M,) int64, `Role` of each mask.
        size: (Q,) int64, pixels of each query's picture.

    Returns:
        (Q, 16) int64; column c counts the pixels covered by exactly the roles whose bit,
        1 << role, is set in c. Column 0 holds 0.
    """
    q = len(size)
    cell = query * len(Role) + role
    if len(query) and np.bincount(cell).max() > _MOST:
        raise DataError(f"query: expected at most {_MOST:,} masks of one kind, got more")
    if loops.worth(len(edges.along)) and (np.diff(cell) >= 0).all():
        table = loops.cover(edges.along, edges.first, edges.offset, cell, q)
    else:
        table = _swept(edges, query, role, size)
    table[:, 0] = 0  # gaps, also those between queries
    return table


def _swept(edges: Edges, query: _Ints, role: _Ints, size: _Ints) -> _Ints:
    """Count the pixels of each query by roles, (Q, 16), with one sort over all edges."""
    q = len(size)
    base = np.cumsum(size + 1) - (size + 1)
    shift = ((base[query] - edges.offset) << 3) + (role << 1)
    keys = edges.along << 3
    keys += np.repeat(shift, edges.number)
    keys[1::2] += 1
    keys.sort(kind="stable")  # merges what is sorted already: each mask
    depth = np.cumsum(_STEPS[keys & 7]).view(np.uint64)
    depth += _ONES
    depth &= _CARRIES
    depth *= _GATHER
    depth >>= np.uint64(60)
    column = depth.view(np.int64)
    keys >>= 3
    width = np.zeros(len(keys))  # whole numbers; bincount is slow with integers
    np.subtract(keys[1:], keys[:-1], out=width[:-1])
    number = np.bincount(query, edges.number, q).astype(np.int64)
    column += np.repeat(16 * np.arange(q), number)
    return np.bincount(column, width, 16 * q).astype(np.int64).reshape(q, 16)


def pixels(
    table: NDArray[np.int64], *masks: tuple[Role, ...], without: tuple[Role, ...] = ()
) -> _Ints:
    """Sum the regions that lie in every one of `masks` and in none of `without`.

    Args:
        table: (Q, 16) int64 of `regions`.
        masks: each a choice of roles that are fused, e.g. (PREDICTED, TARGET) for their union.
        without: roles whose pixels do not count.

    Returns:
        (Q,) int64.
    """
    columns = np.arange(16)
    inside = np.ones(16, bool)
    for roles in masks:
        inside &= (columns & sum(1 << role for role in roles)) > 0
    inside &= (columns & sum(1 << role for role in without)) == 0
    total: _Ints = table[:, inside].sum(axis=1)
    return total


def pair_intersections(edges: Edges, a: _Ints, b: _Ints) -> _Ints:
    """Count the pixels that mask a[k] and mask b[k] have in common, (K,) int64.

    The number of pixels of `b` before a position is looked up at all edges of `a`; where `a` stops
    it is added, where it starts subtracted.
    """
    along = edges.along
    if loops.worth(len(along)):
        return loops.intersect(along, edges.first, edges.offset, a, b)
    before = np.zeros(len(along) + 1, np.int64)  # signed sum of edges: pixels of complete runs
    before[1:] = along
    before[1::2] *= -1
    np.cumsum(before, out=before)
    swap = edges.number[a] > edges.number[b]
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    number = edges.number[a]
    result = np.zeros(len(a), np.int64)
    block = (np.cumsum(number) - number) // _POINTS
    for rows in np.split(np.arange(len(a)), np.flatnonzero(np.diff(block)) + 1):
        rows = rows[number[rows] > 0]
        if not len(rows):
            continue
        n = number[rows]
        shift = edges.offset[b[rows]] - edges.offset[a[rows]]
        place = along[ranges(edges.first[a[rows]], n)] + np.repeat(shift, n)
        found = np.searchsorted(along, place, side="right")
        covered = before[found] + place * (found & 1)
        covered[0::2] *= -1
        result[rows] = np.add.reduceat(covered, np.cumsum(n) - n)
    return result
