"""A mask in any form in which annotation files have one: run lengths or polygons."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, cast

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.polygons import fill_polygons
from askmask.rle import RLE

__all__ = ["read_segmentation"]


def read_segmentation(value: Any, size_hw: tuple[int, int], where: str) -> RLE:
    """Read a mask in any of COCO's forms: compressed or plain run lengths, or polygons.

    Args:
        value: `{"size", "counts"}` with a string or a list, a list of flat polygons, or one flat
            polygon.
        size_hw: size that the mask must have.
        where: file and record, for messages.

    Raises:
        DataError: when it is none of these, of another size, or outside the picture.
    """
    if isinstance(value, list):
        flat = bool(value) and isinstance(value[0], int | float)
        return _read_polygons([value] if flat else value, size_hw, where)
    if not isinstance(value, dict):
        raise DataError(
            f"{where}: expected a mask, run lengths or polygons, got {reprlib.repr(value)}"
        )
    size, counts = value.get("size"), value.get("counts")
    try:
        if isinstance(counts, list):
            if size != [*size_hw]:
                raise RLEError(f"RLE size: expected {[*size_hw]}, got {reprlib.repr(size)}")
            return rle.from_counts(counts, size_hw)
        rle.validate(value, size_hw)
    except RLEError as error:
        raise DataError(f"{where}: {error}") from error
    return {"size": [*size_hw], "counts": cast(str, counts)}


def _read_polygons(polygons: Sequence[Any], size_hw: tuple[int, int], where: str) -> RLE:
    mask = fill_polygons(polygons, size_hw, where)
    if polygons and not rle.area(mask) and all(_is_outside(one, size_hw) for one in polygons):
        raise DataError(
            f"{where}: expected polygons in a picture of {size_hw[1]} x {size_hw[0]} pixels, "
            f"got {reprlib.repr(polygons[0])}, which lies outside"
        )
    return mask


def _is_outside(polygon: Sequence[float], size_hw: tuple[int, int]) -> bool:
    """Whether all of a polygon is on one side of the picture; tiny ones inside have no area too."""
    x, y = polygon[0::2], polygon[1::2]
    return min(x) > size_hw[1] or min(y) > size_hw[0] or max(x) < 0 or max(y) < 0
