"""COCO's `instances.json` in one go with msgspec, where it is installed (`askmask[fast]`).

It is asked for files without fault only; wherever it hesitates, `instances` reads the file item by
item and says what is wrong, so both find the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from askmask.collector import uncollected
from askmask.datasets.values import is_name
from askmask.rle import MAX_PIXELS

__all__ = ["MAX_BYTES", "TypedInstances", "read_typed"]

MAX_BYTES = 250_000_000
"""Largest file that is held; RefCOCO's fits. Larger ones are read in less memory."""


@cache
def _decoders() -> tuple[Any, Any] | None:
    """What parses a file, and a segmentation that is polygons; None without msgspec."""
    if find_spec("msgspec") is None:
        return None
    msgspec = import_module("msgspec")
    key = int | str
    side = Annotated[int, msgspec.Meta(ge=1, le=MAX_PIXELS)]

    def item(kind: str, *fields: tuple[str, Any] | tuple[str, Any, Any]) -> Any:
        return msgspec.defstruct(kind, fields, gc=False)

    picture: Any = item(
        "Picture", ("id", key), ("file_name", str), ("height", side), ("width", side)
    )
    category: Any = item("Category", ("id", key), ("name", str | None, None))
    annotation: Any = item(
        "Annotation",
        *(("id", key), ("image_id", key), ("segmentation", msgspec.Raw)),
        *(("category_id", key | None, None), ("iscrowd", int | bool | None, None)),
    )
    file = item(
        "File",
        *(("images", list[picture]), ("annotations", list[annotation])),
        ("categories", list[category]),
    )
    return msgspec.json.Decoder(file), msgspec.json.Decoder(list[list[float]])


class TypedInstances(NamedTuple):
    """Parsed items, as yet with their own names for their keys.

    Attributes:
        pictures: with `id`, `file_name`, `height` and `width`.
        categories: with `id` and `name`, which may be None or "".
        annotations: with `id`, `image_id`, `category_id` and `iscrowd`, and their segmentations.
    """

    pictures: list[Any]
    categories: list[Any]
    annotations: Iterator[tuple[Any, Any]]


def _with_segmentations(rows: list[Any], polygons: Any) -> Iterator[tuple[Any, Any]]:
    for row in rows:
        try:
            yield row, polygons.decode(row.segmentation)
        except ValueError:  # run lengths, or numbers that only Python's own parser holds
            yield row, json.loads(bytes(row.segmentation))


def read_typed(path: Path, wanted: Collection[Any]) -> TypedInstances | None:
    """Parse pictures, categories and the annotations whose ids are in `wanted`.

    Returns:
        None when a file is too large, has any fault, or msgspec is missing.
    """
    decoders = _decoders()
    try:
        if decoders is None or path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()
        data.isascii() or data.decode()  # msgspec does not look at what it passes over
        file, polygons = decoders
        with uncollected():
            found = file.decode(data)
    except (OSError, ValueError, RecursionError):  # errors of msgspec are ValueErrors
        return None
    if not found.images or not all(is_name(one.file_name) for one in found.images):
        return None
    rows = [one for one in found.annotations if one.id in wanted]
    return TypedInstances(found.images, found.categories, _with_segmentations(rows, polygons))
