"""What a completer must beat: adding nothing, and filling the convex hull."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.geometry import fill_centres
from askmask.models.completion import MaskCompleter

__all__ = ["HullCompleter", "NoCompleter", "convex_hull"]

Answers = tuple[NDArray[np.bool_], NDArray[np.float32]]


class NoCompleter(MaskCompleter):
    """Returns the modal masks as they are."""

    def __init__(self, name: str = "none") -> None:
        self.model_id = name

    @classmethod
    def load(cls, name: str) -> NoCompleter:
        """Nothing to open."""
        return cls(name)

    def _guess(self, image: NDArray[np.uint8], modal: NDArray[np.bool_]) -> Answers:
        return modal, _flat(modal)


class HullCompleter(MaskCompleter):
    """Fills the convex hull of each mask, whatever the picture shows."""

    def __init__(self, name: str = "convex-hull") -> None:
        self.model_id = name

    @classmethod
    def load(cls, name: str) -> HullCompleter:
        """Nothing to open."""
        return cls(name)

    def _guess(self, image: NDArray[np.uint8], modal: NDArray[np.bool_]) -> Answers:
        hulls = [convex_hull(mask) for mask in modal]
        return np.stack(hulls) if hulls else modal, _flat(modal)


def _flat(modal: NDArray[np.bool_]) -> NDArray[np.float32]:
    """One half for every mask that is not empty: these have no opinion."""
    return np.where(modal.any((1, 2)), 0.5, 0.0).astype(np.float32)


def convex_hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the convex hull of the pixel centres of `mask`, (H, W) bool; an empty mask stays so."""
    rows = np.flatnonzero(mask.any(1))
    if not len(rows):
        return mask.copy()
    first = mask[rows].argmax(1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(1)
    left = _chain(np.stack([first, rows], 1), turn=1)
    right = _chain(np.stack([last, rows], 1), turn=-1)
    return fill_centres([np.concatenate([left, right[::-1]])], (mask.shape[0], mask.shape[1]))


def _chain(points_xy: NDArray[np.int64], turn: int) -> NDArray[np.int64]:
    """Half of a hull: the points, sorted by row, that bulge to one side (Andrew 1979).

    Args:
        points_xy: (K, 2), one point a row, top to bottom.
        turn: 1 for the left side, -1 for the right side.
    """
    chain: list[NDArray[np.int64]] = []
    for point in points_xy:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-1] - chain[-2], point - chain[-2]
            if turn * (ax * by - ay * bx) < 0:
                break
            chain.pop()
        chain.append(point)
    return np.array(chain)
