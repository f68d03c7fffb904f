"""Benchmark folders, and their files one by one, as collections."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import (
    EntityRecord,
    Prediction,
    QueryRecord,
    read_dataset_json,
    read_entities,
    read_or_tell,
    read_predictions,
    read_queries,
    write_dataset_json,
    write_entities,
    write_predictions,
    write_queries,
)
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.files import iter_jsonl
from askmask.formats.picture_files import find_picture, relative_to
from askmask.formats.records import Line

__all__ = ["read_benchmark", "write_benchmark"]

_KINDS: dict[str, tuple[Callable[[Path], Iterator[Any]], type[Line]]] = {
    "entities": (read_entities, EntityRecord),
    "queries": (read_queries, QueryRecord),
    "predictions": (read_predictions, Prediction),
}
"""How files are called, the quick reader that stops at what is wrong, and what their lines are."""


def _kind_of(path: Path) -> str:
    """What a file holds: from its name, or else from the keys of its first line."""
    for kind in _KINDS:
        if path.name.startswith(kind):
            return kind
    first = next((record for _, record in iter_jsonl(path)), {})
    for kind, key in zip(_KINDS, ("entities", "text", "masks"), strict=True):
        if key in first:
            return kind
    raise DataError(f"{path}:1: expected a record of entities, of a query or of a prediction")


def _split_of(path: Path) -> str:
    """Return "val" for "queries-val.jsonl", "all" for "queries.jsonl" and other names."""
    kind, _, split = path.stem.partition("-")
    return split or "all" if kind in _KINDS else "all"


def _add(split: Split, path: Path, bad: OnBad) -> Split:
    """The split with the records of a file; without the wish to go on, by the quicker readers."""
    kind = _kind_of(path)
    read, line = _KINDS[kind]
    records = read(path) if bad is stop else read_or_tell(path, line, bad)
    found: dict[str, Any] = {kind: tuple(records)}
    return replace(split, **found)


def read_benchmark(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a benchmark folder, or one file of entities, queries or predictions.

    Predictions need the queries that they answer: those in the same folder, or `options.queries`.

    Raises:
        DataError: when a file cannot be read; for a line, through `bad`.
        ConfigError: when there is no such split.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    files = [path]
    card = {}
    if path.is_dir():
        names = (f"{kind}{end}" for kind in _KINDS for end in ("-*.jsonl", ".jsonl"))
        files = sorted(file for name in names for file in path.glob(name))
        if not files:
            raise DataError(f"{path}: expected files entities-*.jsonl or queries-*.jsonl in it")
        card = read_dataset_json(path) if (path / "dataset.json").is_file() else {}
    splits: dict[str, Split] = {}
    for file in files:
        name = _split_of(file)
        if options.split in (None, name):
            empty = Split(images=options.images or folder)
            splits[name] = _add(splits.get(name, empty), file, bad)
    if not splits:
        there = ", ".join(sorted({_split_of(file) for file in files}))
        raise ConfigError(f"{path}: has the splits {there}, not {options.split!r}")
    if options.queries is not None:
        asked = tuple(read_queries(options.queries))
        home = options.images or options.queries.parent
        splits = {
            name: replace(split, queries=asked, images=home) for name, split in splits.items()
        }
    name, license = card.get("name", folder.resolve().name), card.get("license", "as its source")
    return Collection(splits, str(name), str(license), str(card.get("source", path.name)))


def write_benchmark(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a benchmark folder.

    Pictures stay where they are and paths lead there; those that were unpacked on the way are put
    into the folder.

    Raises:
        DataError: when an unpacked picture is missing.
        OutputError: when a file cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, split in collection.splits.items():
        end = "" if name == "all" else f"-{name}"

        def moved(image: str, split: Split = split) -> str:
            if not collection.temporary:
                return relative_to(out, image, split.images)
            inside = PurePosixPath("images", image.removeprefix("images/"))
            target = out / inside
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(find_picture(image, split.images), target)
            return inside.as_posix()

        if split.entities:
            entities = (replace(one, image=moved(one.image)) for one in split.entities)
            write_entities(out / f"entities{end}.jsonl", entities)
        if split.queries:
            queries = (replace(one, image=moved(one.image)) for one in split.queries)
            write_queries(out / f"queries{end}.jsonl", queries)
        if split.predictions:
            write_predictions(out / f"predictions{end}.jsonl", split.predictions)
    write_dataset_json(
        out, name=collection.name, license=collection.license, source=collection.source
    )
