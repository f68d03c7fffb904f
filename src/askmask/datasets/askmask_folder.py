"""askmask's own benchmark folders, Pantry among them, and their files one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.split_files import of_split
from askmask.errors import DataError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    benchmark_files,
    read_dataset_json,
    read_or_tell,
)
from askmask.formats.files import file_sha256, iter_jsonl

__all__ = ["FORMATS"]

_KINDS = {"entities": b'"entities"', "queries": b'"targets"'}
"""Kinds of files, with a key that the records of each have and others have not."""

_R = TypeVar("_R", EntityRecord, QueryRecord)


def _files(path: Path) -> dict[str, dict[str, Path]]:
    """Split -> kind -> file; a file of another name than the format's is the split "all"."""
    found: dict[str, dict[str, Path]] = {}
    if path.is_dir():
        for kind, split, file in benchmark_files(path):
            found.setdefault(split, {})[kind] = file
        return found
    start = peek(path).split(b"\n")[0]
    kind = next((kind for kind, key in _KINDS.items() if key in start), "")
    if not kind or path.suffix != ".jsonl":
        return {}
    named = path.stem.startswith(f"{kind}-")
    return {path.stem.removeprefix(f"{kind}-") if named else "all": {kind: path}}


def _records(path: Path, split: str, kind: type[_R], bad: BadRecords) -> Iterator[_R]:
    """Records of a split; none when it has no file of this kind."""
    files = _files(path)
    if not files:
        raise DataError(f"{path}: expected entities-SPLIT.jsonl or queries-SPLIT.jsonl, found none")
    file = of_split(files, split, path).get("entities" if kind is EntityRecord else "queries")
    return iter(()) if file is None else read_or_tell(file, kind, bad.bad)


def _queries(path: Path, split: str, images: Path | None, bad: BadRecords) -> Iterator[QueryRecord]:
    return _records(path, split, QueryRecord, bad)


def _entities(
    path: Path, split: str, images: Path | None, bad: BadRecords
) -> Iterator[EntityRecord]:
    return _records(path, split, EntityRecord, bad)


def _counts(path: Path, bad: BadRecords) -> Counts:
    """Lines of the files and the pictures that they name; only JSON is parsed."""
    counts = {}
    for split, files in _files(path).items():
        images: set[str] = set()
        numbers = dict.fromkeys(("images", "queries", "instances"), 0)
        for kind, file in files.items():
            for _, line in iter_jsonl(file, bad.bad):
                images.add(str(line.get("image")))
                entities = line.get("entities")
                numbers["queries"] += kind == "queries"
                numbers["instances"] += len(entities) if isinstance(entities, list) else 0
        wanted = ("images", *(("queries",) if "queries" in files else ()))
        wanted += ("instances",) if "entities" in files else ()
        numbers["images"] = len(images)
        counts[split] = {noun: numbers[noun] for noun in wanted}
    return counts


def _claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
    """What dataset.json says of the split and of files, where the folder says otherwise."""
    if not path.is_dir() or not (path / "dataset.json").is_file():
        return
    card = read_dataset_json(path)
    said = card.get("splits", {}).get(split, {}) if isinstance(card.get("splits"), dict) else {}
    found = _counts(path, BadRecords(skip=True)).get(split, {})
    for noun, number in said.items() if isinstance(said, dict) else ():
        if noun in found and found[noun] != number:
            yield f"{path / 'dataset.json'}: split {split} has {found[noun]} {noun}, not {number!r}"
    hashes = card.get("sha256")
    for file in _files(path).get(split, {}).values():
        stated = hashes.get(file.name) if isinstance(hashes, dict) else None
        if stated is not None and stated != file_sha256(file):
            yield f"{file}: its SHA-256 is not the one in dataset.json; it was changed"


FORMATS = (
    DatasetFormat(
        name="askmask",
        card=Card(
            name="askmask",
            title="A benchmark folder of askmask, e.g. Pantry",
            source="askmask build, askmask author, askmask convert",
            licence="as its dataset.json says",
            obtain="askmask build scenes, or any converter",
            notes=("Counts to expect stand in its dataset.json.",),
        ),
        looks_right=lambda path: bool(_files(path)),
        splits=lambda path: [*_files(path)],
        queries=_queries,
        entities=_entities,
        counts=_counts,
        claims=_claims,
    ),
)
