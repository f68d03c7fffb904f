"""Results of other codes as collections: with the queries that they answer, to convert them."""

from __future__ import annotations

from pathlib import Path

from askmask.errors import ConfigError
from askmask.formats.askmask import read_queries
from askmask.formats.collection import Collection, OnBad, Options, Split, stop
from askmask.formats.predictions.registry import AUTO, predictions_for

__all__ = ["read_coco_results", "read_glamm", "read_lisa", "read_png"]


def _read(path: str | Path, options: Options, layout: str) -> Collection:
    """Read results of a layout.

    Raises:
        ConfigError: when nobody says which queries they answer.
    """
    path = Path(path)
    if options.queries is None:
        raise ConfigError(f"{path}: name the queries that these results answer with --queries")
    split = Split(
        queries=tuple(read_queries(options.queries)),
        predictions=tuple(predictions_for(path, options.queries, layout)),
        images=options.images or options.queries.parent,
    )
    return Collection({"all": split}, path.resolve().stem, source=path.name)


def read_coco_results(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read COCO's list of results; the first bad one ends it.

    Raises:
        DataError: when the file or a result cannot be read.
        ConfigError: without `options.queries`.
    """
    return _read(path, options, "coco")


def read_png(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a folder of PNG masks named after queries, or one with masks/ in it, as we write.

    Raises:
        DataError, ImageError: when a file cannot be read or is of no query.
        ConfigError: without `options.queries`.
    """
    inside = Path(path) / "masks"
    return _read(inside if inside.is_dir() else path, options, AUTO)


def read_lisa(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read the folder that LISA's chat leaves; errors as of `read_png`."""
    return _read(path, options, "lisa")


def read_glamm(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read the folder that GLaMM's grounded captions leave; errors as of `read_png`."""
    return _read(path, options, "glamm")
