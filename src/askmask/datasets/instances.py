"""COCO's `instances.json`, of which data sets of sentences need only the annotations they name."""

from __future__ import annotations

import reprlib
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.datasets.frame import BadRecords
from askmask.datasets.polygon_batch import fill_batch
from askmask.datasets.typed_instances import TypedInstances, read_typed
from askmask.datasets.values import is_name, tidy
from askmask.errors import DataError
from askmask.formats.askmask import Target
from askmask.formats.json_stream import iter_members
from askmask.formats.segmentation import read_segmentation
from askmask.polygons import fill_polygons
from askmask.rle import MAX_PIXELS, RLE

_MAX_SIDE = 5_000
"""Largest picture of which annotations are filled many at a time, height or width."""

_BATCH_OUTLINE = 100_000
"""Length of all outlines, in pixels, that are filled at a time."""

__all__ = ["Instances", "Picture", "read_instances", "read_mask_of"]


@dataclass(frozen=True)
class Picture:
    """What the file says of a picture."""

    file_name: str
    height: int
    width: int

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


@dataclass
class _Row:
    """An annotation, its polygons packed; `code` is made when it is first asked for."""

    image: Any
    category: Any
    segmentation: Any
    crowd: bool
    code: RLE | None = None


@dataclass
class Instances:
    """Pictures and the annotations that were asked for.

    Attributes:
        path: the file.
        pictures: by their ids.
        categories: names by their ids.
    """

    path: Path
    pictures: dict[Any, Picture] = field(default_factory=dict)
    categories: dict[Any, str] = field(default_factory=dict)
    _rows: dict[Any, _Row] = field(default_factory=dict)

    def picture(self, image_id: object) -> Picture:
        """Return the picture of that id, or raise DataError."""
        if image_id not in self.pictures:
            raise DataError(f"{self.path}: expected a picture with id {image_id!r}, there is none")
        return self.pictures[image_id]

    def target(self, annotation_id: object, image_id: object) -> Target:
        """Return an annotation of that picture as a target, or raise DataError."""
        row = self._rows.get(annotation_id)
        where = f"{self.path}, annotation {annotation_id!r}"
        if row is None:
            raise DataError(f"{where}: expected it there, there is none")
        if row.image != image_id:
            raise DataError(f"{where}: expected it on picture {image_id!r}, got {row.image!r}")
        if row.code is None:
            row.code = read_mask_of(row.segmentation, self.picture(image_id).size_hw, where)
            row.segmentation = None
        return Target(
            segmentation=row.code,
            entity=annotation_id if type(annotation_id) is int else None,
            category=self.categories.get(row.category),
            extra={"iscrowd": True} if row.crowd else {},
        )

    def prepare(self, annotation_ids: Iterable[object]) -> None:
        """Make the masks of many annotations at once; what is wrong with one, `target` says."""
        rows: list[_Row] = []
        outlines: list[list[NDArray[np.float64]]] = []
        budget: float = _BATCH_OUTLINE
        for one in dict.fromkeys(annotation_ids):
            row = self._rows.get(one)
            if row is None or row.code is not None or row.image not in self.pictures:
                continue
            polygons = _outlines(row.segmentation, self.pictures[row.image].size_hw)
            length = sum(_length(outline) for outline in polygons or ())
            if polygons is None or length > _BATCH_OUTLINE:
                continue
            if length > budget:
                self._fill(rows, outlines)
                rows, outlines, budget = [], [], _BATCH_OUTLINE
            rows.append(row)
            outlines.append(polygons)
            budget -= length
        self._fill(rows, outlines)

    def _fill(self, rows: list[_Row], outlines: list[list[NDArray[np.float64]]]) -> None:
        codes = fill_batch(outlines, [self.pictures[row.image].size_hw for row in rows])
        for row, code in zip(rows, codes, strict=True):
            row.code, row.segmentation = code, None

    def add(self, key: str, item: dict[str, Any], wanted: Collection[Any]) -> None:
        """Take one item of the file; raises DataError when it is none."""
        if key == "images":
            self.pictures[_id(item)] = _picture(item)
        elif key == "categories":
            self.categories[_id(item)] = _name(item.get("name"))
        elif _id(item) in wanted:
            self._rows[_id(item)] = _Row(
                image=_id(item, "image_id"),
                category=None if item.get("category_id") is None else _id(item, "category_id"),
                segmentation=_packed(item.get("segmentation")),
                crowd=bool(item.get("iscrowd")),
            )

    def take(self, typed: TypedInstances) -> None:
        """Take all items of a file without fault."""
        for one in typed.pictures:
            self.pictures[one.id] = Picture(one.file_name, one.height, one.width)
        for one in typed.categories:
            self.categories[one.id] = _name(one.name)
        for one, segmentation in typed.annotations:
            crowd = bool(one.iscrowd)
            self._rows[one.id] = _Row(one.image_id, one.category_id, _packed(segmentation), crowd)


