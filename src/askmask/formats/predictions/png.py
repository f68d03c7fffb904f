"""Folders of PNG masks: one mask a query, or its instances in one file or one file each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError
from askmask.formats.prediction import PredictedMask, Prediction
from askmask.formats.predictions.asked import Asked
from askmask.formats.predictions.folders import files_in
from askmask.images import read_labels

__all__ = ["SCORE", "holds_instances", "read_png", "read_png_instances"]

SCORE = 1.0
"""Score of instances whose layout has none."""

_NUMBERED = re.compile(r"(.+)_(\d{1,6})")

_PALETTE = 3
"""Colour type of palette pictures, byte 25 of a PNG file."""


def _name(path: Path, folder: Path) -> str:
    """Return the path inside the folder without ".png": an id with a slash lies in a subfolder."""
    return path.relative_to(folder).as_posix()[: -len(path.suffix)]


def _query(path: Path, folder: Path, asked: Asked) -> tuple[str, int | None]:
    """Return whose mask a file is, and its number when it is ID_0.png, ID_1.png and so on."""
    name = _name(path, folder)
    numbered = _NUMBERED.fullmatch(name)
    if asked.find(name) is None and numbered and asked.find(numbered[1]) is not None:
        return asked.named(numbered[1], str(path)), int(numbered[2])
    return asked.named(name, str(path)), None


def _labels(path: Path, query: str, asked: Asked) -> NDArray[np.int32]:
    labels = read_labels(path)
    asked.check_size(query, (labels.shape[0], labels.shape[1]), str(path))
    return labels


def _mask(labels: NDArray[np.int32], path: Path) -> NDArray[np.bool_]:
    """Return the pixels of the one value beside 0.

    Raises:
        DataError: when there are several values: a soft mask, or instances in one file.
    """
    mask: NDArray[np.bool_] = labels != 0
    values = np.unique(labels[mask])
    if len(values) > 1:
        raise DataError(
            f"{path}: expected one mask, 0 and one other value, got {len(values):,} other values; "
            "threshold a soft mask, or read instance numbers with --predictions-format "
            "png-instances"
        )
    return mask


def read_png(folder: Path, asked: Asked) -> Iterator[Prediction]:
    """Read one mask a query from ID.png: the query's whole answer, without instances.

    Raises:
        DataError: for files that are of no query, of another size or not one mask.
        ImageError: for files that are no PNG.
    """
    seen: set[str] = set()
    for path in files_in(folder, ".png"):
        query, number = _query(path, folder, asked)
        if number is not None:
            raise DataError(
                f"{path}: expected one mask a query, got instance {number} of query {query!r}; "
                "read instances with --predictions-format png-instances"
            )
        _check_new(query, seen, path)
        fused = rle.encode(_mask(_labels(path, query, asked), path))
        yield Prediction(query, fused=fused, place=str(path))


def _check_new(query: str, seen: set[str], path: Path) -> None:
    if query in seen:
        raise DataError(f"{path}: query {query!r} has another file; expected one for each query")
    seen.add(query)


def _instances(labels: NDArray[np.int32], path: Path) -> list[NDArray[np.bool_]]:
    """Return one mask for each value beside 0.

    Raises:
        DataError: when grey values do not count 1, 2, 3, …: a soft mask, perhaps.
    """
    values = np.unique(labels[labels != 0])
    counted = len(values) < 2 or values[-1] == len(values)
    if not counted and not _has_palette(path):
        raise DataError(
            f"{path}: expected instance numbers 1, 2, 3, …, got {len(values):,} values up to "
            f"{values[-1]:,}; is it a soft mask or a picture?"
        )
    return [labels == value for value in values]


def read_png_instances(folder: Path, asked: Asked) -> Iterator[Prediction]:
    """Read the instances of each query: numbers in ID.png, or one mask each in ID_0.png, ….

    There are no scores on disk, so that each instance has the score 1. An all-black ID.png is an
    answer without instances.

    Raises:
        DataError: for files that are of no query or of another size, and for numbers with gaps.
        ImageError: for files that are no PNG.
    """
    groups: dict[str, dict[int | None, Path]] = {}
    for path in files_in(folder, ".png"):
        query, number = _query(path, folder, asked)
        files = groups.setdefault(query, {})
        if number in files:
            _check_new(query, {query}, path)
        files[number] = path
    for query, files in groups.items():
        masks: list[NDArray[np.bool_]] = []
        for path in _in_order(query, files):
            labels = _labels(path, query, asked)
            masks += _instances(labels, path) if None in files else [_mask(labels, path)]
        yield Prediction(
            query,
            masks=tuple(PredictedMask(rle.encode(mask), SCORE) for mask in masks),
            place=str(next(iter(files.values()))),
        )


def _in_order(query: str, files: dict[int | None, Path]) -> list[Path]:
    """Return the files of one query by number.

    Raises:
        DataError: when one is missing in between, or one file stands beside numbered ones.
    """
    numbers = sorted(number for number in files if number is not None)
    if None in files and numbers:
        raise DataError(f"{files[None]}: query {query!r} has {files[numbers[0]]} too; keep one")
    for expected, number in enumerate(numbers, min(numbers[:1], default=0)):
        if number != expected or numbers[0] > 1:
            raise DataError(
                f"{files[number]}: expected instance {0 if numbers[0] > 1 else expected} of query "
                f"{query!r} before it, which is missing"
            )
    return [files[number] for number in numbers] or [files[None]]


def _has_palette(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(26)[25:26] == bytes([_PALETTE])


def holds_instances(folder: Path, asked: Asked) -> bool:
    """Whether the masks of a folder are instances and not one mask a query.

    They are when files are numbered, have a palette, or hold several values; all-black files say
    nothing, so that the first file with a mask decides.

    Raises:
        DataError: for files that are of no query.
        ImageError: for files that are no PNG.
    """
    files = files_in(folder, ".png")
    if any(_query(path, folder, asked)[1] is not None for path in files):
        return True
    for path in files:
        labels = read_labels(path)
        if labels.any():
            return _has_palette(path) or len(np.unique(labels[labels != 0])) > 1
    return False
