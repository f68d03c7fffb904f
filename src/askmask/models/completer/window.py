"""The square of a picture that the completer looks at: cut out around a mask, and put back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.models.completer.config import CHANNELS
from askmask.models.embedded.picture import normalise

__all__ = ["Window", "window_around"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A square of a picture, which may reach beyond it, divided into cells.

    Attributes:
        top: its first row, in pixels of the picture.
        left: its first column.
        side: its height and width, in pixels of the picture.
        cells: height and width of the crop that is made of it.
        picture_hw: height and width of the picture.
    """

    top: float
    left: float
    side: float
    cells: int
    picture_hw: tuple[int, int]

    @property
    def step(self) -> float:
        """Pixels of the picture a cell."""
        return self.side / self.cells

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns of cells that show a part of the picture."""
        return (
            self._shown(self.top, self.picture_hw[0]),
            self._shown(self.left, self.picture_hw[1]),
        )

    def _shown(self, start: float, limit: int) -> slice:
        first = max(0, math.floor(-start / self.step))
        last = min(self.cells, math.ceil((limit - start) / self.step))
        return slice(min(first, self.cells - 1), max(last, first + 1))

    def crop(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Floats:
        """Make the network's input.

        Args:
            image: (H, W, 3) uint8 RGB.
            mask: (H, W) bool, the modal mask.

        Returns:
            (5, cells, cells) float32: normalised colours and 0 beyond the picture, share of each
            cell that the mask covers, 1 inside the picture.
        """
        crop = np.zeros((CHANNELS, self.cells, self.cells), np.float32)
        rows, columns = self.inside
        crop[:3, rows, columns] = normalise(self._scaled(image))
        crop[3, rows, columns] = self._scaled(mask) / np.float32(255)
        crop[4, rows, columns] = 1
        return crop

    def _scaled(self, array: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Scale the part of the picture that is inside to cells; a mask becomes 0 to 255."""
        rows, columns = self.inside
        (y0, y1), (x0, x1) = (
            self._pixels(rows, self.top, self.picture_hw[0]),
            self._pixels(columns, self.left, self.picture_hw[1]),
        )
        top, left = math.floor(y0), math.floor(x0)
        part = np.ascontiguousarray(array[top : math.ceil(y1), left : math.ceil(x1)])
        if part.dtype == np.bool_:
            part = part.astype(np.uint8) * np.uint8(255)
        scaled = Image.fromarray(part).resize(
            (columns.stop - columns.start, rows.stop - rows.start),
            Image.Resampling.BILINEAR,
            box=(x0 - left, y0 - top, x1 - left, y1 - top),
        )
        return np.asarray(scaled)

    def _pixels(self, cells: slice, start: float, limit: int) -> tuple[float, float]:
        """First and last edge, in pixels, of a row or column of cells; never beyond the picture."""
        first = min(max(0.0, start + cells.start * self.step), limit - 1e-3)
        return first, min(float(limit), start + cells.stop * self.step)

    def reaches_border(self, shape: NDArray[np.bool_]) -> bool:
        """Whether a shape, (cells, cells) bool, meets a border beyond which the picture goes on."""
        rows, columns = self.inside
        height, width = self.picture_hw
        return bool(
            (self.top > 0 and shape[0, columns].any())
            or (self.left > 0 and shape[rows, 0].any())
            or (self.top + self.side < height and shape[-1, columns].any())
            or (self.left + self.side < width and shape[rows, -1].any())
        )

    def paste(self, logits: Floats, cut: float) -> NDArray[np.bool_]:
        """Scale logits, (cells, cells), back to a mask of the picture: (H, W) bool above `cut`."""
        mask = np.zeros(self.picture_hw, bool)
        top, left = max(0, math.floor(self.top)), max(0, math.floor(self.left))
        bottom = min(self.picture_hw[0], math.ceil(self.top + self.side))
        right = min(self.picture_hw[1], math.ceil(self.left + self.side))
        if bottom <= top or right <= left:
            return mask
        edges = np.array([left, top, right, bottom]) - [self.left, self.top, self.left, self.top]
        x0, y0, x1, y1 = np.clip(edges / self.step, 0, self.cells).tolist()
        scaled = Image.fromarray(np.ascontiguousarray(logits)).resize(
            (right - left, bottom - top), Image.Resampling.BICUBIC, box=(x0, y0, x1, y1)
        )
        np.greater(np.asarray(scaled), cut, out=mask[top:bottom, left:right])
        return mask


def window_around(
    mask: NDArray[np.bool_], *, reach: float, least_side: float, cells: int
) -> Window:
    """Centre a window on the box around a mask, and move it into the picture as far as it fits.

    Args:
        mask: (H, W) bool, not empty.
        reach: side of the window, in longer sides of the box.
        least_side: smallest side, in pixels; no window is larger than the picture's longer side.
        cells: height and width of the crop.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    height, width = mask.shape
    side = max(least_side, reach * max(bottom - top, right - left))
    side = min(side, float(max(height, width)))
    start_y, start_x = _placed(top, bottom, side, height), _placed(left, right, side, width)
    return Window(start_y, start_x, side, cells, (height, width))


def _placed(first: int, last: int, side: float, limit: int) -> float:
    """Start of a window around `first` to `last`, inside 0 to `limit`, or around all of it."""
    if side >= limit:
        return (limit - side) / 2
    return min(max(0.0, (first + last - side) / 2), limit - side)
