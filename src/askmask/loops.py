"""Loops that numba compiles, where it is installed (`askmask[fast]`).

NumPy walks through the edges of masks a dozen times, these loops once. They give the same whole
numbers, so callers choose by size alone: starting numba takes longer than a small batch.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from askmask.compiled import compiled

__all__ = ["BATCH", "area", "cover", "intersect", "read", "sound", "worth"]

_Ints = NDArray[np.int64]

_INSTALLED = find_spec("numba") is not None

_WORTH = 200_000
"""Characters or edges from which on starting numba pays."""

BATCH = 500_000 if _INSTALLED else 100_000
"""Characters that are best read at a time: NumPy's arrays should fit a processor's cache."""

_ZERO, _LAST, _HIGHEST = 48, 79, 111
"""Lowest character, the highest that ends a number, and the highest."""

_MAX_SIGN = 16 << 5 * 4
"""Sign bit of a number of five characters, the longest that may go on; six are allowed in `rle`."""

_NEVER = 1 << 62
"""Position behind all edges."""


def worth(number: int) -> bool:
    """Whether so many characters or edges are worth compiled loops, and numba is there."""
    return _INSTALLED and number >= _WORTH


def _read(
    characters: NDArray[np.uint8], first: _Ints, pixels: _Ints, along: _Ints, edges: _Ints
) -> bool:
    """Write the edges of each code into `along` and where they end into `edges`, or only look."""
    written, offset, keep = 0, 0, len(edges) > 0
    for mask in range(len(pixels)):
        at, stop = first[mask], first[mask + 1]
        if at == stop or characters[stop - 1] > _LAST:  # so no number leaves its code
            return False
        position, runs, run, before = 0, 0, 0, 0
        while at < stop:
            group = int(characters[at]) - _ZERO
            number, sign = group & 31, 16
            at += 1
            while group > 31:
                if sign > _MAX_SIGN:
                    return False
                group = int(characters[at]) - _ZERO
                number |= (group & 31) * 2 * sign
                sign <<= 5
                at += 1
            number = (number ^ sign) - sign
            if runs > 2:  # from the fourth on: the difference to the run two before
                number += before
            position += number
            if number < 0 or position > pixels[mask]:
                return False
            before, run = run, number
            if keep:
                along[written] = offset + position
            written += 1
            runs += 1
        if position != pixels[mask]:
            return False
        written -= runs & 1  # the last run is background: its end is no edge
        if keep:
            edges[mask + 1] = written
        offset += pixels[mask] + 1
    return True


def _read_checked(
    characters: NDArray[np.uint8], first: _Ints, pixels: _Ints, along: _Ints, edges: _Ints
) -> bool:
    """Read codes as `_read` does, after a look at their characters, which is quicker apart."""
    if len(characters) and (characters.min() < _ZERO or characters.max() > _HIGHEST):
        return False
    return bool(compiled(_read)(characters, first, pixels, along, edges))


def read(characters: NDArray[np.uint8], first: _Ints, pixels: _Ints) -> tuple[_Ints, _Ints] | None:
    """Read M codes; None when one is malformed.

    Args:
        characters: (C,) uint8, of all codes end to end.
        first: (M + 1,) int64, where each code begins, and C.
        pixels: (M,) int64, of each code's size.

    Returns:
        (E,) int64 edges along one line and (M + 1,) int64 where each mask's begin; see
        `metrics.edges.Edges`.
    """
    along = np.empty(len(characters), np.int64)
    edges = np.zeros(len(first), np.int64)
    if not _read_checked(characters, first, pixels, along, edges):
        return None
    return along[: edges[-1]], edges


def sound(characters: NDArray[np.uint8], first: _Ints, pixels: _Ints) -> bool:
    """Whether M codes are well-formed; arguments as of `read`."""
    nowhere = np.empty(0, np.int64)
    return _read_checked(characters, first, pixels, nowhere, nowhere)


def _area(along: _Ints, first: _Ints, pixels: _Ints) -> None:
    """Sum the runs of each mask."""
    for mask in range(len(pixels)):
        for edge in range(first[mask], first[mask + 1], 2):
            pixels[mask] += along[edge + 1] - along[edge]


def area(along: _Ints, first: _Ints) -> _Ints:
    """Count the pixels of each of M masks, (M,) int64; edges as in `metrics.edges.Edges`."""
    pixels = np.zeros(len(first) - 1, np.int64)
    compiled(_area)(along, first, pixels)
    return pixels


def _unite(
    along: _Ints, first: _Ints, offset: _Ints, borders: _Ints, united: _Ints, edges: _Ints
) -> None:
    """Write the edges of the union of each group of consecutive masks into `united`."""
    longest = np.max(edges) + 4  # `edges` holds how many a group may have
    so_far = np.empty(longest, np.int64)
    alone = np.empty(longest, np.int64)
    merged = np.empty(longest, np.int64)
    written = 0
    edges[0] = 0
    for group in range(len(borders) - 1):
        if borders[group + 1] == borders[group] + 1:  # nearly half of them
            mask = borders[group]
            for edge in range(first[mask], first[mask + 1]):
                united[written] = along[edge] - offset[mask]
                written += 1
            edges[group + 1] = written
            continue
        number = 0
        for mask in range(borders[group], borders[group + 1]):
            start = first[mask]
            its_number = first[mask + 1] - start
            if not number:  # as it is: runs that touch or are empty cover what they cover
                for edge in range(its_number):
                    so_far[edge] = along[start + edge] - offset[mask]
                number = its_number
                continue
            for edge in range(its_number):
                alone[edge] = along[start + edge] - offset[mask]
            alone[its_number] = _NEVER
            so_far[number] = _NEVER
            # Without branches, as which mask is next cannot be foretold: the run that begins first
            # either goes on with the last one or lets it be.
            here = 0
            out = 0
            low = np.int64(-1)
            high = np.int64(-1)
            for run in range((number + its_number) // 2):
                there = 2 * run - here
                earlier = so_far[here] <= alone[there]
                begin = min(so_far[here], alone[there])
                end = so_far[here + 1] if earlier else alone[there + 1]
                here += 2 * earlier
                apart = begin > high
                merged[out] = low
                merged[out + 1] = high
                out += 2 * apart
                low = begin if apart else low
                high = max(high, end)  # what lies apart ends behind
            merged[out] = low
            merged[out + 1] = high
            number = out  # the first of the merged runs is (-1, -1)
            for edge in range(number):
                so_far[edge] = merged[edge + 2]
        for edge in range(number):
            united[written + edge] = so_far[edge]
        written += number
        edges[group + 1] = written


def _cover(united: _Ints, edges: _Ints, table: _Ints) -> None:
    """Walk through the four unions of each query side by side."""
    for query in range(len(table)):
        at, end = edges[4 * query : 4 * query + 4].copy(), edges[4 * query + 1 : 4 * query + 5]
        if at[2] == end[3]:  # two roles are nearly all that there is
            for role in range(2):
                total = 0
                for edge in range(at[role], end[role], 2):
                    total += united[edge + 1] - united[edge]
                table[query, 1 + role] = total
            here = at[0]
            there = at[1]
            both = 0
            while here < end[0] and there < end[1]:
                stop, its_stop = united[here + 1], united[there + 1]
                both += max(0, min(stop, its_stop) - max(united[here], united[there]))
                here += 2 * (stop <= its_stop)
                there += 2 * (its_stop <= stop)
            table[query, 1] -= both
            table[query, 2] -= both
            table[query, 3] = both
            continue
        column, position = 0, 0
        while True:
            nearest, kind = _NEVER, 0
            for role in range(4):
                if at[role] < end[role] and united[at[role]] < nearest:
                    nearest, kind = united[at[role]], role
            if nearest == _NEVER:
                break
            table[query, column] += nearest - position
            column ^= 1 << kind
            position = nearest
            at[kind] += 1


def cover(along: _Ints, first: _Ints, offset: _Ints, cell: _Ints, queries: int) -> _Ints:
    """Count the pixels of each query by the roles that cover them; see `metrics.overlap.regions`.

    Args:
        along: edges of M masks, with `first` and `offset` as in `metrics.edges.Edges`.
        first: where each mask's begin.
        offset: where each mask's stretch begins.
        cell: (M,) int64, never decreasing: four times the query, plus the role in [0, 4).
        queries: their number Q.

    Returns:
        (Q, 16) int64; column 0 holds what lies before and between masks.
    """
    borders = np.searchsorted(cell, np.arange(4 * queries + 1))
    united, edges = np.empty(len(along), np.int64), np.diff(first[borders], prepend=0)
    compiled(_unite)(along, first, offset, borders, united, edges)
    table = np.zeros((queries, 16), np.int64)
    compiled(_cover)(united, edges, table)
    return table


def _intersect(
    along: _Ints, first: _Ints, offset: _Ints, a: _Ints, b: _Ints, common: _Ints
) -> None:
    """Walk through the runs of two masks side by side."""
    for pair in range(len(a)):
        here, end = first[a[pair]], first[a[pair] + 1]
        there, its_end = first[b[pair]], first[b[pair] + 1]
        shift = offset[a[pair]] - offset[b[pair]]
        total = 0
        while here < end and there < its_end:
            last, its_last = along[here + 1], along[there + 1] + shift
            low = max(along[here], along[there] + shift)
            total += max(0, min(last, its_last) - low)
            here += 2 * (last <= its_last)
            there += 2 * (its_last <= last)
        common[pair] = total


def intersect(along: _Ints, first: _Ints, offset: _Ints, a: _Ints, b: _Ints) -> _Ints:
    """Count the pixels that mask a[k] and mask b[k] have in common, (K,) int64."""
    common = np.zeros(len(a), np.int64)
    compiled(_intersect)(along, first, offset, a, b, common)
    return common
