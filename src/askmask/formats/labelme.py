"""labelme's files, one a picture: polygons, and mask shapes where polygons cannot do.

labelme fills polygons with the pixels that they touch, so outlines through pixel centres come back
exactly. It has one outline a shape: parts of an object share a `group_id`, and a mask with holes is
a mask shape, a PNG of its box. The key `askmask` of a shape, which labelme keeps, says the rest.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.fields import Fields
from askmask.formats.files import read_json
from askmask.formats.foreign import fields_of, write_foreign_json
from askmask.formats.picture_files import find_picture, picture_size, relative_to, unique_stems
from askmask.formats.shapes import Shape, ShapePicture, entity_record, pictures_of, shape_from_says
from askmask.geometry import centre_polygons, count_holes, fill_centres

__all__ = ["read_labelme", "write_labelme", "write_labelme_masks"]

_VERSION = "5.5.0"
"""Version of labelme's files from which mask shapes are known."""

_MAX_FILE_BYTES = 100_000_000

_FILE_KEYS = ("shapes", "imagePath", "imageHeight", "imageWidth", "version", "flags", "imageData")
_SHAPE_KEYS = ("label", "points", "shape_type", "group_id", "mask", "flags", "description")

_Json = dict[str, Any]


def _png_of(mask: NDArray[np.bool_]) -> str:
    stream = io.BytesIO()
    Image.fromarray(mask).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _as_mask(mask: NDArray[np.bool_]) -> list[_Json]:
    """One mask shape: the corner pixels of its box, both inside, and a picture of the box."""
    x0, y0, x1, y1 = rle.box_xyxy(rle.encode(mask)) or (0, 0, 1, 1)
    points = [[float(x0), float(y0)], [float(x1 - 1), float(y1 - 1)]]
    return [{"shape_type": "mask", "points": points, "mask": _png_of(mask[y0:y1, x0:x1])}]


def _as_polygons(mask: NDArray[np.bool_]) -> list[_Json]:
    """A polygon a part; a mask shape for holes, and for what is empty."""
    if not mask.any() or count_holes(mask):
        return _as_mask(mask)
    return [
        {"shape_type": "polygon", "points": polygon.astype(float).tolist(), "mask": None}
        for polygon in centre_polygons(mask)
    ]


def _shapes(picture: ShapePicture, masks_only: bool) -> Iterator[_Json]:
    for group, shape in enumerate(picture.shapes, 1):
        mask = rle.decode(shape.mask)
        for one in _as_mask(mask) if masks_only else _as_polygons(mask):
            yield {
                "label": shape.label,
                **one,
                "group_id": group,
                "description": shape.text or "",
                "flags": {},
                "askmask": shape.says(),
            }


def _write(
    collection: Collection, out: Path, options: Options, losses: Losses, masks_only: bool
) -> None:
    split = collection.only()
    pictures = pictures_of(split, options, losses)
    stems = unique_stems(picture.image for picture in pictures)
    out.mkdir(parents=True)
    for picture in pictures:
        content: _Json = {
            "version": _VERSION,
            "flags": {},
            "shapes": list(_shapes(picture, masks_only)),
            "imagePath": relative_to(out, picture.image, split.images),
            "imageData": None,
            "imageHeight": picture.height,
            "imageWidth": picture.width,
        }
        write_foreign_json(out / f"{stems[picture.image]}.json", content)


