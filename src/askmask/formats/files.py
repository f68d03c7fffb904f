"""JSON and JSON Lines on disk: read in a stream with errors that name the line, written whole."""

from __future__ import annotations

import codecs
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from askmask.atomic import atomic_write
from askmask.errors import DataError, OutputError, TornLineError
from askmask.formats.spans import WHOLE, Span

__all__ = [
    "MAX_JSON_BYTES",
    "MAX_LINE_BYTES",
    "appending_jsonl",
    "atomic_write",
    "file_sha256",
    "iter_blocks",
    "iter_jsonl",
    "iter_lines",
    "read_json",
    "write_json",
    "write_jsonl",
]

MAX_LINE_BYTES = 64_000_000
"""Longest line of a JSON Lines file that is read."""

_BLOCK_BYTES = 2_000_000

MAX_JSON_BYTES = 1_000_000_000
"""Largest JSON file that is read when the caller does not say."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write null")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: `json.loads` makes one a call when it is given options."""

_LENIENT = json.JSONDecoder()


def _not_finite(value: object, key: str = "") -> str | None:
    """Return the path of the first NaN or infinity in `value`, e.g. "masks[0].score"."""
    if isinstance(value, float):
        return None if math.isfinite(value) else key
    if isinstance(value, dict):
        inside = ((item, f"{key}.{name}" if key else name) for name, item in value.items())
    elif isinstance(value, list):
        inside = ((item, f"{key}[{index}]") for index, item in enumerate(value))
    else:
        return None
    return next((path for item in inside if (path := _not_finite(*item))), None)


def _no_json(text: str, where: str, error: ValueError | RecursionError) -> DataError:
    """Say why `text` is not JSON: which key holds NaN, or where the syntax breaks."""
    if not isinstance(error, json.JSONDecodeError):
        try:
            key = _not_finite(_LENIENT.decode(text))
        except (ValueError, RecursionError):
            key = None
        if key:
            return DataError(f"{where}, key {key!r}: expected a finite number, {error}")
    return DataError(f"{where}: expected JSON, {error}")


def _parse(raw: bytes, where: str) -> Any:
    """Parse one JSON text, or raise DataError naming the place."""
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: expected UTF-8, got byte 0x{error.object[error.start]:02x} at offset "
            f"{error.start}"
        ) from error
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(text, where, error) from error


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


def _parse_line(raw: bytes, where: str) -> dict[str, Any]:
    """Parse one line, or raise DataError; TornLineError when it is broken and has no end."""
    try:
        record = _parse(raw, where)
    except DataError as error:
        broken = isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError)
        if raw.endswith(b"\n") or not broken:
            raise
        raise TornLineError(
            f"{where}: the file ends in the middle of this line, as after a killed writer"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected a JSON object, got {type(record).__name__}")
    return record


def iter_lines(
    stream: BinaryIO,
    path: str | Path,
    number: int = 1,
    bad: Callable[[str, DataError], None] | None = None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read JSON Lines from an open file, or a part of one; see `iter_jsonl`.

    Args:
        stream: at the begin of a line.
        path: of the file, for messages.
        number: of the first line.
        bad: as of `iter_jsonl`.
    """
    for at in count(number):
        raw = stream.readline(MAX_LINE_BYTES + 1)
        if not raw:
            return
        if len(raw) > MAX_LINE_BYTES:
            raise DataError(
                f"{path}:{at}: expected at most {MAX_LINE_BYTES:,} bytes a line, got "
                "more; is it JSON Lines, one object a line?"
            )
        if raw.isspace():
            continue
        where = f"{path}:{at}"
        try:
            record = _parse_line(raw, where)
        except DataError as error:
            if bad is None:
                raise
            bad(where, error)
            continue
        yield at, record


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
        TornLineError: when the last line is not JSON and has no end.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            yield from iter_lines(stream, path, bad=bad)
    except OSError as error:
        raise _unreadable(path, error) from error


def iter_blocks(path: str | Path, span: Span = WHOLE) -> Iterator[tuple[int, bytes]]:
    """Read a file in blocks of whole lines; a line that is too long is cut behind the limit.

    Args:
        path: the file.
        span: the part of it that is read.

    Yields:
        Number from 1 of the block's first line, and the block.

    Raises:
        DataError: when the file cannot be read.
    """
    path = Path(path)
    number, place = span.number, span.start
    stop = math.inf if span.stop is None else span.stop
    try:
        with path.open("rb") as stream:
            stream.seek(place)
            while block := stream.read(int(min(_BLOCK_BYTES, stop - place))):
                if not block.endswith(b"\n"):
                    block += stream.readline(MAX_LINE_BYTES + 1)
                yield number, block
                number += block.count(b"\n")
                place += len(block)
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
