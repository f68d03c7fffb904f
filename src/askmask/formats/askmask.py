"""The askmask/1 format on disk: a folder with dataset.json and JSON Lines, one record a line."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from askmask.errors import DataError, TornLineError
from askmask.formats.codes import CodeChecks
from askmask.formats.fields import Fields
from askmask.formats.files import (
    file_sha256,
    iter_blocks,
    iter_jsonl,
    iter_lines,
    read_json,
    write_json,
    write_jsonl,
)
from askmask.formats.names import Names
from askmask.formats.prediction import PredictedMask, Prediction, prediction_from_answer
from askmask.formats.records import Entity, EntityRecord, Line, QueryRecord, Target
from askmask.formats.spans import WHOLE, Span
from askmask.formats.typed_lines import read_block

__all__ = [
    "Entity",
    "EntityRecord",
    "PredictedMask",
    "Prediction",
    "QueryRecord",
    "Target",
    "benchmark_files",
    "prediction_from_answer",
    "read_dataset_json",
    "read_entities",
    "read_or_tell",
    "read_predictions",
    "read_queries",
    "write_dataset_json",
    "write_entities",
    "write_predictions",
    "write_queries",
]

_FORMAT = "askmask/1"

_MAX_CARD_BYTES = 100_000_000
"""Largest dataset.json that is read: the hashes of some hundred thousand pictures."""


_L = TypeVar("_L", bound=Line)

_BLOCK = 1_000
"""Records that wait for the check of their codes at most."""


def _read(path: str | Path, kind: type[_L], advice: str, span: Span = WHOLE) -> Iterator[_L]:
    """Read a file, or a part of it, block by block, refusing a second record of the same name.

    Before an error, all records in front of it come.
    """
    path = str(path)
    seen = Names()
    for number, block in iter_blocks(path, span):
        records = read_block(kind, block, path, number)
        names = {getattr(record, kind.NAME) for record in records or ()}
        if records is not None and len(names) == len(records) and not seen.may_hold(names):
            seen.update(names)
            yield from records
        else:
            yield from _read_with_care(path, kind, advice, (number, block), seen)


def _read_with_care(
    path: str, kind: type[_L], advice: str, numbered: tuple[int, bytes], seen: Names
) -> Iterator[_L]:
    """Read a block line by line, to keep what is unknown and to name what is wrong.

    Records come some hundred at a time, as their run-length codes are checked together.

    Args:
        path: of the file.
        kind: of the records.
        advice: end of the message about a last line that was cut off.
        numbered: number of the block's first line, and the block.
        seen: names of the records so far; those of the block are added.
    """
    number, raw = numbered
    checks = CodeChecks()
    block: list[_L] = []
    own: set[str] = set()
    try:
        for at, line in iter_lines(BytesIO(raw), path, number):
            record = kind.from_fields(Fields(line, f"{path}:{at}", kind.KEYS, checks))
            name: str = getattr(record, kind.NAME)
            if name in own or name in seen:
                first = next(i for i, other in iter_jsonl(path) if other.get(kind.NAME) == name)
                if first < at:
                    raise DataError(
                        f"{path}:{at}: {name!r} is already in line {first}; expected it once"
                    )
            own.add(name)
            block.append(record)
            if checks.full or len(block) >= _BLOCK:
                ready, block = block, []
                checks.settle()
                yield from ready
    except DataError as error:
        checks.settle()
        yield from block
        if isinstance(error, TornLineError):
            raise TornLineError(f"{error}; {advice}") from error
        raise
    seen.update(own)
    checks.settle()
    yield from block


def read_or_tell(
    path: str | Path, kind: type[_L], bad: Callable[[str, DataError], None]
) -> Iterator[_L]:
    """Read a file line by line; a line that is wrong, or repeats a name, goes to `bad`.

    Args:
        path: the file.
        kind: what its lines are.
        bad: told of a line and its place; may raise.

    Raises:
        DataError: when the file cannot be read at all.
    """
    line_of: dict[str, int] = {}
    for number, line in iter_jsonl(path, bad):
        where = f"{path}:{number}"
        try:
            record = kind.from_json(line, where)
            name: str = getattr(record, kind.NAME)
            first = line_of.setdefault(name, number)
            if first != number:
                raise DataError(f"{where}: {name!r} is already in line {first}; expected it once")
        except DataError as error:
            bad(where, error)
            continue
        yield record


def read_entities(path: str | Path) -> Iterator[EntityRecord]:
    """Read an entities file line by line.

    Raises:
        DataError: naming file, line and key; also when a picture comes twice.
    """
    return _read(path, EntityRecord, "make or copy it again")


def read_queries(path: str | Path, span: Span = WHOLE) -> Iterator[QueryRecord]:
    """Read a queries file, or a part of it, line by line.

    Raises:
        DataError: naming file, line and key; also when an id comes twice.
    """
    return _read(path, QueryRecord, "make or copy it again", span)


def read_predictions(path: str | Path, span: Span = WHOLE) -> Iterator[Prediction]:
    """Read a predictions file, or a part of it, line by line.

    Raises:
        DataError: naming file, line and key; also when an id comes twice.
        TornLineError: when the last line was cut off.
    """
    advice = (
        "finish the run with `askmask predict … --resume`, or leave the line out and score its "
        "query as empty with --allow-missing"
    )
    return _read(path, Prediction, advice, span)


def _write(path: str | Path, records: Iterable[Line]) -> None:
    write_jsonl(path, (record.to_json() for record in records))


def write_entities(path: str | Path, records: Iterable[EntityRecord]) -> None:
    """Write an entities file; the old one stays when this fails."""
    _write(path, records)


def write_queries(path: str | Path, records: Iterable[QueryRecord]) -> None:
    """Write a queries file; the old one stays when this fails."""
    _write(path, records)


def write_predictions(path: str | Path, records: Iterable[Prediction]) -> None:
    """Write a predictions file; the old one stays when this fails."""
    _write(path, records)


def benchmark_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield kind, split and path of the files of a benchmark folder.

    The split is "val" for "queries-val.jsonl", and "all" for "queries.jsonl".
    """
    for kind in ("entities", "queries"):
        for path in sorted({*folder.glob(f"{kind}-*.jsonl"), *folder.glob(f"{kind}.jsonl")}):
            yield kind, path.stem.removeprefix(kind).removeprefix("-") or "all", path


