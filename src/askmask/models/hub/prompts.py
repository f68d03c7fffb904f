"""What a promptable model is asked: points, boxes and rough masks of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from askmask import rle
from askmask.errors import QueryError, ShapeError
from askmask.types import Masks

__all__ = ["Prompts", "boxes_of"]


@dataclass(frozen=True)
class Prompts:
    """P prompts about one picture, each by points, by a box, by a mask, or by several of these.

    Attributes:
        points_xy: (P, K, 2) float, in pixels of the picture.
        labels: (P, K) integer: 1 on the object, 0 beside it, -10 no point; None means all are 1.
        boxes_xyxy: (P, 4) float.
        masks: (P, H, W) bool, each with a pixel at least.
    """

    points_xy: NDArray[np.float32] | None = None
    labels: NDArray[np.int64] | None = None
    boxes_xyxy: NDArray[np.float32] | None = None
    masks: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        wanted = {
            "points_xy": (3, 2),
            "labels": (2, None),
            "boxes_xyxy": (2, 4),
            "masks": (3, None),
        }
        given = {name: value for name in wanted if (value := getattr(self, name)) is not None}
        for name, value in given.items():
            dimensions, last = wanted[name]
            if value.ndim != dimensions or last not in (None, value.shape[-1]):
                raise ShapeError(f"Prompts: {name} of shape {value.shape} is not one row a prompt")
        if len({len(value) for value in given.values()}) != 1:
            shapes = {name: value.shape for name, value in given.items()}
            raise ShapeError(f"Prompts: expected one row a prompt in each of {shapes or 'nothing'}")
        if self.labels is not None and (
            self.points_xy is None or self.labels.shape != self.points_xy.shape[:2]
        ):
            raise ShapeError("Prompts: expected one label a point")

    @classmethod
    def of(
        cls,
        size_hw: tuple[int, int],
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        masks: Masks | NDArray[np.bool_] | None = None,
    ) -> Prompts:
        """Make prompts of whatever was given about a picture of `size_hw`.

        Masks without boxes get the boxes around them: a mask alone says little to these models.

        Raises:
            ShapeError: when an argument has another shape, or masks another size than the picture.
            QueryError: when a mask has no pixels to draw a box around.
        """
        rough = masks.dense() if isinstance(masks, Masks) else masks
        if rough is not None:
            _check_masks(rough, size_hw)
            boxes = boxes_of(rough) if boxes is None else boxes
        return cls(
            None if points is None else np.asarray(points, np.float32),
            None if labels is None else np.asarray(labels, np.int64),
            None if boxes is None else np.asarray(boxes, np.float32),
            rough,
        )

    def __len__(self) -> int:
        return len(next(value for value in self._fields() if value is not None))

    def __getitem__(self, rows: slice) -> Prompts:
        return Prompts(*(None if value is None else value[rows] for value in self._fields()))

    def _fields(self) -> tuple[NDArray[Any] | None, ...]:
        return self.points_xy, self.labels, self.boxes_xyxy, self.masks

    @property
    def ambiguous(self) -> bool:
        """Whether each is one point only, which may mean a part, an object or a group."""
        alone = self.boxes_xyxy is None and self.masks is None
        return alone and self.points_xy is not None and self.points_xy.shape[1] == 1


def _check_masks(masks: NDArray[np.bool_], size_hw: tuple[int, int]) -> None:
    if masks.ndim != 3 or masks.dtype != np.bool_ or masks.shape[1:] != size_hw:
        raise ShapeError(
            f"masks: expected (P, {size_hw[0]}, {size_hw[1]}) bool, got {masks.shape} {masks.dtype}"
        )


def boxes_of(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Boxes around masks, (P, 4) x0, y0, x1, y1 of (P, H, W).

    Raises:
        QueryError: when a mask has no pixels.
    """
    boxes = []
    for number, mask in enumerate(masks):
        box = rle.box_xyxy(rle.encode(mask))
        if box is None:
            raise QueryError(f"mask {number} has no pixels: there is nothing to refine")
        boxes.append(box)
    return np.array(boxes, np.float32).reshape(-1, 4)
