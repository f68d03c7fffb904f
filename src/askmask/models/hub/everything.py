"""Everything mode: a grid of points asks SAM for all masks, and the sure and stable ones stay.

The recipe of SAM's own mask generator, with two differences: stability and overlap are measured on
the decoder's grid, before masks are enlarged, and overlap is that of masks and not of their boxes,
so that a thing that fills the box of another one stays. At no time are more than a thousand
small masks and a few large ones in memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.hub.loading import Where
from askmask.models.hub.nms import mask_iou, suppress
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.prompts import Prompts
from askmask.models.hub.sam import Decoded, Sam
from askmask.models.visible import visible_candidates
from askmask.types import Candidates

__all__ = ["EverythingProposer", "grid_points", "stability"]

_MOST = 1000
"""Small masks that are kept until all points have been asked, the surest."""

_OFFSET = 1.0
"""How far, in logits, the outline is moved to see whether a mask is stable."""


def grid_points(count: int, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Centres of `count` x `count` cells of a picture, (count², 2) x and y, row by row."""
    along = (np.arange(count, dtype=np.float32) + 0.5) / count
    y, x = np.meshgrid(along * size_hw[0], along * size_hw[1], indexing="ij")
    return np.stack([x, y], -1).reshape(-1, 2).astype(np.float32)


def stability(logits: Tensor) -> Tensor:
    """How little masks change when their threshold does: IoU of a tighter and a looser cut.

    Args:
        logits: (N, h, w).

    Returns:
        (N,) in [0, 1]; 0 where there is no mask.
    """
    tight = (logits > _OFFSET).flatten(1).sum(1)
    loose = (logits > -_OFFSET).flatten(1).sum(1)
    return tight / loose.clamp(min=1)


class _Found(NamedTuple):
    """Masks so far: logits (N, h, w) float16 and expected IoU (N,)."""

    logits: Tensor
    iou: Tensor

    def chosen(self, rows: Tensor) -> _Found:
        return _Found(self.logits[rows], self.iou[rows])


class EverythingProposer:
    """`Proposer` of all masks that SAM sees in a picture, whatever they show."""

    def __init__(
        self,
        sam: Sam,
        *,
        grid: int | None = None,
        least_iou: float = 0.8,
        least_stability: float = 0.95,
        most_overlap: float = 0.7,
    ) -> None:
        """Set the mode.

        Args:
            sam: the model.
            grid: points along each side; None for 32, as its authors use, and 16 on a CPU, which
                takes a quarter of the time and loses the smallest things.
            least_iou: masks whose expected IoU is lower are dropped.
            least_stability: likewise, for `stability`.
            most_overlap: of two masks with a greater IoU the surer one stays.
        """
        self._sam = sam
        self._grid = grid or (16 if sam.on_cpu else 32)
        self._least_iou = least_iou
        self._least_stability = least_stability
        self._most_overlap = most_overlap

    @classmethod
    def load(
        cls, source: str, where: Where | None = None, *, batch: int | None = None, **options: Any
    ) -> EverythingProposer:
        """Load SAM from a folder or a repository.

        Args:
            source: of SAM 1, 2 or 3.
            where: device and precision.
            batch: points that are decoded at once; None for what suits the device.
            options: of the class.
        """
        return cls(Sam.load(source, where, batch=batch), **options)

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find masks in `image`, (H, W, 3) uint8 RGB, the surest first; there may be none."""
        size_hw = image.shape[0], image.shape[1]
        placement = self._sam.placement(image)
        points = Prompts(points_xy=grid_points(self._grid, size_hw)[:, None])
        best: list[_Found] = []
        for decoded in self._sam.decode(image, points, several=True):
            best = [_surest(*best, self._good(decoded, placement))]
        (found,) = best
        inside = placement.used(found.logits) > 0
        kept = found.chosen(suppress(mask_iou(inside), found.iou, self._most_overlap))
        score = kept.iou.clamp(0, 1).cpu().numpy()
        return visible_candidates(placement.rles(kept.logits), score, size_hw)

    def _good(self, decoded: Decoded, placement: Placement) -> _Found:
        """What is expected to be right, is stable and has a pixel in the picture."""
        logits, iou = decoded.logits.flatten(0, 1), decoded.iou.flatten()
        seen = placement.used(logits)
        good = (iou >= self._least_iou) & (stability(seen) >= self._least_stability)
        good &= (seen > 0).flatten(1).any(1)
        return _Found(logits[good].half(), iou[good])


def _surest(*found: _Found) -> _Found:
    """The best of all, best first."""
    together = _Found(*(torch.cat(parts) for parts in zip(*found, strict=True)))
    order = together.iou.argsort(descending=True, stable=True)
    return together.chosen(order[:_MOST])
