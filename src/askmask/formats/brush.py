"""Label Studio's brush code: a picture of the mask, run-length coded and packed bit by bit.

The stream, as the rle-pack codec defines it: 32 bits with the number of values; 5 bits with the
bits a value takes, less 1; four times 4 bits with the bits that a run length can take, less 1. Then
come blocks: 1 bit that tells a run (1) from single values (0), 2 bits that choose among the four
lengths, so many bits with the number of values, less 1, and the value, once for a run and each for
single values. Label Studio codes the four channels of an RGBA picture, row by row, and takes the
fourth as the mask.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError, ShapeError

__all__ = ["decode_brush", "encode_brush"]

_CHANNELS = 4
_VALUE_BITS = 8
_LENGTH_BITS = np.array([3, 4, 8, 16])
_HEADER_BITS = 32 + 5 + 4 * 4


def _bits(values: NDArray[np.int64], widths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Write each value in so many bits, highest first, one after the other."""
    ends = np.cumsum(widths)
    owner = np.repeat(np.arange(len(values)), widths)
    place = ends[owner] - 1 - np.arange(len(owner))  # from the right end of its value
    return ((values[owner] >> place) & 1).astype(np.uint8)


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Code a mask, (H, W) bool, as bytes from 0 to 255.

    Raises:
        ShapeError: when `mask` is not a two-dimensional bool array with at least one pixel.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or not mask.size:
        raise ShapeError(f"mask: expected (H, W) bool, got {mask.shape} {mask.dtype}")
    flat = mask.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    runs = np.diff(starts, append=flat.size) * _CHANNELS
    longest = 1 << int(_LENGTH_BITS[-1])
    pieces = -(-runs // longest)
    owner = np.repeat(np.arange(len(runs)), pieces)
    is_last = np.diff(owner, append=len(runs)) > 0
    lengths = np.where(is_last, runs[owner] - (pieces[owner] - 1) * longest, longest)
    values = np.where(flat[starts][owner], 255, 0)
    choice = np.searchsorted(1 << _LENGTH_BITS, lengths)
    bits = _LENGTH_BITS[choice]
    block = (((1 << 2 | choice) << bits | (lengths - 1)) << _VALUE_BITS) | values
    header = np.array([flat.size * _CHANNELS, _VALUE_BITS - 1, *(_LENGTH_BITS - 1)])
    stream = _bits(
        np.concatenate((header, block)),
        np.concatenate(([32, 5, 4, 4, 4, 4], 3 + bits + _VALUE_BITS)),
    )
    return [int(one) for one in np.packbits(stream)]


class _Stream:
    """Bits of a code, read from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, width: int) -> int:
        """Return the next `width` bits as a number."""
        end = self._at + width
        if end > 8 * len(self._data):
            raise DataError(f"brush: truncated after {len(self._data):,} bytes")
        last = -(-end // 8)
        number = int.from_bytes(self._data[self._at // 8 : last]) >> (8 * last - end)
        self._at = end
        return number & ((1 << width) - 1)


def _as_bytes(code: Sequence[int]) -> bytes:
    try:
        if not isinstance(code, list) or {type(one) for one in code} - {int}:
            raise ValueError
        return bytes(code)
    except ValueError:
        raise DataError(
            f"brush: expected a list of numbers from 0 to 255, got {reprlib.repr(code)}"
        ) from None


def decode_brush(code: Sequence[int], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask of a code, (H, W) bool: where the fourth channel is not 0.

    Raises:
        DataError: when the code is malformed or not of `size_hw`.
    """
    height, width = size_hw
    if not 0 < height * width <= rle.MAX_PIXELS:
        raise DataError(f"brush: expected 1 to {rle.MAX_PIXELS:,} pixels, got {list(size_hw)}")
    stream = _Stream(_as_bytes(code))
    count = stream.take(32)
    value_bits = stream.take(5) + 1
    length_bits = [stream.take(4) + 1 for _ in range(4)]
    if count != height * width * _CHANNELS:
        raise DataError(
            f"brush: expected {height} x {width} x {_CHANNELS} = {height * width * _CHANNELS:,} "
            f"values, got {count:,}"
        )
    lengths: list[int] = []
    values: list[int] = []
    filled = 0
    while filled < count:
        is_run = stream.take(1)
        length = stream.take(length_bits[stream.take(2)]) + 1
        filled += length
        if filled > count:
            raise DataError(f"brush: expected {count:,} values in all, got {filled:,}")
        if is_run:
            lengths.append(length)
            values.append(stream.take(value_bits))
        else:
            lengths += [1] * length
            values += [stream.take(value_bits) for _ in range(length)]
    flat = np.repeat(np.array(values) > 0, lengths)
    mask: NDArray[np.bool_] = flat.reshape(height, width, _CHANNELS)[..., -1]
    return np.ascontiguousarray(mask)
