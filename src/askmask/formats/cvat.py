"""CVAT's masks: as points of its programming interface, and as "CVAT for images" XML to import.

A mask is the run lengths, background first, of its box read row by row. Points are these and then
left, top, right and bottom of the box, all inside. Attributes carry what CVAT has no field for; a
project that should keep them needs them in its labels, which `meta` in the file spells out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.atomic import atomic_write
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.shapes import (
    Shape,
    ShapePicture,
    entity_record,
    pictures_of,
    shape_from_says,
)
from askmask.geometry import fill_centres

__all__ = ["decode_points", "encode_points", "read_cvat", "write_cvat"]

_MAX_BYTES = 1_000_000_000

_ATTRIBUTES = ("mask_type", "askmask")


def _runs(mask: NDArray[np.bool_]) -> tuple[list[int], tuple[int, int, int, int]]:
    """Run lengths in the box, and the box x0, y0, x1, y1, exclusive; one pixel when empty."""
    x0, y0, x1, y1 = rle.box_xyxy(rle.encode(mask)) or (0, 0, 1, 1)
    flat = mask[y0:y1, x0:x1].ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    return np.diff(edges, prepend=0, append=flat.size).tolist(), (x0, y0, x1, y1)


def encode_points(mask: NDArray[np.bool_]) -> list[int]:
    """Return the `points` of a mask shape, from (H, W) bool."""
    runs, (x0, y0, x1, y1) = _runs(mask)
    return [*runs, x0, y0, x1 - 1, y1 - 1]


def decode_points(points: Sequence[int], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask, (H, W) bool, of the `points` of a mask shape.

    Raises:
        DataError: when they are not whole numbers that fill a box inside `size_hw`.
    """
    height, width = size_hw
    whole = [int(one) if float(one).is_integer() else -1 for one in points]
    *runs, left, top, right, bottom = whole if len(whole) > 4 else [0] * 5
    if not (0 <= left <= right < width and 0 <= top <= bottom < height):
        raise DataError(f"mask: expected a box inside {list(size_hw)} after the run lengths")
    area = (right - left + 1) * (bottom - top + 1)
    if min(runs, default=-1) < 0 or sum(runs) != area:
        raise DataError(f"mask: expected run lengths that sum to {area:,}, got {sum(runs):,}")
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros(size_hw, bool)
    mask[top : bottom + 1, left : right + 1] = inside.reshape(bottom - top + 1, -1)
    return mask


def _element(tag: str, **attributes: Any) -> str:
    pairs = "".join(f" {key}={quoteattr(_legal(str(value)))}" for key, value in attributes.items())
    return f"<{tag}{pairs}>"


def _legal(text: str) -> str:
    """Leave out characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _escaped(text: str) -> str:
    return _legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mask(shape: Shape, order: int) -> Iterator[str]:
    """Lines of one mask."""
    runs, (x0, y0, x1, y1) = _runs(rle.decode(shape.mask))
    says = shape.says()
    yield "    " + _element(
        "mask",
        label=shape.label,
        source="file",
        occluded=int(shape.details.get("occlusion_rate", 0) > 0),
        rle=", ".join(map(str, runs)),
        left=x0,
        top=y0,
        width=x1 - x0,
        height=y1 - y0,
        z_order=order,
        **({} if shape.object is None else {"group_id": shape.object}),
    )
    kind = shape.mask_type or "unknown"
    for name, value in zip(_ATTRIBUTES, (kind, json.dumps(says)), strict=True):
        yield f'      <attribute name="{name}">{_escaped(value)}</attribute>'
    yield "    </mask>"


def _meta(labels: Sequence[str]) -> Iterator[str]:
    """The labels that the masks use, as a task describes them."""
    yield "  <meta><task><labels>"
    for label in labels:
        yield f"    <label><name>{_escaped(label)}</name><type>mask</type><attributes>"
        for name in _ATTRIBUTES:
            yield (
                f"      <attribute><name>{name}</name><mutable>False</mutable>"
                "<input_type>text</input_type><default_value></default_value>"
                "<values></values></attribute>"
            )
        yield "    </attributes></label>"
    yield "  </labels></task></meta>"


def _lines(pictures: Sequence[ShapePicture]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "  <version>1.1</version>"
    yield from _meta(sorted({shape.label for one in pictures for shape in one.shapes}))
    for number, picture in enumerate(pictures):
        size = {"width": picture.width, "height": picture.height}
        yield "  " + _element("image", id=number, name=picture.image, **size)
        for order, shape in enumerate(picture.shapes):
            yield from _mask(shape, order)
        yield "  </image>"
    yield "</annotations>"


def write_cvat(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write "CVAT for images 1.1".

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
    """
    pictures = pictures_of(collection.only(), options, losses)
    with atomic_write(out) as stream:
        for line in _lines(pictures):
            stream.write(line.encode() + b"\n")


