"""COCO's matching as a loop that numba compiles, for queries in numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.compiled import compiled

__all__ = ["match"]

_Ints = NDArray[np.int64]
_Bits = NDArray[np.uint16]


def _match(
    mask: _Ints,
    target: _Ints,
    passed: _Bits,
    ignored_target: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    matched: _Bits,
    ignored: _Bits,
    free: _Bits,
) -> None:
    """Go twice through the pairs of each mask: those that count, then those that are ignored."""
    start = 0
    while start < len(mask):
        m, stop = mask[start], start
        while stop < len(mask) and mask[stop] == m:
            stop += 1
        for wants_ignored in (False, True):
            for pair in range(start, stop):
                g = target[pair]
                for row in range(len(matched)):
                    hit = passed[pair] & free[row, g] & ~matched[row, m]
                    if hit == 0 or ignored_target[row, g] != wants_ignored:
                        continue
                    matched[row, m] |= hit
                    if wants_ignored:
                        ignored[row, m] |= hit
                    if not crowd[g]:
                        free[row, g] &= ~hit
        start = stop


def match(
    mask: _Ints,
    target: _Ints,
    passed: _Bits,
    ignored_target: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    masks: int,
) -> tuple[_Bits, _Bits]:
    """Match D masks as COCO does; see `matching.coco_matches`.

    Args:
        mask: (K,) int64, the mask of each pair, best score first in each query.
        target: (K,) int64, the target of each pair, the highest IoU of a mask first.
        passed: (K,) uint16, bit t: the IoU passes threshold t.
        ignored_target: (A, G) bool, for each range of area.
        crowd: (G,) bool.
        masks: their number D.

    Returns:
        matched and matched to an ignored target, both (A, D) uint16.
    """
    matched, ignored = np.zeros((2, len(ignored_target), masks), np.uint16)
    free = np.full(ignored_target.shape, np.iinfo(np.uint16).max, np.uint16)
    compiled(_match)(mask, target, passed, ignored_target, crowd, matched, ignored, free)
    return matched, ignored
