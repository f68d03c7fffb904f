"""Run-length codes of many masks at once: read together, their cost is that of the characters.

One by one, NumPy's fixed cost of some microseconds a call would dominate. A mask is its edges, as
in `askmask.rle`: positions, down the columns, at which it starts and stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import RLEError
from askmask.rle import RLE

__all__ = ["Edges", "ranges", "read_edges"]

_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of M masks, end to end.

    Attributes:
        position: (E,) int64 in [0, H * W], for each mask start, stop, start, stop …; within a mask
            they never decrease, and runs without pixels may be among them.
        first: (M + 1,) int64, where each mask's edges begin; all even.
    """

    position: _Ints
    first: _Ints

    def __len__(self) -> int:
        return len(self.first) - 1

    def of(self, mask: int) -> _Ints:
        """Edges of one mask."""
        return self.position[self.first[mask] : self.first[mask + 1]]

    @property
    def number(self) -> _Ints:
        """(M,) int64, edges of each mask."""
        return np.diff(self.first)

    @property
    def area(self) -> _Ints:
        """(M,) int64, pixels of each mask."""
        lengths = self.position[1::2] - self.position[0::2]
        total = np.concatenate(([0], np.cumsum(lengths)))
        return np.diff(total[self.first // 2])


def ranges(first: _Ints, number: _Ints) -> _Ints:
    """Return first[0], first[0] + 1, … (number[0] of them), first[1], … in one array."""
    ends = np.cumsum(number)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(first - ends + number, number)


def _numbers(characters: NDArray[np.uint8], first: _Ints) -> tuple[_Ints, _Ints] | None:
    """Numbers that the characters write, and where each mask's begin; None when malformed."""
    groups = characters - 48
    ends = np.flatnonzero(groups < 32)
    if not len(ends) or groups.max() > 63 or (groups[first[1:] - 1] > 31).any():
        return None
    numbers = ((groups[ends] ^ 16).astype(np.int64)) - 16  # the sign is that of the last group
    lengths = np.diff(ends, prepend=-1)
    if lengths.max() > 6:
        return None
    long = np.flatnonzero(lengths > 1)
    for back in range(1, int(lengths.max())):
        long = long[lengths[long] > back]
        numbers[long] = 32 * numbers[long] + (groups[ends[long] - back] & 31)
    return numbers, np.searchsorted(ends, first)


def _runs(numbers: _Ints, first: _Ints, odd: _Ints) -> _Ints:
    """Undo the differences to the run two before: (E,) run lengths, still unchecked.

    The sum of two neighbouring runs, F = c[i] + c[i - 1], grows by exactly the number written, so
    one cumulative sum gives it, and one over F with alternating signs gives the runs.
    """
    start, background = first[:-1], numbers[first[:-1]]
    steps = numbers.copy()
    steps[start] = 0
    steps[start[1:]] = -np.add.reduceat(steps, start)[:-1]  # every mask begins again from 0
    signed = np.cumsum(steps)
    sign = 1 - 2 * odd
    signed *= sign
    signed[start[1:]] = -np.add.reduceat(signed, start)[:-1]
    runs = np.cumsum(signed)
    runs *= sign
    runs[start] = background
    return runs


def _read(codes: Sequence[RLE], pixels: _Ints) -> Edges | None:
    """Read all codes, or None when one of them is malformed."""
    texts = [code["counts"] for code in codes]
    if not all(texts):
        return None
    first = np.concatenate(([0], np.cumsum([*map(len, texts)])))
    joined = "".join(texts)
    if not joined.isascii():
        return None
    read = _numbers(np.frombuffer(joined.encode("ascii"), np.uint8), first)
    if read is None:
        return None
    numbers, first = read
    n = np.diff(first)
    odd = (np.arange(len(numbers)) - np.repeat(first[:-1], n)) & 1
    runs = _runs(numbers, first, odd)
    if runs.min() < 0 or (np.add.reduceat(runs, first[:-1]) != pixels).any():
        return None
    before = np.cumsum(pixels) - pixels
    position = np.cumsum(runs) - np.repeat(before, n)
    if (n & 1).any():  # the last run is background: its end is no edge
        keep = np.ones(len(position), bool)
        keep[first[1:][(n & 1) == 1] - 1] = False
        position = position[keep]
    return Edges(position, np.concatenate(([0], np.cumsum(n & ~1))))


def read_edges(codes: Sequence[RLE]) -> Edges:
    """Read M codes, each of its own size; M may be 0.

    Raises:
        RLEError: when one is malformed, as `rle.validate` says it.
    """
    if not codes:
        return Edges(np.zeros(0, np.int64), np.zeros(1, np.int64))
    try:
        pixels = np.array([code["size"][0] * code["size"][1] for code in codes], np.int64)
        edges = _read(codes, pixels)
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError):
        edges = None
    if edges is not None:
        return edges
    for code in codes:
        rle.validate(code)
    raise RLEError(f"RLE: expected {len(codes):,} well-formed codes")  # pragma: no cover