def write_labelme(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a folder of labelme files: polygons, and mask shapes for masks with holes.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
    """
    _write(collection, out, options, losses, masks_only=False)


def write_labelme_masks(
    collection: Collection, out: Path, options: Options, losses: Losses
) -> None:
    """As `write_labelme`, with mask shapes only."""
    _write(collection, out, options, losses, masks_only=True)


def _points(fields: Fields, where: str) -> NDArray[np.float64]:
    points: NDArray[np.float64] = np.zeros(0)
    with suppress(TypeError, ValueError, OverflowError):  # refused below
        points = np.array(fields.items("points"), np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise DataError(f"{where}, key 'points': expected a list of finite [x, y] in pixels")
    return np.clip(points, -1e6, 1e6)


def _box_mask(code: str, size_hw: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """Decode the PNG of a mask shape, which must have the size of its box."""
    try:
        raw = base64.b64decode(code, validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit on sizes; ours is below
            image = Image.open(io.BytesIO(raw), formats=("PNG",))
        if image.size != size_hw[::-1]:
            found = image.size[::-1]
            raise DataError(f"{where}: expected a picture of {list(size_hw)}, got {list(found)}")
        return np.asarray(image.convert("L")) > 0
    except DataError:
        raise
    except Exception as error:  # decoders raise nearly anything on broken files
        reason = "not base64" if isinstance(error, binascii.Error) else "no PNG"
        raise DataError(f"{where}: expected a PNG in base64, got what is {reason}") from error


def _mask_of(fields: Fields, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of one of labelme's shapes, (H, W) bool."""
    kind = fields.text("shape_type") if fields.has("shape_type") else "polygon"
    points = _points(fields, fields.where)
    corners = np.floor(points).astype(np.int64)
    if kind == "polygon" and len(points) >= 3:
        return fill_centres([corners], size_hw, fields.where)
    if kind in ("mask", "rectangle") and len(points) >= 2:
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        if kind == "rectangle":
            x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size_hw[1]), min(y1, size_hw[0])
        elif not (0 <= x0 <= x1 < size_hw[1] and 0 <= y0 <= y1 < size_hw[0]):
            raise DataError(f"{fields.where}, key 'points': expected a box inside the picture")
        mask = np.zeros(size_hw, bool)
        box: NDArray[np.bool_] = np.ones((1, 1), bool)
        if kind == "mask":
            size = (y1 - y0 + 1, x1 - x0 + 1)
            box = _box_mask(fields.text("mask"), size, f"{fields.where}, key 'mask'")
        mask[y0 : y1 + 1, x0 : x1 + 1] = box
        return mask
    raise DataError(
        f"{fields.where}: expected a polygon of three points or more, a rectangle or a mask, got "
        f"{kind!r} of {len(points)} points, which has no area"
    )


def _size_hw(fields: Fields, picture: str, images: Path) -> tuple[int, int]:
    if fields.has("imageHeight") and fields.has("imageWidth"):
        height, width = fields.integer("imageHeight", 1), fields.integer("imageWidth", 1)
    else:
        height, width = picture_size(find_picture(picture, images))
    if height * width > rle.MAX_PIXELS:
        raise DataError(f"{fields.where}: expected at most {rle.MAX_PIXELS:,} pixels")
    return height, width


def _record(path: Path, home: Path, options: Options, bad: OnBad) -> EntityRecord:
    """Read one file."""
    fields = fields_of(read_json(path, _MAX_FILE_BYTES), str(path), _FILE_KEYS)
    picture = fields.name("imagePath").replace("\\", "/")
    size_hw = _size_hw(fields, picture, options.images or path.parent)
    if options.images is None:
        picture = relative_to(home, picture, path.parent)
    groups: dict[Any, tuple[str, Shape, list[NDArray[np.bool_]]]] = {}
    for number, row in enumerate(fields.items("shapes")):
        where = f"{path}, shape {number + 1}"
        try:
            one = fields_of(row, where, _SHAPE_KEYS)
            mask = _mask_of(one, size_hw)
            group = one.optional("group_id", one.integer)
            key = ("alone", number) if group is None else (group, one.name("label"))
            says = row.get("askmask")
            if key not in groups:
                shape = shape_from_says(one.name("label"), rle.encode(mask), says, where)
                groups[key] = where, shape, []
            groups[key][2].append(mask)
        except DataError as error:
            bad(where, error)
    return entity_record(picture, size_hw, _united(groups.values()), bad)


def _united(
    groups: Iterable[tuple[str, Shape, list[NDArray[np.bool_]]]],
) -> Iterator[tuple[str, Shape]]:
    """Shapes whose parts are put together."""
    for where, shape, masks in groups:
        yield where, replace(shape, mask=rle.encode(np.logical_or.reduce(masks)))


def read_labelme(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a labelme file, or all of a folder: polygons, rectangles and masks, as objects.

    The corners of polygons count as the pixels that they lie in.

    Raises:
        DataError: when nothing can be read; for a file or a shape, through `bad`.
    """
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: expected labelme's files in it, *.json")
    home = path if path.is_dir() else path.parent
    records: dict[str, EntityRecord] = {}
    for file in files:
        try:
            record = _record(file, home, options, bad)
            if record.image in records:
                raise DataError(f"{file}: the picture {record.image} has another file already")
            records[record.image] = record
        except DataError as error:
            bad(str(file), error)
    split = Split(tuple(records.values()), images=options.images or home)
    return Collection({"all": split}, home.resolve().name, source=path.name)
