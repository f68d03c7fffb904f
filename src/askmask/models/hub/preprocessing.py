"""Pictures -> the square inputs of SAM 1, 2 and 3, and masks back, without torchvision.

What the official processors compute, to rounding: SAM 1 scales with Pillow and fills up with zeros;
SAM 2 and 3 stretch the picture with torch's antialiased bilinear filter *on bytes*, which rounds to
grey levels (on floats the result is up to one level off).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from askmask import rle
from askmask.rle import RLE

__all__ = ["SAM1", "SAM2", "SAM3", "Placement", "Preprocessing"]

_Triple = tuple[float, float, float]

_IMAGENET: tuple[_Triple, _Triple] = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_AT_ONCE = 8
"""Masks that are enlarged together; bounds the memory that a large picture takes."""


@dataclass(frozen=True)
class Placement:
    """How a picture lies in a network's input.

    Attributes:
        picture_hw: height and width of the picture.
        input_hw: height and width of the input.
        used_hw: the part at the top left that the picture covers; None when it is stretched over
            all of the input.
    """

    picture_hw: tuple[int, int]
    input_hw: tuple[int, int]
    used_hw: tuple[int, int] | None = None

    def points(self, points_xy: Tensor) -> Tensor:
        """Move points, (…, 2) x and y in pixels of the picture, to pixels of the input."""
        height, width = self.used_hw or self.input_hw
        scale = points_xy.new_tensor([width / self.picture_hw[1], height / self.picture_hw[0]])
        return points_xy * scale

    def used(self, grids: Tensor) -> Tensor:
        """Part of grids over the input, (…, h, w), that the picture covers; a view."""
        height, width = self._used_grid((grids.shape[-2], grids.shape[-1]))
        return grids[..., :height, :width]

    def grids(self, masks: Tensor, grid_hw: tuple[int, int]) -> Tensor:
        """Scale masks, (N, H, W) float in the picture's size, to (N, h, w) over the input."""
        height, width = self._used_grid(grid_hw)
        small = functional.interpolate(
            masks[None], (height, width), mode="bilinear", align_corners=False, antialias=True
        )[0]
        return functional.pad(small, (0, grid_hw[1] - width, 0, grid_hw[0] - height))

    def rles(self, logits: Tensor) -> list[RLE]:
        """Enlarge masks to the picture and code them; only a few are dense at a time.

        Args:
            logits: (N, h, w) on a grid over the input, positive inside.

        Returns:
            N codes in the picture's size.
        """
        codes = []
        for start in range(0, len(logits), _AT_ONCE):
            large = logits[None, start : start + _AT_ONCE].float()
            if self.used_hw is not None:
                large = _enlarged(large, self.input_hw)
                large = large[..., : self.used_hw[0], : self.used_hw[1]]
            inside = _enlarged(large, self.picture_hw)[0] > 0
            codes += [rle.encode(mask) for mask in inside.cpu().numpy()]
        return codes

    def _used_grid(self, grid_hw: tuple[int, int]) -> tuple[int, int]:
        used_hw = self.used_hw or self.input_hw
        height, width = (
            max(1, round(used * cells / side))
            for used, cells, side in zip(used_hw, grid_hw, self.input_hw, strict=True)
        )
        return height, width


def _enlarged(grids: Tensor, size_hw: tuple[int, int]) -> Tensor:
    return functional.interpolate(grids, size_hw, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Preprocessing:
    """What a family of networks wants pictures to be.

    Attributes:
        mean: of red, green and blue in [0, 1]; becomes 0.
        std: their deviation; becomes 1.
        keeps_shape: the longer side fills the square input, and zeros the rest; else the picture is
            stretched.
    """

    mean: _Triple
    std: _Triple
    keeps_shape: bool

    def placement(self, picture_hw: tuple[int, int], side: int) -> Placement:
        """How a picture of that size lies in a square input of `side` pixels."""
        if not self.keeps_shape:
            return Placement(picture_hw, (side, side))
        scale = side / max(picture_hw)
        height, width = (max(1, int(length * scale + 0.5)) for length in picture_hw)
        return Placement(picture_hw, (side, side), (height, width))

    def pixels(self, image: NDArray[np.uint8], side: int) -> Tensor:
        """Make the input of a picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            side: height and width of the input.

        Returns:
            (1, 3, side, side) float32.
        """
        placement = self.placement((image.shape[0], image.shape[1]), side)
        if placement.used_hw is None:
            channels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
            scaled = functional.interpolate(
                channels[None], (side, side), mode="bilinear", antialias=True
            )
        else:
            small = Image.fromarray(image).resize(
                placement.used_hw[::-1], Image.Resampling.BILINEAR
            )
            scaled = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None]
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        values = (scaled.float() / 255 - mean) / std
        return functional.pad(values, (0, side - values.shape[3], 0, side - values.shape[2]))


SAM1 = Preprocessing(*_IMAGENET, keeps_shape=True)
SAM2 = Preprocessing(*_IMAGENET, keeps_shape=False)
SAM3 = Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), keeps_shape=False)
