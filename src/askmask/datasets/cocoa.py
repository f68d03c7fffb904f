"""COCOA's own files ("Semantic Amodal Segmentation"): regions drawn front to back by annotators.

A file is COCO-shaped, with all regions of a picture in one annotation, or it is such an annotation
alone. A region has one flat polygon, its complete shape, and an `order`, 1 in front; only occluded
ones carry a visible mask, which for the others is the polygon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.datasets.coco_amodal import read_segmentation
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.files import read_json
from askmask.rle import RLE

__all__ = ["is_cocoa", "read_cocoa"]

_MIN_COVER = 0.02
"""Smallest share of an object's complete shape that something in front must cover to be named."""

_Json = Mapping[str, Any]


def is_cocoa(content: object) -> bool:
    """Whether parsed JSON is of this format: annotations that hold regions."""
    if not isinstance(content, dict):
        return False
    annotations = content.get("annotations") or [content]
    return isinstance(annotations, list) and any(
        isinstance(one, dict) and "regions" in one for one in annotations[:1]
    )


def _size_of(annotation: _Json, image: _Json, where: str) -> tuple[int, int]:
    """Height and width, from the image or else from a mask of the annotation."""
    size: Any = (image.get("height"), image.get("width"))
    if size == (None, None):
        masks = (region.get("visible_mask") for region in annotation["regions"])
        size = next((mask["size"] for mask in masks if isinstance(mask, dict)), size)
    if not all(type(side) is int and side > 0 for side in size):
        raise DataError(f"{where}: the file does not say the picture's height and width")
    return size[0], size[1]


def _order(region: _Json, number: int) -> int:
    order = region.get("order")
    return order if type(order) is int else number


def _occluders(place: int, amodal: Sequence[RLE], modal: RLE, orders: Sequence[int]) -> list[int]:
    """Numbers of the regions in front that cover a part of region `place`, largest part first."""
    hidden = rle.subtract(amodal[place], modal)
    least = _MIN_COVER * rle.area(amodal[place])
    size_hw = (hidden["size"][0], hidden["size"][1])
    found = []
    for other, mask in enumerate(amodal):
        if orders[other] < orders[place] and rle.area(hidden):
            part = rle.area(rle.intersection((mask, hidden), size_hw))
            if part and part >= least:
                found.append((-part, other + 1))
    return [number for _, number in sorted(found)]


def _entities(regions: Sequence[_Json], size_hw: tuple[int, int], where: str) -> Iterator[Entity]:
    """Regions as entities, numbered as they stand in the file."""
    places = [f"{where} region {number}" for number in range(1, len(regions) + 1)]
    amodal = [
        read_segmentation(region.get("segmentation"), size_hw, place)
        for region, place in zip(regions, places, strict=True)
    ]
    orders = [_order(region, number) for number, region in enumerate(regions, 1)]
    for index, (region, place) in enumerate(zip(regions, places, strict=True)):
        visible = region.get("visible_mask")
        modal = read_segmentation(visible, size_hw, place) if visible else amodal[index]
        area = rle.area(amodal[index])
        yield Entity(
            id=index + 1,
            category=" ".join(str(region.get("name") or "object").split()) or "object",
            modal=modal,
            amodal=amodal[index],
            occlusion_rate=rle.area(rle.subtract(amodal[index], modal)) / area if area else 0.0,
            occluded_by=tuple(_occluders(index, amodal, modal, orders)),
            depth_order=orders[index] - 1,
            extra={"is_stuff": True} if region.get("isStuff") else {},
        )


def _name_of(annotation: _Json, image: _Json, path: Path) -> str:
    """File name of the picture: from the images, else the end of the url, else that of the file."""
    name = image.get("file_name") or str(annotation.get("url") or "").rpartition("/")[2]
    return str(name) if name else f"{path.stem}.jpg"


def read_cocoa(path: str | Path) -> Iterator[EntityRecord]:
    """Read a file of COCOA, picture by picture; of several annotators the first one counts.

    Raises:
        DataError: naming file, picture and region.
    """
    path = Path(path)
    content = read_json(path)
    if not is_cocoa(content):
        raise DataError(f"{path}: expected COCOA's annotations, each with a list of 'regions'")
    rows = content.get("annotations") or [content]
    images = {image.get("id"): image for image in content.get("images") or ()}
    seen: set[Any] = set()
    for row in rows:
        where = f"{path}, image {row.get('image_id')!r}"
        if row.get("image_id") in seen:
            continue
        seen.add(row.get("image_id"))
        if not isinstance(row.get("regions"), list):
            raise DataError(f"{where}: expected a list of 'regions'")
        image = images.get(row.get("image_id"), {})
        size_hw = _size_of(row, image, where)
        entities = tuple(_entities(row["regions"], size_hw, where))
        yield EntityRecord(_name_of(row, image, path), *size_hw, entities)
