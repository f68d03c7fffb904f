"""YOLO's segmentation labels: a text file a picture, one polygon an object, in shares of its size.

An object has one polygon and nothing else: holes are bridged, parts are joined by lines that are
filled too, and the visible part of an object is written unless the complete one is asked for. What
that changes is measured with the fill that OpenCV, and so the trainers, use.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord
from askmask.formats.coco import categories_of
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.picture_files import copy_pictures, picture_size, unique_stems
from askmask.formats.shapes import (
    Shape,
    entity_record,
    one_mask_each,
    pictures_of,
)
from askmask.geometry import centre_polygons, count_holes, fill_centres, join_parts

__all__ = ["read_yolo", "write_yolo"]

_MAX_PARTS = 200
"""Parts of a mask that are joined; more are noise, and joining takes their number squared."""

_MAX_LABEL_BYTES = 50_000_000

_INTO_PIXEL = 0.25
"""Added to corners, so that both tools that cut off and tools that round find the pixel again."""

_PICTURES = (".jpg", ".jpeg", ".png", ".webp")

_NAME = re.compile(r"""\s*(?:(\d{1,6})\s*:|-)\s*(.+?)\s*""")
"""A class in data.yaml: `0: mug` or `- mug`."""

_WHY = "YOLO has a class and a polygon an object"


def _polygon(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The one outline of a mask that is not empty."""
    parts = sorted(centre_polygons(mask), key=_extent, reverse=True)
    return join_parts(parts[:_MAX_PARTS])


def _extent(polygon: NDArray[np.int64]) -> int:
    return int(np.prod(np.ptp(polygon, axis=0) + 1))


def _line(shape: Shape, number: int, losses: Losses) -> str | None:
    """The line of a shape; None, and a loss, for an empty mask."""
    mask = rle.decode(shape.mask)
    if not mask.any():
        losses.add("empty masks", 1, _WHY)
        return None
    height, width = mask.shape
    polygon = _polygon(mask)
    filled = fill_centres([polygon], (height, width))
    losses.add("holes as such", count_holes(mask), "bridged: the outline leads around them")
    if (filled != mask).any():
        losses.ious.append(int((filled & mask).sum()) / int((filled | mask).sum()))
    shares = (polygon + _INTO_PIXEL) / (width, height)
    return " ".join([str(number), *(f"{share:.8g}" for share in shares.ravel())])


def _count_lost(shapes: Iterator[Shape], losses: Losses) -> None:
    for shape in shapes:
        losses.add("mask types", shape.mask_type is not None, _WHY)
        losses.add("scores", shape.score is not None, _WHY)
        losses.add("sentences", shape.text is not None, _WHY)
        losses.add("further keys of objects", len(shape.details), _WHY)


