"""JSON and JSON Lines on disk: read in a stream with errors that name the line, written whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from askmask.atomic import atomic_write
from askmask.errors import DataError, OutputError

__all__ = [
    "MAX_JSON_BYTES",
    "MAX_LINE_BYTES",
    "appending_jsonl",
    "atomic_write",
    "file_sha256",
    "iter_jsonl",
    "read_json",
    "write_json",
    "write_jsonl",
]

MAX_LINE_BYTES = 64_000_000
"""Longest line of a JSON Lines file that is read."""

MAX_JSON_BYTES = 1_000_000_000
"""Largest JSON file that is read when the caller does not say."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write null")


def _parse(raw: bytes, where: str) -> Any:
    """Parse one JSON text, or raise DataError naming the place."""
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: expected UTF-8, got byte 0x{raw[error.start]:02x} at offset {error.start}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: expected JSON, {error}") from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read ({error.strerror or error})")


def read_json(path: str | Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read one JSON value from a file.

    Raises:
        DataError: when the file is missing, larger than `max_bytes`, not UTF-8 or not JSON.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(max_bytes + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(raw) > max_bytes:
        raise DataError(f"{path}: expected at most {max_bytes:,} bytes, got more")
    return _parse(raw, str(path))


def iter_jsonl(
    path: str | Path, bad: Callable[[str, DataError], None] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read a JSON Lines file line by line; blank lines are skipped.

    Args:
        path: the file.
        bad: told of lines that are no JSON object, with their place; None raises.

    Yields:
        Line number from 1 and the object on that line.

    Raises:
        DataError: naming file and line, when a line is too long, not UTF-8 or not a JSON object.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            number = 0
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                where = f"{path}:{number}"
                if len(raw) > MAX_LINE_BYTES:
                    raise DataError(
                        f"{where}: expected at most {MAX_LINE_BYTES:,} bytes a line, got more; "
                        "is it JSON Lines, one object a line?"
                    )
                if not raw.strip():
                    continue
                try:
                    record = _parse(raw, where)
                    if not isinstance(record, dict):
                        found = type(record).__name__
                        raise DataError(f"{where}: expected a JSON object, got {found}")
                except DataError as error:
                    if bad is None:
                        raise
                    bad(where, error)
                    continue
                yield number, record
    except OSError as error:
        raise _unreadable(path, error) from error


def _dump(value: object, indent: int | None = None) -> bytes:
    """Return `value` as JSON and a line end; refuses NaN and infinities with ValueError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent).encode() + b"\n"


def write_json(path: str | Path, value: object) -> None:
    """Write one JSON value, indented; the old file stays when this fails.

    Raises:
        OutputError: when the file cannot be written.
    """
    with atomic_write(path) as stream:
        stream.write(_dump(value, indent=2))


def write_jsonl(path: str | Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one object a line; the old file stays when this, or `records`, fails.

    Raises:
        OutputError: when the file cannot be written.
    """
    with atomic_write(path) as stream:
        for record in records:
            stream.write(_dump(record))


def _cut_torn_line(path: Path) -> None:
    """Remove what a killed process left after the last line end."""
    with path.open("r+b") as stream:
        whole = 0
        for line in stream:
            whole += len(line) if line.endswith(b"\n") else 0
        stream.truncate(whole)


@contextmanager
def appending_jsonl(path: str | Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Append objects to a file that may be continued after a kill; makes it when it is missing.

    A last line without its end, left by a killed process, is cut off first.

    Yields:
        A function that writes one object as one line and hands it to the system at once.

    Raises:
        OutputError: when the file cannot be written.
    """
    path = Path(path)
    try:
        if path.is_file():
            _cut_torn_line(path)
        with path.open("ab") as stream:

            def append(record: Mapping[str, Any]) -> None:
                stream.write(_dump(record))
                stream.flush()

            yield append
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        DataError: when the file cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error