def _number(element: ElementTree.Element, key: str, where: str) -> int:
    text = element.get(key, "")
    if not re.fullmatch(r"\d{1,9}", text):
        raise DataError(f"{where}, attribute {key!r}: expected a whole number, got {text[:40]!r}")
    return int(text)


def _pixels(
    element: ElementTree.Element, size_hw: tuple[int, int], where: str
) -> NDArray[np.bool_]:
    """Pixels of a <mask> or a <polygon>."""
    try:
        if element.tag == "polygon":
            pairs = [pair.split(",") for pair in element.get("points", "").split(";")]
            corners = np.array([[float(x), float(y)] for x, y in pairs])
            if len(corners) < 3 or not np.isfinite(corners).all():
                raise ValueError
            pixels = np.floor(np.clip(corners, -1e6, 1e6)).astype(np.int64)
            return fill_centres([pixels], size_hw, where)
        runs = [int(one) for one in element.get("rle", "").split(",")]
    except ValueError:
        raise DataError(f"{where}: expected whole numbers as rle, or points x,y;x,y;…") from None
    left, top, width, height = (
        _number(element, key, where) for key in ("left", "top", "width", "height")
    )
    box = (left, top, left + width - 1, top + height - 1)
    try:
        return decode_points([*runs, *box], size_hw)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _shape(element: ElementTree.Element, size_hw: tuple[int, int], where: str) -> Shape:
    mask = rle.encode(_pixels(element, size_hw, where))
    texts = {one.get("name"): one.text or "" for one in element.iter("attribute")}
    try:
        says = json.loads(texts["askmask"]) if texts.get("askmask") else None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}, attribute 'askmask': expected JSON, {error}") from error
    return shape_from_says(element.get("label", ""), mask, says, where)


def _record(image: ElementTree.Element, where: str, bad: OnBad) -> EntityRecord:
    size_hw = _number(image, "height", where), _number(image, "width", where)
    if not 0 < size_hw[0] * size_hw[1] <= rle.MAX_PIXELS:
        raise DataError(f"{where}: expected 1 to {rle.MAX_PIXELS:,} pixels, got {list(size_hw)}")
    shapes = []
    for number, element in enumerate(image, 1):
        place = f"{where} {element.tag} {number}"
        try:
            if element.tag not in ("mask", "polygon"):
                raise DataError(f"{place}: expected a mask or a polygon, which have an area")
            shapes.append((place, _shape(element, size_hw, place)))
        except DataError as error:
            bad(place, error)
    return entity_record(image.get("name", ""), size_hw, shapes, bad)


def _parse(path: Path) -> ElementTree.Element:
    """Parse XML that declares no entities of its own, which could grow without bound."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise DataError(f"{path}: expected at most {_MAX_BYTES:,} bytes, got more")
        if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw or b"\0" in raw:  # \0: UTF-16 hides both
            raise DataError(f"{path}: expected UTF-8 without a DOCTYPE")
        return ElementTree.fromstring(raw)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path}: expected XML, {error}") from error


def read_cvat(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read masks and polygons of "CVAT for images 1.1", as objects.

    Raises:
        DataError: when the file as a whole cannot be read; for a shape, through `bad`.
    """
    path = Path(path)
    records: dict[str, EntityRecord] = {}
    for number, image in enumerate(_parse(path).iter("image"), 1):
        where = f"{path}, image {number}"
        try:
            name = image.get("name")
            if not name or name in records:
                raise DataError(f"{where}: expected a name of its own, got {name!r}")
            records[name] = _record(image, where, bad)
        except DataError as error:
            bad(where, error)
    if not records:
        raise DataError(f"{path}: expected <image> elements as in CVAT for images 1.1")
    split = Split(tuple(records.values()), images=options.images or path.parent)
    return Collection({"all": split}, path.stem, source=path.name)
