"""COCO-style annotation files with amodal masks: COCOA-cls, D2SA, KINS, MUVA and their copies.

They agree on images, annotations and categories and differ in the names of the two masks, which are
tried in turn. What only some files have (occlusion rates, depths) is taken when it is there.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from askmask import rle
from askmask.polygons import fill_polygons
from askmask.errors import DataError, RLEError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.files import read_json
from askmask.rle import RLE

__all__ = ["read_coco_amodal", "read_segmentation"]

_AMODAL = ("a_segm", "segmentation")
_MODAL = ("visible_mask", "inmodal_seg", "i_segm", "inmodal_segm", "visible_segm")
_HIDDEN = ("invisible_mask",)
_NAMELESS = "object"
"""Category where a file has none, as class-agnostic copies of COCOA."""

_Json = Mapping[str, Any]


def read_segmentation(value: Any, size_hw: tuple[int, int], where: str) -> RLE:
    """Read a mask in any of COCO's forms: compressed or plain run lengths, or polygons.

    Args:
        value: `{"size", "counts"}` with a string or a list, a list of flat polygons, or one flat
            polygon.
        size_hw: size that the mask must have.
        where: file and record, for messages.

    Raises:
        DataError: when it is none of these or of another size.
    """
    if isinstance(value, list):
        flat = bool(value) and not isinstance(value[0], list)
        return fill_polygons([value] if flat else value, size_hw, where)
    try:
        if isinstance(value, dict) and isinstance(value.get("counts"), list):
            if list(value.get("size", ())) != list(size_hw):
                raise RLEError(f"size: expected {list(size_hw)}, got {value.get('size')}")
            return rle.from_counts(value["counts"], size_hw)
        rle.validate(value, size_hw)
    except RLEError as error:
        raise DataError(f"{where}: {error}") from error
    return {"size": [*size_hw], "counts": cast(RLE, value)["counts"]}


def _list_of(content: Any, key: str, path: Path, *, required: bool = True) -> list[_Json]:
    rows = content.get(key) if isinstance(content, dict) else None
    if rows is None and not required:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}, key {key!r}: expected a list of objects as in COCO's files")
    return rows


def _category_names(rows: Sequence[_Json]) -> dict[Any, str]:
    return {row.get("id"): " ".join(str(row.get("name") or _NAMELESS).split()) for row in rows}


def _size_of(image: _Json, annotations: Sequence[_Json], where: str) -> tuple[int, int]:
    """Height and width, from the image or else from a run-length code of its annotations."""
    size: Any = (image.get("height"), image.get("width"))
    if size == (None, None):
        codes = (one.get(key) for one in annotations for key in (*_MODAL, *_AMODAL))
        size = next((c["size"] for c in codes if isinstance(c, dict) and "size" in c), size)
    if not all(type(side) is int and side > 0 for side in size):
        raise DataError(f"{where}: expected height and width in pixels, got {reprlib.repr(size)}")
    return size[0], size[1]


def _first(annotation: _Json, keys: Sequence[str]) -> Any:
    """Value of the first of `keys` that is there and not empty, or None."""
    return next((annotation[key] for key in keys if annotation.get(key)), None)


def _masks(annotation: _Json, size_hw: tuple[int, int], where: str) -> tuple[RLE, RLE]:
    """Modal and amodal mask of one annotation; they are one where nothing says that parts hide."""
    whole = _first(annotation, _AMODAL)
    if whole is None:
        raise DataError(f"{where}: expected one of the keys {', '.join(_AMODAL)}")
    amodal = read_segmentation(whole, size_hw, where)
    visible, hidden = _first(annotation, _MODAL), _first(annotation, _HIDDEN)
    if visible is not None:
        return read_segmentation(visible, size_hw, where), amodal
    if hidden is not None:
        return rle.subtract(amodal, read_segmentation(hidden, size_hw, where)), amodal
    return amodal, amodal


def _entity(
    annotation: _Json, names: Mapping[Any, str], size_hw: tuple[int, int], where: str, only: str
) -> Entity:
    """One annotation as an entity."""
    if type(annotation.get("id")) is not int:
        raise DataError(f"{where}: expected a whole number as id, got {annotation.get('id')!r}")
    where = f"{where} annotation {annotation['id']}"
    category = annotation.get("category_id")
    if names and category not in names:
        raise DataError(f"{where}: category {category!r} is not in the file's categories")
    amodal: RLE | None
    if only == "modal":
        modal, amodal = read_segmentation(annotation.get("segmentation"), size_hw, where), None
        rate = None
    else:
        modal, amodal = _masks(annotation, size_hw, where)
        whole = rle.area(amodal)
        rate = rle.area(rle.subtract(amodal, modal)) / whole if whole else 0.0
    depth = annotation.get("occl_depth")
    return Entity(
        id=annotation["id"],
        category=names.get(category, _NAMELESS),
        modal=modal,
        amodal=amodal,
        occlusion_rate=rate,
        depth_order=depth if type(depth) is int else None,
        extra={"iscrowd": True} if annotation.get("iscrowd") else {},
    )


def read_coco_amodal(
    path: str | Path, *, segmentation: Literal["amodal", "modal"] = "amodal"
) -> Iterator[EntityRecord]:
    """Read a COCO-style file, picture by picture in the order of the file.

    The JSON is parsed whole, as its parts refer to each other; masks are decoded picture by
    picture. Pictures without annotations are records without entities.

    Args:
        path: the file.
        segmentation: what the key `segmentation` holds; nothing in a file tells. "amodal" needs a
            key for the visible masks in some annotation; "modal" leaves the amodal masks open.

    Raises:
        DataError: naming file, picture and annotation.
    """
    path = Path(path)
    content = read_json(path)
    annotations = _list_of(content, "annotations", path)
    images = _list_of(content, "images", path)
    names = _category_names(_list_of(content, "categories", path, required=False))
    telling = any(one.get(key) for one in annotations for key in (*_MODAL, *_HIDDEN))
    if segmentation == "amodal" and annotations and not telling:
        raise DataError(
            f"{path}: no annotation has a visible mask ({', '.join(_MODAL)}), so nothing tells "
            "what is hidden; is 'segmentation' the visible mask?"
        )
    of_image: dict[Any, list[_Json]] = {}
    for one in annotations:
        of_image.setdefault(one.get("image_id"), []).append(one)
    for image in images:
        where = f"{path}, image {image.get('id')!r}"
        name = image.get("file_name")
        if not isinstance(name, str) or not name:
            raise DataError(f"{where}: expected a file_name, got {name!r}")
        own = of_image.pop(image.get("id"), [])
        size_hw = _size_of(image, own, where)
        entities = tuple(_entity(one, names, size_hw, where, segmentation) for one in own)
        yield EntityRecord(name, *size_hw, entities)
    if of_image:
        raise DataError(f"{path}: annotations of image {next(iter(of_image))!r}, which is missing")
