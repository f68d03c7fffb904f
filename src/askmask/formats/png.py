"""Masks as PNG files that any program opens, and masks.json, which says what is where.

The unit is the query for queries and answers, the picture for objects. "png" is one picture a unit
with a number a mask, in colours that tell them apart; where masks overlap, the later one shows.
"png-binary" is a file of 0 and 255 a mask, NAME_0.png, NAME_1.png and so on; without masks,
NAME.png is all 0. The files lie in masks/ alone, which `askmask evaluate` reads too.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask import rle
from askmask.atomic import atomic_write
from askmask.errors import DataError
from askmask.formats.collection import Collection, Losses, Options, Split
from askmask.formats.foreign import write_foreign_json
from askmask.formats.picture_files import unique_stems
from askmask.formats.shapes import ShapePicture, one_mask_each, pictures_of

__all__ = ["file_stem", "write_png_binary", "write_png_indexed"]

_MAX_INDEX = 255
"""Masks that a palette tells apart."""

_GOLDEN = 0.618
"""Steps of this share of the circle keep neighbouring hues apart."""


def file_stem(id: str) -> str:
    """Name a file after a query, so that unquoting gives the id back."""
    return quote(id, safe=" #,;=@+()[]{}!$&'~").replace(".", "%2E")


def _units(split: Split, options: Options, losses: Losses) -> Iterator[tuple[str, ShapePicture]]:
    """Name of the file, and masks, of each unit."""
    kind = split.kind(options.records)
    pictures = pictures_of(split, options, losses)
    if kind == "entities":
        stems = unique_stems(picture.image for picture in pictures)
        yield from ((stems[picture.image], picture) for picture in pictures)
        return
    answers = {one.id: one for one in split.predictions}
    for query in split.queries:
        if kind == "predictions" and query.id not in answers:
            continue
        found = (answers[query.id],) if kind == "predictions" else ()
        alone = Split(queries=(query,), predictions=found)
        picture = pictures_of(alone, Options(records=kind), Losses())[0]
        yield file_stem(query.id), replace(picture, query=query.id)


def _palette() -> list[int]:
    colours = [(0.0, 0.0, 0.0)]
    colours += [colorsys.hsv_to_rgb(index * _GOLDEN % 1, 0.8, 0.95) for index in range(_MAX_INDEX)]
    return [round(255 * channel) for colour in colours for channel in colour]


def _as_image(mask: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint8) * 255)


def _save(image: Image.Image, path: Path) -> None:
    """Write a file of a name that no other mask has: of "a" and "a_0", both may want "a_0.png"."""
    if path.exists():
        raise DataError(f"{path.name}: two masks would have this name; use --to png")
    with atomic_write(path) as stream:
        image.save(stream, "PNG")


def _indexed(picture: ShapePicture, where: str, losses: Losses) -> Image.Image:
    if len(picture.shapes) > _MAX_INDEX:
        raise DataError(
            f"{where}: expected at most {_MAX_INDEX} masks, got {len(picture.shapes)}; "
            "use --to png-binary"
        )
    indices = np.zeros(picture.size_hw, np.uint8)
    for number, shape in enumerate(picture.shapes, 1):
        mask = rle.decode(shape.mask)
        covered = int((indices[mask] > 0).sum())
        losses.add("pixels of overlapping masks", covered, "png has one mask a pixel: png-binary")
        indices[mask] = number
    image = Image.fromarray(indices, "P")
    image.putpalette(_palette())
    return image


def _index(picture: ShapePicture, files: Sequence[str]) -> dict[str, Any]:
    masks = [
        {"index": number, "file": f"masks/{file}", "label": shape.label, **shape.says()}
        for number, (file, shape) in enumerate(zip(files, picture.shapes, strict=True), 1)
    ]
    size = {"height": picture.height, "width": picture.width}
    query = {} if picture.query is None else {"query": picture.query}
    return {**query, "image": picture.image, **size, "masks": masks}


def _write(
    collection: Collection, out: Path, options: Options, losses: Losses, binary: bool
) -> None:
    options = options if binary else one_mask_each(options)
    folder = out / "masks"
    folder.mkdir(parents=True)
    index = []
    for stem, picture in _units(collection.only(), options, losses):
        files = [f"{stem}.png"] * len(picture.shapes)
        if binary and files:
            files = [f"{stem}_{number}.png" for number in range(len(files))]
            for file, shape in zip(files, picture.shapes, strict=True):
                _save(_as_image(rle.decode(shape.mask)), folder / file)
        elif binary:
            _save(_as_image(np.zeros(picture.size_hw, bool)), folder / f"{stem}.png")
        else:
            _save(_indexed(picture, stem, losses), folder / f"{stem}.png")
        index.append(_index(picture, files))
    write_foreign_json(out / "masks.json", index)


def write_png_indexed(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a folder of palette PNG files, 0 for background, and masks.json.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
        DataError: when a unit has more than 255 masks.
    """
    _write(collection, out, options, losses, binary=False)


def write_png_binary(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a folder of PNG files of one mask each, and masks.json.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
    """
    _write(collection, out, options, losses, binary=True)