def write_yolo(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a data set that YOLO trainers read: data.yaml, images/SPLIT and labels/SPLIT.

    Raises:
        ConfigError: when a split has no records of the asked kind.
        DataError: when a picture is missing; they are copied.
    """
    options = one_mask_each(options)
    pictures = {
        name: pictures_of(split, options, losses) for name, split in collection.splits.items()
    }
    every = [one for group in pictures.values() for picture in group for one in picture.shapes]
    classes = {name: number - 1 for name, number in categories_of(s.label for s in every).items()}
    _count_lost(iter(every), losses)
    for name, group in pictures.items():
        stems = unique_stems(picture.image for picture in group)
        (out / "labels" / name).mkdir(parents=True)
        copy_pictures(stems, collection.splits[name].images, out / "images" / name)
        for picture in group:
            lines = (_line(shape, classes[shape.label], losses) for shape in picture.shapes)
            text = "".join(f"{line}\n" for line in lines if line is not None)
            path = out / "labels" / name / f"{stems[picture.image]}.txt"
            path.write_text(text, encoding="utf-8")
    (out / "data.yaml").write_text(_yaml(list(pictures), classes), encoding="utf-8")


def _yaml(splits: list[str], classes: Mapping[str, int]) -> str:
    """data.yaml; trainers insist on train and val, so a lone split stands for both.

    Without a `path`, they take the folder of the file.
    """
    paths = {name: f"images/{name}" for name in splits}
    paths = {"train": paths[splits[0]], "val": paths[splits[-1]], **paths}
    lines = [*(f"{name}: {path}" for name, path in paths.items())]
    lines += ["names:" if classes else "names: {}"]
    lines += [f"  {number}: {json.dumps(name)}" for name, number in classes.items()]
    return "\n".join(lines) + "\n"


def _classes(path: Path) -> dict[int, str]:
    """Names of the classes, from the list or the mapping under `names`."""
    try:
        text = path.read_bytes()[:_MAX_LABEL_BYTES].decode("utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8") from error
    _, found, rest = ("\n" + text).partition("\nnames:")
    inline, *lines = rest.split("\n") if found else [""]
    if inline.strip() == "{}":
        return {}
    if inline.strip().startswith("["):
        items = inline.strip().strip("[]").split(",")
        return {number: _unquoted(item) for number, item in enumerate(items)}
    names: dict[int, str] = {}
    for line in lines:
        match = _NAME.fullmatch(line)
        if match:
            names[int(match[1]) if match[1] else len(names)] = _unquoted(match[2])
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    if not names:
        raise DataError(f"{path}, key 'names': expected a list or numbers with names of classes")
    return names


def _unquoted(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text.strip('"')
    return text.strip("'")


def _shape(line: str, classes: Mapping[int, str], size_hw: tuple[int, int], where: str) -> Shape:
    """Read one line: a polygon, or a box x, y, width, height around its centre."""
    try:
        number, *rest = line.split()
        name = classes[int(number)]
        values = [float(one) for one in rest]
    except (ValueError, KeyError):
        raise DataError(f"{where}: expected the number of a class and coordinates") from None
    if len(values) == 4:
        x, y, width, height = values
        x0, x1, y0, y1 = x - width / 2, x + width / 2, y - height / 2, y + height / 2
        values = [x0, y0, x1, y0, x1, y1, x0, y1]
    if len(values) < 6 or len(values) % 2 or not all(map(math.isfinite, values)):
        raise DataError(f"{where}: expected pairs of finite x, y, got {len(values)} values")
    if not all(-0.01 <= value <= 1.01 for value in values):
        raise DataError(f"{where}: expected coordinates in shares of the picture, from 0 to 1")
    height, width = size_hw
    points = np.array(values).reshape(-1, 2) * (width, height)
    corners = np.minimum(np.floor(points).astype(np.int64), (width - 1, height - 1))
    return Shape(name, rle.encode(fill_centres([corners], size_hw, where)), "modal")


def _record(
    picture: Path, labels: Path, name: str, classes: Mapping[int, str], bad: OnBad
) -> EntityRecord:
    """Read the labels of a picture; a picture without file has no objects."""
    size_hw = picture_size(picture)
    shapes = []
    text = ""
    if labels.is_file():
        text = labels.read_bytes()[:_MAX_LABEL_BYTES].decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{labels}:{number}"
        try:
            if line.strip():
                shapes.append((where, _shape(line, classes, size_hw, where)))
        except DataError as error:
            bad(where, error)
    return entity_record(name, size_hw, shapes, bad)


def read_yolo(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a folder with data.yaml, images/SPLIT and labels/SPLIT, as objects.

    Raises:
        DataError: when nothing can be read; for a line, through `bad`.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    classes = _classes(path / "data.yaml" if path.is_dir() else path)
    images = folder / "images"
    splits: dict[str, Split] = {}
    for group in sorted(one for one in (images, *images.glob("*")) if one.is_dir()):
        name = "all" if group == images else group.name
        if options.split not in (None, name):
            continue
        records = []
        for picture in sorted(p for p in group.glob("*") if p.suffix.lower() in _PICTURES):
            labels = folder / "labels" / group.relative_to(images) / f"{picture.stem}.txt"
            try:
                relative = picture.relative_to(folder).as_posix()
                records.append(_record(picture, labels, relative, classes, bad))
            except DataError as error:
                bad(str(picture), error)
        if records:
            splits[name] = Split(tuple(records), images=folder)
    if not splits:
        raise DataError(f"{folder}: expected pictures in images/ or images/SPLIT")
    return Collection(splits, folder.resolve().name, source=path.name)
