"""The formats that `askmask convert` knows, and the way from one to another."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, cast

from askmask.atomic import staged
from askmask.errors import ConfigError
from askmask.formats.collection import Collection, Losses, OnBad, Options, stop

__all__ = ["FORMATS", "Format", "Reader", "Writer", "convert"]


class Reader(Protocol):
    """Reads a file or folder; the functions' own docstrings say more."""

    def __call__(self, path: str | Path, options: Options, bad: OnBad = ...) -> Collection:
        """Return what is there."""


class Writer(Protocol):
    """Writes a file or folder that is not there yet, and counts what it cannot hold."""

    def __call__(self, collection: Collection, out: Path, options: Options, losses: Losses) -> None:
        """Write `out`."""


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        what: what it is, in a line.
        reader: "module:function" below this package, or "" when it is only written.
        writer: the same, or "" when it is only read.
        with_pictures: whether the writer puts the pictures into what it writes.
    """

    what: str
    reader: str = ""
    writer: str = ""
    with_pictures: bool = False

    def read(self) -> Reader:
        """Import the reader."""
        return cast(Reader, _imported(self.reader))

    def write(self) -> Writer:
        """Import the writer."""
        return cast(Writer, _imported(self.writer))


FORMATS: Mapping[str, Format] = {
    "askmask": Format(
        "benchmark folder, or a file of entities, queries or predictions",
        "benchmark:read_benchmark",
        "benchmark:write_benchmark",
        with_pictures=True,
    ),
    "run": Format(
        "run folder, its answers as objects of the pictures",
        "answered_objects:read_answered_objects",
    ),
    "parquet": Format(
        "folder for `datasets` and its hub, with a card",
        "parquet:read_parquet",
        "parquet:write_parquet",
        with_pictures=True,
    ),
    "coco": Format("COCO's json, run-length codes", "coco:read_coco", "coco:write_coco"),
    "coco-polygons": Format("COCO's json, polygons", "coco:read_coco", "coco:write_coco_polygons"),
    "coco-results": Format(
        "COCO's list of results",
        "answers:read_coco_results",
        "coco_results:write_coco_results",
    ),
    "png": Format("a palette PNG a picture or query", "answers:read_png", "png:write_png_indexed"),
    "png-binary": Format("a PNG a mask, 0 and 255", "answers:read_png", "png:write_png_binary"),
    "lisa": Format("pictures that LISA's chat leaves", "answers:read_lisa"),
    "glamm": Format("files that GLaMM's grounded captions leave", "answers:read_glamm"),
    "labelme": Format(
        "labelme's json, polygons and masks", "labelme:read_labelme", "labelme:write_labelme"
    ),
    "labelme-masks": Format(
        "labelme's json, masks only", "labelme:read_labelme", "labelme:write_labelme_masks"
    ),
    "yolo": Format(
        "YOLO's segmentation labels", "yolo:read_yolo", "yolo:write_yolo", with_pictures=True
    ),
    "label-studio": Format(
        "Label Studio's tasks with brush masks",
        "label_studio:read_label_studio",
        "label_studio:write_label_studio",
    ),
    "cvat": Format("CVAT for images 1.1, masks", "cvat:read_cvat", "cvat:write_cvat"),
    "fiftyone": Format(
        "folder that FiftyOne imports", writer="fiftyone:write_fiftyone", with_pictures=True
    ),
    "r2sm": Format("queries in the manner of R2SM", writer="r2sm:write_r2sm"),
    "reasonseg": Format(
        "ReasonSeg's folder, for LISA", writer="reasonseg:write_reasonseg", with_pictures=True
    ),
}
"""By the name that the command line knows."""


def _imported(function: str) -> object:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(f"askmask.formats.{module}"), name)


def _reader(name: str, sources: Mapping[str, Reader]) -> Reader:
    """The reader of this name; our own formats come before further sources.

    Raises:
        ConfigError: when there is none.
    """
    known = [other for other, one in FORMATS.items() if one.reader]
    if name in known:
        return FORMATS[name].read()
    if name in sources:
        return sources[name]
    raise _unknown(name, "read", [*known, *sources])


def _unknown(name: str, verb: str, known: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return ConfigError(f"{name}: expected a format that is {verb}: {', '.join(known)}{hint}")


def _without_lost_pictures(collection: Collection, losses: Losses) -> Collection:
    """The collection when its pictures go away with the workspace."""
    images: set[str] = set()
    for split in collection.splits.values():
        images |= {record.image for record in split.entities}
        images |= {record.image for record in split.queries}
    losses.add("pictures", len(images), "they are inside the source: convert to askmask first")
    splits = {name: replace(split, images=None) for name, split in collection.splits.items()}
    return replace(collection, splits=splits)


def convert(
    source: str | Path,
    out: str | Path,
    *,
    source_format: str,
    target_format: str,
    sources: Mapping[str, Reader] | None = None,
    options: Options | None = None,
    bad: OnBad = stop,
    strict: bool = False,
) -> Losses:
    """Convert a file or folder; `out` is there whole, or as it was before.

    Args:
        source: what to read.
        out: file or folder to write; a folder must be new or empty.
        source_format: a key of FORMATS with a reader, or of `sources`.
        target_format: a key of FORMATS with a writer.
        sources: further readers, e.g. those of data sets.
        options: what else the user says.
        bad: told of records that cannot be read; by default the first one ends it.
        strict: whether a loss is an error.

    Returns:
        What the target format could not hold.

    Raises:
        ConfigError: for a format or a combination that is not known, and for losses when `strict`.
        DataError, ImageError: when the source cannot be read.
        OutputError: when `out` cannot be written.
    """
    read = _reader(source_format, sources or {})
    writing = FORMATS.get(target_format)
    if writing is None or not writing.writer:
        written = [name for name, one in FORMATS.items() if one.writer]
        raise _unknown(target_format, "written", written)
    losses = Losses()
    with staged(out) as draft, TemporaryDirectory(prefix="askmask-") as workspace:
        options = replace(options or Options(), workspace=Path(workspace))
        collection = read(source, options, bad)
        if collection.temporary and not writing.with_pictures:
            collection = _without_lost_pictures(collection, losses)
        writing.write()(collection, draft, options, losses)
        if strict and losses:
            raise ConfigError(f"--strict: {'; '.join(losses.lines())}")
    return losses