def write_dataset_json(folder: str | Path, *, name: str, license: str, source: str) -> None:
    """Describe a benchmark folder from the files that are in it.

    Args:
        folder: holds images/, and entities-SPLIT.jsonl or queries-SPLIT.jsonl or both.
        name: name of the benchmark.
        license: licence of pictures and sentences.
        source: where they come from, e.g. the command that made them.

    Raises:
        DataError: when a file of the folder cannot be read.
        OutputError: when dataset.json cannot be written.
    """
    folder = Path(folder)
    images: dict[str, set[str]] = {}
    queries: dict[str, int] = {}
    files = []
    for kind, split, path in benchmark_files(folder):
        files.append(path)
        for _, record in iter_jsonl(path):
            images.setdefault(split, set()).add(str(record.get("image")))
            queries[split] = queries.get(split, 0) + (kind == "queries")
    files += sorted(path for path in (folder / "images").rglob("*") if path.is_file())
    write_json(
        folder / "dataset.json",
        {
            "format": _FORMAT,
            "name": name,
            "license": license,
            "source": source,
            "splits": {
                split: {"images": len(images[split]), "queries": queries[split]}
                for split in sorted(images)
            },
            "sha256": {path.relative_to(folder).as_posix(): file_sha256(path) for path in files},
        },
    )


def read_dataset_json(folder: str | Path) -> dict[str, Any]:
    """Read the description of a benchmark folder.

    Raises:
        DataError: when dataset.json is missing, not JSON or not of this format.
    """
    path = Path(folder) / "dataset.json"
    card = read_json(path, _MAX_CARD_BYTES)
    if not isinstance(card, dict) or card.get("format") != _FORMAT:
        found = card.get("format") if isinstance(card, dict) else card
        raise DataError(f"{path}, key 'format': expected {_FORMAT!r}, got {reprlib.repr(found)}")
    return card
