"""What `--reference` accepts: a mask picture, run-length codes, or a point on an object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import ConfigError, DataError, QueryError
from askmask.formats.files import read_json
from askmask.images import read_mask
from askmask.models.segmenter import PointReference, Segmenter
from askmask.types import Masks

__all__ = ["Point", "read_reference", "resolve"]

_POINT = re.compile(r"\s*(-?\d{1,9})\s*,\s*(-?\d{1,9})\s*")
_MAX_JSON_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Point:
    """A pixel of the picture that lies on the object that is meant: column x, row y."""

    x: int
    y: int


def read_reference(
    argument: str, size_hw: tuple[int, int], option: str = "--reference"
) -> list[Point] | list[NDArray[np.bool_]]:
    """Read one `--reference`: "x,y", a file of one or several codes (*.json), or a mask picture.

    Args:
        argument: what the user wrote.
        size_hw: height and width that the masks must have.
        option: what messages call it.

    Raises:
        QueryError: when a point is outside the picture, or a mask has another size or is empty.
        DataError, ImageError: when a file cannot be read.
    """
    height, width = size_hw
    point = _POINT.fullmatch(argument)
    if point:
        x, y = int(point[1]), int(point[2])
        if not (0 <= x < width and 0 <= y < height):
            raise QueryError(
                f"{option} {argument}: the point is outside the picture of {width} x {height} "
                f"pixels: x goes from 0 to {width - 1} and y from 0 to {height - 1}"
            )
        return [Point(x, y)]
    path = Path(argument)
    masks = _read_codes(path) if path.suffix.lower() == ".json" else [read_mask(path)]
    for mask in masks:
        if mask.shape != (height, width):
            raise QueryError(
                f"{option} {argument}: the mask is {mask.shape[1]} x {mask.shape[0]} pixels, "
                f"the picture is {width} x {height}: give a mask in the picture's size"
            )
        if not mask.any():
            raise QueryError(f"{option} {argument}: the mask is empty: mark at least one pixel")
    return masks


def _read_codes(path: Path) -> list[NDArray[np.bool_]]:
    """Decode a file that holds one run-length code or a list of them."""
    content = read_json(path, _MAX_JSON_BYTES)
    codes = content if isinstance(content, list) else [content]
    if not codes:
        raise DataError(f"{path}: expected one RLE or a list of them, got an empty list")
    masks = []
    for number, code in enumerate(codes, 1):
        try:
            rle.validate(code)
        except DataError as error:
            where = f"{path}, code {number}" if isinstance(content, list) else str(path)
            raise type(error)(f"{where}: {error}") from None
        masks.append(rle.decode(code))
    return masks


def resolve(
    references: list[Point | NDArray[np.bool_]], model: Segmenter, option: str = "--reference"
) -> Masks | None:
    """Turn points into the masks of the objects there; the picture must be set.

    Args:
        references: as `read_reference` gives them.
        model: segmenter whose picture is set.
        option: what messages call a point.

    Returns:
        One mask a reference, in order, or None when there are none.

    Raises:
        ConfigError: when there are points, and the model cannot look at points.
        QueryError: when there is no object at a point.
    """
    masks = [
        _mask_at(item, model, option) if isinstance(item, Point) else item for item in references
    ]
    return Masks.from_dense(np.stack(masks)) if masks else None


def _mask_at(point: Point, model: Segmenter, option: str) -> NDArray[np.bool_]:
    if not isinstance(model, PointReference):
        raise ConfigError(
            f"{option} {point.x},{point.y}: model {model.model_id!r} takes no points: give a "
            "mask picture"
        )
    mask = model.mask_at(point.x, point.y)
    if mask is None:
        raise QueryError(
            f"{option} {point.x},{point.y}: no object was found there: choose another point or "
            "give a mask picture"
        )
    return mask
