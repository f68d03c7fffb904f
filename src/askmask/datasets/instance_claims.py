"""What an `instances.json` says of its annotations, held against their masks."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.datasets.frame import BadRecords
from askmask.datasets.instances import Picture, read_instances, read_mask_of
from askmask.errors import DataError
from askmask.formats.json_stream import iter_members

__all__ = ["instance_claims"]

_AREA_SHARE = 0.1
"""How far a noted area may be from that of the mask, besides what the outline explains."""

_MARGIN = 1.0
"""How far, in pixels, an outline or box may reach over the picture's border."""


def _numbers(value: Any) -> list[float] | None:
    """`value` if it is a list of finite numbers."""
    if not isinstance(value, list) or not all(type(one) in (int, float) for one in value):
        return None
    return value if all(abs(one) <= sys.float_info.max for one in value) else None  # not so for NaN


def _outside(xy: list[float], picture: Picture) -> bool:
    x, y = xy[0::2], xy[1::2]
    low, high = min(x + y, default=0), (max(x, default=0), max(y, default=0))
    return low < -_MARGIN or high[0] > picture.width + _MARGIN or high[1] > picture.height + _MARGIN


def _of_annotation(item: dict[str, Any], picture: Picture, where: str) -> Iterator[str]:
    box = _numbers(item.get("bbox"))
    if box is not None and len(box) == 4:
        x, y, width, height = box
        if width < 0 or height < 0 or _outside([x, y, x + width, y + height], picture):
            yield f"{where}: box {reprlib.repr(box)} lies outside the picture"
    segmentation = item.get("segmentation")
    polygons = segmentation if isinstance(segmentation, list) else []
    if any(_outside(xy, picture) for one in polygons if (xy := _numbers(one)) is not None):
        yield f"{where}: a polygon reaches over the picture of {picture.width} x {picture.height}"
    code = read_mask_of(segmentation, picture.size_hw, where)
    drawn, said = rle.area(code), _numbers([item.get("area")])
    x0, y0, x1, y1 = rle.box_xyxy(code) or (0, 0, 0, 0)
    if not drawn:
        yield f"{where}: the mask is empty"
    elif said and abs(said[0] - drawn) > _AREA_SHARE * drawn + (x1 - x0) + (y1 - y0):
        yield f"{where}: area {said[0]:g}, but the mask has {drawn:,} pixels"


def instance_claims(path: Path, wanted: Collection[Any]) -> Iterator[str]:
    """Go through the annotations with ids in `wanted`: ids, pictures, boxes, outlines and areas.

    Yields:
        One line a problem.

    Raises:
        DataError: when the file as a whole cannot be read.
    """
    bad = BadRecords(skip=True)
    pictures = read_instances(path, (), bad).pictures
    seen: set[Any] = set()
    number = 0
    for key, item in iter_members(path):
        if key != "annotations" or not isinstance(item, dict):
            continue
        number += 1
        given = item.get("id")
        where = f"{path}, annotation {reprlib.repr(given)} (item {number})"
        if type(given) not in (int, str) or given not in wanted:
            continue
        if given in seen:
            yield f"{where}: this id comes twice"
        seen.add(given)
        image = item.get("image_id")
        if type(image) not in (int, str) or image not in pictures:
            yield f"{where}: picture {reprlib.repr(image)} is not in the file"
            continue
        try:
            yield from _of_annotation(item, pictures[image], where)
        except DataError as error:
            yield str(error)
