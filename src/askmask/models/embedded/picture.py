"""Fit a picture into the network's input and map masks back to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Fit", "normalise"]

_MEAN, _STD = 0.45, 0.25


def normalise(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn (…, H, W, 3) uint8 RGB into (…, 3, H, W) float32 of about zero mean and unit range."""
    scaled = (images / np.float32(255) - np.float32(_MEAN)) / np.float32(_STD)
    return np.moveaxis(scaled, -1, -3).astype(np.float32)


@dataclass(frozen=True)
class Fit:
    """How a picture lies in the network's input: scaled to fit, at the top left, padded grey.

    Attributes:
        picture_hw: height and width of the picture.
        input_hw: height and width of the network's input.
    """

    picture_hw: tuple[int, int]
    input_hw: tuple[int, int]

    @property
    def scale(self) -> float:
        """Input pixels per picture pixel."""
        return min(
            self.input_hw[0] / self.picture_hw[0],
            self.input_hw[1] / self.picture_hw[1],
        )

    @property
    def used_hw(self) -> tuple[int, int]:
        """Part of the input that the picture covers, at least one pixel."""
        return (
            min(self.input_hw[0], max(1, round(self.picture_hw[0] * self.scale))),
            min(self.input_hw[1], max(1, round(self.picture_hw[1] * self.scale))),
        )

    def image(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale and pad a picture, (H, W, 3) uint8 RGB, to the network's input."""
        height, width = self.used_hw
        if (height, width) != self.picture_hw:
            scaled = Image.fromarray(picture).resize(
                (width, height),
                Image.Resampling.BOX if self.scale <= 0.5 else Image.Resampling.BILINEAR,
            )
            picture = np.asarray(scaled)
        padded = np.full((*self.input_hw, 3), 114, np.uint8)
        padded[:height, :width] = picture
        return padded

    def coverage(self, mask: NDArray[np.bool_], grid_hw: tuple[int, int]) -> NDArray[np.float32]:
        """Scale a picture's mask to a grid over the input.

        Args:
            mask: (H, W) bool in the picture's size.
            grid_hw: height and width of the grid.

        Returns:
            grid_hw float32, share of each cell that the mask covers.
        """
        height, width = self._used_grid(grid_hw)
        small = Image.fromarray(mask.astype(np.float32)).resize(
            (width, height), Image.Resampling.BOX
        )
        grid = np.zeros(grid_hw, np.float32)
        grid[:height, :width] = np.asarray(small)
        return grid

    def masks(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Scale mask logits on a grid over the input back to the picture.

        Bicubic interpolation follows the outlines of small things a little better than bilinear.

        Only the surroundings of each mask are scaled: masks are small, pictures may be large.

        Args:
            logits: (N, h, w) float32, positive inside.

        Returns:
            (N, H, W) bool in the picture's size.
        """
        full = np.zeros((len(logits), *self.picture_hw), bool)
        # Picture pixels per grid cell, down and across.
        step_y = self.input_hw[0] / logits.shape[1] / self.scale
        step_x = self.input_hw[1] / logits.shape[2] / self.scale
        for target, source in zip(full, logits, strict=True):
            rows, columns = np.flatnonzero((source > 0).any(1)), np.flatnonzero((source > 0).any(0))
            if not len(rows):
                continue
            top, bottom = _span(rows, step_y, self.picture_hw[0])
            left, right = _span(columns, step_x, self.picture_hw[1])
            if bottom <= top or right <= left:
                continue
            box = (left / step_x, top / step_y, right / step_x, bottom / step_y)
            box = (box[0], box[1], min(box[2], source.shape[1]), min(box[3], source.shape[0]))
            scaled = Image.fromarray(np.ascontiguousarray(source)).resize(
                (right - left, bottom - top), Image.Resampling.BICUBIC, box=box
            )
            np.greater(np.asarray(scaled), 0, out=target[top:bottom, left:right])
        return full

    def _used_grid(self, grid_hw: tuple[int, int]) -> tuple[int, int]:
        return (
            max(1, round(self.used_hw[0] * grid_hw[0] / self.input_hw[0])),
            max(1, round(self.used_hw[1] * grid_hw[1] / self.input_hw[1])),
        )


def _span(cells: NDArray[np.intp], step: float, limit: int) -> tuple[int, int]:
    """Pixels from two cells, the reach of the interpolation, before `cells` to two after them."""
    return max(0, int((cells[0] - 2) * step)), min(limit, int(np.ceil((cells[-1] + 3) * step)))
