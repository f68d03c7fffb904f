"""Dense masks that are already in memory, as in training and notebooks: counted eight at a time.

Packed to bits, a stack of masks is an eighth as large, so that intersections cost an eighth of
what they cost on bools. For masks from files use run-length codes instead; `askmask.metrics.count`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ShapeError

__all__ = ["fused_areas", "iou_matrix", "pack", "pair_areas"]

_Words = NDArray[np.uint64]


def _bits_set(words: _Words) -> NDArray[np.uint8]:
    """Number of bits that are 1 in each word."""
    if hasattr(np, "bitwise_count"):
        counted: NDArray[np.uint8] = np.bitwise_count(words)
        return counted
    pairs = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))  # NumPy before 2.0
    low = np.uint64(0x3333333333333333)
    nibbles = (pairs & low) + ((pairs >> np.uint64(2)) & low)
    bytes_ = (nibbles + (nibbles >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    summed: NDArray[np.uint64] = (bytes_ * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return summed.astype(np.uint8)


def pack(masks: NDArray[np.bool_]) -> _Words:
    """Pack masks, (N, H, W) bool, to (N, K) uint64 with 64 pixels a word, zeros at the end.

    Raises:
        ShapeError: when shape or dtype differ from the above.
    """
    if masks.ndim != 3 or masks.dtype != np.bool_:
        raise ShapeError(
            f"masks: expected (N, H, W) bool, got {masks.shape} {masks.dtype}; use masks > 0"
        )
    packed = np.packbits(masks.reshape(len(masks), masks.shape[1] * masks.shape[2]), axis=1)
    rest = -packed.shape[1] % 8
    if rest:
        packed = np.pad(packed, ((0, 0), (0, rest)))
    return packed.view(np.uint64)


def _area(words: _Words) -> NDArray[np.int64]:
    """Pixels along the last axis."""
    area = _bits_set(words).sum(axis=-1, dtype=np.uint32)  # twice as fast as int64
    return np.asarray(area, np.int64)


def pair_areas(
    predicted: _Words, target: _Words
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the pixels of every pair.

    Args:
        predicted: (P, K) of `pack`.
        target: (T, K) of `pack`, same size of picture.

    Returns:
        Pixels in both, (P, T); of each predicted mask, (P,); of each target, (T,); all int64.
    """
    _check_same_size(predicted, target)
    common = np.zeros((len(predicted), len(target)), np.int64)
    for column, mask in enumerate(target):
        common[:, column] = _area(predicted & mask)
    return common, _area(predicted), _area(target)


def iou_matrix(predicted: _Words, target: _Words) -> NDArray[np.float64]:
    """Return (P, T) float64, the IoU of each pair; 0.0 where both masks are empty."""
    common, predicted_area, target_area = pair_areas(predicted, target)
    either = predicted_area[:, None] + target_area - common
    ratio: NDArray[np.float64] = common / np.maximum(either, 1)
    return ratio


def fused_areas(
    predicted: _Words, target: _Words, ignored: _Words | None = None
) -> tuple[int, int]:
    """Count the pixels in both and in either of two fused stacks, without ignored pixels.

    Args:
        predicted: (P, K) of `pack`; no masks are no pixels.
        target: (T, K) of `pack`, same size of picture.
        ignored: (I, K) of `pack`, or None for nothing.
    """
    _check_same_size(predicted, target)
    p, t = (np.bitwise_or.reduce(stack, axis=0) for stack in (predicted, target))
    if ignored is not None:
        scored = ~np.bitwise_or.reduce(ignored, axis=0)
        p, t = p & scored, t & scored
    return int(_area(p & t)), int(_area(p | t))


def _check_same_size(predicted: _Words, target: _Words) -> None:
    if predicted.shape[1] != target.shape[1]:
        raise ShapeError(
            f"masks: expected one size of picture, got {predicted.shape[1]} and "
            f"{target.shape[1]} words a mask"
        )
