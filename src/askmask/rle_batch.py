"""Many run-length codes checked in one pass, as a file of predictions holds them.

`rle.validate` takes one code and says what is wrong with it. Here all characters of hundreds of
codes lie end to end in one array, so that the cost of a NumPy call is shared by all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import loops
from askmask.rle import MAX_COUNTS, MAX_PIXELS, RLE

__all__ = ["all_fill", "all_valid"]

_MAX_GROUPS = 6
"""Characters of the longest number, as in `rle`."""

_MAX_CHAIN = 1 << 38
"""Largest running total of a batch: a batch of sums stays exact in int64."""

_Ints = NDArray[np.int64]


def _numbers(bits: NDArray[np.uint8], last: _Ints, length: _Ints) -> _Ints:
    """Read the numbers that end at the characters `last`: five bits a character, lowest first."""
    numbers = (bits[last].astype(np.int64) ^ 16) - 16  # the fifth bit is the sign
    more = np.flatnonzero(length > 1)
    back = 1
    while len(more):
        numbers[more] = (numbers[more] << 5) | (bits[last[more] - back] & 31)
        back += 1
        more = more[length[more] > back]
    return numbers


def _pixels(numbers: _Ints, first: _Ints, stop: _Ints) -> NDArray[np.float64] | None:
    """Sum the runs of each code, whose numbers are first … stop - 1; None when a run is negative.

    Each number is the difference to the one two before it, except for the first three of a code.
    So the codes' runs are chains in the even and in the odd numbers: a running total over all
    gives the runs, after what was reached before each chain's head is taken off.
    """
    pixels = np.zeros(len(first))
    heads = first[:, None] + np.arange(3)
    begins = heads < stop[:, None]
    for parity in (0, 1):
        chain = np.cumsum(numbers[parity::2])
        if not len(chain):
            continue
        if chain.max() > _MAX_CHAIN or chain.min() < -_MAX_CHAIN:
            return None
        code, place = np.nonzero(begins & (heads % 2 == parity))
        head = heads[code, place] >> 1
        before = np.where(head > 0, chain[head - 1], 0)
        if (np.minimum.reduceat(chain, head) < before).any():
            return None
        sums = np.add.reduceat(chain, head) - before * np.diff(head, append=len(chain))
        pixels += np.bincount(code, sums, len(first))
    return pixels


def _pixels_of(codes: Sequence[RLE]) -> _Ints | None:
    """Return (N,) int64 pixels of each code's size; None when one is outside the limits."""
    try:
        sizes = np.array([code["size"] for code in codes], np.int64)
    except OverflowError:
        return None
    if sizes.min() < 1 or sizes.max() > MAX_PIXELS:
        return None
    pixels: _Ints = sizes[:, 0] * sizes[:, 1]
    return pixels if pixels.max() <= MAX_PIXELS else None


def all_valid(codes: Sequence[RLE]) -> bool:
    """Whether all codes are well-formed; when False, `rle.validate` tells which and why.

    True is only said of what `rle.validate` accepts. False may also be said of sound codes of
    gigantic masks, whose sums a batch cannot hold.

    Args:
        codes: objects with `size`, a list of two ints, and `counts`, a str; nothing else is
            taken for granted. There may be none.
    """
    if not codes:
        return True
    pixels = _pixels_of(codes)
    return pixels is not None and all_fill([code["counts"] for code in codes], pixels)


def all_fill(texts: Sequence[str], pixels: _Ints) -> bool:
    """Whether all texts are well-formed runs that fill their pictures, as `all_valid` says it.

    Args:
        texts: the `counts` of N codes; there may be none.
        pixels: (N,) int64, of each picture, within the limits of `rle`.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    if (lengths > np.minimum(2 * pixels + 2, MAX_COUNTS)).any():
        return False
    try:
        characters = np.frombuffer("".join(texts).encode("ascii"), np.uint8)
    except UnicodeEncodeError:
        return False
    if not lengths.all():
        return False
    ends = np.cumsum(lengths)
    if loops.worth(len(characters)):
        return loops.sound(characters, np.concatenate(([0], ends)), pixels)
    bits = characters - np.uint8(48)
    if len(bits) and (bits.max() > 63 or (bits[ends - 1] > 31).any()):
        return False
    last = np.flatnonzero(bits < 32)
    length = np.diff(last, prepend=-1)
    if len(length) and length.max() > _MAX_GROUPS:
        return False
    stop = np.searchsorted(last, ends)
    first = np.concatenate(([0], stop[:-1]))
    found = _pixels(_numbers(bits, last, length), first, stop)
    return found is not None and bool((found == pixels).all())
