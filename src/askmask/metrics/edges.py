"""Run-length codes of many masks at once: read together, their cost is that of the characters.

One by one, NumPy's fixed cost of some microseconds a call would dominate. A mask is its edges, as
in `askmask.rle`: positions, down the columns, at which it starts and stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from askmask import loops, rle
from askmask.errors import RLEError
from askmask.rle import RLE

__all__ = ["Edges", "ranges", "read_edges", "read_texts"]

_Ints = NDArray[np.int64]

_MAX_GROUPS = 6
"""Characters of one number, as `askmask.rle` allows them."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of M masks on one line, on which each mask has a stretch of H * W + 1 places.

    Attributes:
        along: (E,) int64, for each mask start, stop, start, stop …; they never decrease, and runs
            without pixels may be among them.
        first: (M + 1,) int64, where each mask's edges begin; all even.
        offset: (M,) int64, where each mask's stretch begins: `along - offset` is in [0, H * W].
    """

    along: _Ints
    first: _Ints
    offset: _Ints

    def __len__(self) -> int:
        return len(self.offset)

    def of(self, masks: slice) -> _Ints:
        """Positions in the picture of the edges of consecutive masks."""
        start, stop, _ = masks.indices(len(self))
        part = self.along[self.first[start] : self.first[stop]]
        return part - np.repeat(self.offset[start:stop], self.number[start:stop])

    @cached_property
    def number(self) -> _Ints:
        """(M,) int64, edges of each mask."""
        return np.diff(self.first)

    @cached_property
    def area(self) -> _Ints:
        """(M,) int64, pixels of each mask."""
        if loops.worth(len(self.along)):
            return loops.area(self.along, self.first)
        total = np.zeros(len(self.along) // 2 + 1, np.int64)
        np.cumsum(self.along[1::2] - self.along[0::2], out=total[1:])
        return np.diff(total[self.first // 2])


def ranges(first: _Ints, number: _Ints) -> _Ints:
    """Return first[0], first[0] + 1, … (number[0] of them), first[1], … in one array."""
    ends = np.cumsum(number)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(first - ends + number, number)


def _numbers(characters: NDArray[np.uint8], first: _Ints) -> tuple[_Ints, _Ints] | None:
    """Numbers that the characters write, and where each mask's begin; None when malformed."""
    groups = characters - 48  # characters below "0" become large
    goes_on = groups > 31
    if groups.max() > 63 or goes_on[first[1:] - 1].any():
        return None
    numbers = (np.compress(~goes_on, groups) ^ 16).astype(np.int64)
    numbers -= 16  # the sign is that of the last group
    early = np.flatnonzero(goes_on)  # the groups that are not the last of their number
    number = early - np.arange(len(early))
    start = np.flatnonzero(np.diff(number, prepend=-1))
    count = np.diff(start, append=len(early))
    if len(count) and count.max() >= _MAX_GROUPS:
        return None
    long, at = number[start], early[start] + count  # few numbers are long, and hardly any very
    rest = np.arange(len(long))
    while len(rest):
        at[rest] -= 1
        numbers[long[rest]] = 32 * numbers[long[rest]] + (groups[at[rest]] & 31)
        rest = rest[at[rest] > early[start[rest]]]
    return numbers, first - np.searchsorted(early, first)


def _runs(numbers: _Ints, first: _Ints) -> _Ints:
    """Undo the differences to the run two before: (E,) run lengths, still unchecked.

    The sum of two neighbouring runs, F = c[i] + c[i - 1], grows by exactly the number written, so
    one cumulative sum gives it, and one over F with alternating signs gives the runs.
    """
    start = first[:-1]
    background = numbers[start]
    numbers[start] = 0
    numbers[start[1:]] = -np.add.reduceat(numbers, start)[:-1]  # every mask begins again from 0
    signed = np.cumsum(numbers, out=numbers)
    signed[1::2] *= -1
    signed[start[1:]] = -np.add.reduceat(signed, start)[:-1]
    runs = np.cumsum(signed, out=signed)
    runs[1::2] *= -1
    runs[start] = background
    return runs


def read_texts(texts: Sequence[str], pixels: _Ints) -> Edges | None:
    """Read the texts of M codes, or return None when one of them is malformed; M may be 0.

    Args:
        texts: the `counts` of each code.
        pixels: (M,) int64, of each code's size.
    """
    if not texts:
        nothing = np.zeros(0, np.int64)
        return Edges(nothing, np.zeros(1, np.int64), nothing)
    try:
        joined = "".join(texts)
    except TypeError:
        return None
    if not all(texts) or not joined.isascii():
        return None
    first = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([*map(len, texts)], out=first[1:])
    characters = np.frombuffer(joined.encode("ascii"), np.uint8)
    offset = np.cumsum(pixels + 1) - (pixels + 1)
    if loops.worth(len(characters)):
        found = loops.read(characters, first, pixels)
        return None if found is None else Edges(*found, offset)
    read = _numbers(characters, first)
    if read is None:
        return None
    numbers, first = read
    runs = _runs(numbers, first)
    if runs.min() < 0 or (np.add.reduceat(runs, first[:-1]) != pixels).any():
        return None
    runs[first[1:-1]] += 1
    along = np.cumsum(runs, out=runs)
    n = np.diff(first)
    odd = (n & 1) == 1
    if odd.any():  # the last run is background: its end is no edge
        keep = np.ones(len(along), bool)
        keep[first[1:][odd] - 1] = False
        along = along[keep]
    first = np.zeros(len(first), np.int64)
    np.cumsum(n & ~1, out=first[1:])
    return Edges(along, first, offset)


def read_edges(codes: Sequence[RLE]) -> Edges:
    """Read M codes, each of its own size; M may be 0.

    Raises:
        RLEError: when one is malformed, as `rle.validate` says it.
    """
    try:
        sizes = [code["size"] for code in codes]
        pixels = np.array([height * width for height, width in sizes], np.int64)
        edges = read_texts([code["counts"] for code in codes], pixels)
    except (KeyError, OverflowError, TypeError, ValueError):
        edges = None
    if edges is not None:
        return edges
    for code in codes:
        rle.validate(code)
    raise RLEError(f"RLE: expected {len(codes):,} well-formed codes")  # pragma: no cover