def _name(given: object) -> str:
    """Name of a category, on one line."""
    return tidy(given or "") or "object"


def _id(item: dict[str, Any], key: str = "id") -> int | str:
    """Id that an item holds, a number or, in RefClef, a string."""
    if type(item.get(key)) not in (int, str):
        said = "" if key == "id" else f" under {key!r}"
        raise DataError(f"expected an id{said}, got {reprlib.repr(item.get(key))}")
    given: int | str = item[key]
    return given


def _picture(item: dict[str, Any]) -> Picture:
    name, height, width = item.get("file_name"), item.get("height"), item.get("width")
    if not is_name(name):
        raise DataError(f"expected a file_name, got {reprlib.repr(name)}")
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise DataError(f"expected height and width in pixels, got {(height, width)!r}")
    if max(height, width) > MAX_PIXELS:
        raise DataError(f"expected sides of at most {MAX_PIXELS:,} pixels, got more")
    return Picture(name, height, width)


def _packed(segmentation: Any) -> Any:
    """Polygons as arrays, a fifth of the memory of lists; all else as it is."""
    if not isinstance(segmentation, list):
        return segmentation
    try:
        return [array("d", one) if isinstance(one, list) else one for one in segmentation]
    except (TypeError, OverflowError):
        return segmentation


def _outlines(segmentation: Any, size_hw: tuple[int, int]) -> list[NDArray[np.float64]] | None:
    """Outlines that surely can be filled, or None to leave the annotation to `read_mask_of`."""
    if not isinstance(segmentation, list) or max(size_hw) > _MAX_SIDE:
        return None
    if not all(isinstance(one, array) for one in segmentation):
        return None
    polygons = [one for one in segmentation if len(one) not in (2, 4)]
    if any(len(one) < 6 or len(one) % 2 for one in polygons):
        return None
    outlines = [np.frombuffer(one) for one in polygons]
    near = all(np.abs(one).max() <= 2 * _MAX_SIDE for one in outlines)  # not so for NaN
    return outlines if near else None


def _length(outline: NDArray[np.float64]) -> float:
    """Bound of an outline's length in pixels, to which filling takes memory in proportion."""
    return 2 * float(np.abs(outline[2:] - outline[:-2]).sum())


def read_mask_of(segmentation: Any, size_hw: tuple[int, int], where: str) -> RLE:
    """Read a segmentation of any form that referring data sets have.

    Besides COCO's forms these are lists of run-length codes (RefClef), lists with polygons of one
    or two corners, which cover nothing, and empty lists, which are empty masks.

    Raises:
        DataError: when it is none of these or of another size.
    """
    if not isinstance(segmentation, list):
        return read_segmentation(segmentation, size_hw, where)
    if segmentation and all(isinstance(one, dict) for one in segmentation):
        codes = [read_segmentation(one, size_hw, where) for one in segmentation]
        return codes[0] if len(codes) == 1 else rle.union(codes, size_hw)
    flat = bool(segmentation) and isinstance(segmentation[0], int | float)
    polygons = [segmentation] if flat else segmentation
    kept = [one for one in polygons if not (isinstance(one, list | array) and len(one) in (2, 4))]
    return fill_polygons(kept, size_hw, where)


def read_instances(path: str | Path, wanted: Collection[Any], bad: BadRecords) -> Instances:
    """Read pictures, categories and the annotations whose ids are in `wanted`, item by item.

    Raises:
        DataError: when the file is no object of lists; for one item, through `bad`.
    """
    path = Path(path)
    found = Instances(path)
    typed = read_typed(path, wanted)
    if typed is not None:
        found.take(typed)
        return found
    numbers = dict.fromkeys(("images", "annotations", "categories"), 0)
    for key, item in iter_members(path):
        if key not in numbers:
            continue
        numbers[key] += 1
        try:
            if not isinstance(item, dict):
                raise DataError(f"expected an object, got {type(item).__name__}")
            found.add(key, item, wanted)
        except DataError as error:
            where = f"{path}, {key} {numbers[key]}"
            bad.bad(where, DataError(f"{where}: {error}"))
    if not numbers["images"]:
        raise DataError(f"{path}, key 'images': expected a list of objects as in COCO's files")
    return found
