"""Large JSON files whose records are visited out of order: parsed once, and again where needed.

Annotations of a picture are scattered over a file of hundreds of megabytes, which parsed whole
takes several times its size. Here the text is held, one byte a character where it is ASCII, and
what the caller keeps; `formats.json_stream` holds less, but sees each record only once. NaN and
infinities pass, so that the reader can name the record that has them.
"""

from __future__ import annotations

import codecs
import json
import mmap
import re
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from askmask.errors import DataError

__all__ = ["MAX_FILE_BYTES", "Item", "JsonItems"]

MAX_FILE_BYTES = 2_000_000_000
"""Largest annotation file that is read; that of LVIS has 1.1 GB."""

_SPACE = re.compile(r"[ \t\n\r]*")

_DECODER = json.JSONDecoder()

_Walk = Generator["Item", None, int]
"""Yields items and returns the place behind them."""


class Item(NamedTuple):
    """A value of a file: an item of a list at the top, or what else stands there.

    Attributes:
        key: key of the object at the top; "" when the top is a list.
        number: place in the list, from 0; None for a value that is no item. A list itself comes
            first, as [], and then its items.
        start: where the value begins, for `JsonItems.at`.
        value: parsed.
    """

    key: str
    number: int | None
    start: int
    value: Any


class JsonItems:
    """A JSON file, an object or a list. Iterating parses it from the start."""

    def __init__(self, path: Path) -> None:
        """Read the text.

        Raises:
            DataError: when the file is missing, too large, empty or not UTF-8.
        """
        self.path = path
        self._text = _read_text(path)

    def __iter__(self) -> Iterator[Item]:
        """Walk through the file.

        Raises:
            DataError: naming file and place, when it is not JSON, an object or a list.
        """
        at = self._skip(0)
        opening = self._text[at : at + 1]
        if opening not in ("{", "["):
            raise self._broken(at, "an object or a list")
        at = yield from (self._members(at) if opening == "{" else self._list("", at))
        if self._skip(at) != len(self._text):
            raise self._broken(self._skip(at), "the end of the file")

    def at(self, start: int) -> Any:
        """Parse the value at the place of an item once more."""
        return self._parse(start)[0]

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return at if found is None else found.end()

    def _parse(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self._broken(error.pos, "JSON", error.msg) from error
        except (ValueError, RecursionError) as error:  # numbers too long, lists too deep
            raise self._broken(at, "JSON", str(error)) from error

    def _broken(self, at: int, expected: str, reason: str = "") -> DataError:
        line, reason = self._text.count("\n", 0, at) + 1, f" ({reason})" if reason else ""
        found = self._text[at : at + 20]
        got = repr(found) if found else "its end; is the file truncated?"
        where = f"{self.path}, line {line}, character {at:,}"
        return DataError(f"{where}: expected {expected}, got {got}{reason}")

    def _list(self, key: str, at: int) -> _Walk:
        yield Item(key, None, at, [])
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "]":
            return at + 1
        for number in count():
            value, end = self._parse(at)
            yield Item(key, number, at, value)
            at = self._skip(end)
            mark = self._text[at : at + 1]
            if mark not in (",", "]"):
                raise self._broken(at, "',' or ']'")
            if mark == "]":
                break
            at = self._skip(at + 1)
        return at + 1

    def _members(self, at: int) -> _Walk:
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "}":
            return at + 1
        while True:
            key, end = self._parse(at)
            colon = self._skip(end)
            if not isinstance(key, str) or self._text[colon : colon + 1] != ":":
                raise self._broken(at, "a key and ':'")
            at = self._skip(colon + 1)
            if self._text[at : at + 1] == "[":
                end = yield from self._list(key, at)
            else:
                value, end = self._parse(at)
                yield Item(key, None, at, value)
            at = self._skip(end)
            mark = self._text[at : at + 1]
            if mark not in (",", "}"):
                raise self._broken(at, "',' or '}'")
            if mark == "}":
                return at + 1
            at = self._skip(at + 1)


def _read_text(path: Path) -> str:
    """Decode a file without holding its bytes beside the text."""
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise DataError(f"{path}: expected JSON of 1 to {MAX_FILE_BYTES:,} bytes, got {size:,}")
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as raw,
        ):
            text, _ = codecs.utf_8_decode(raw, "strict", True)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: expected UTF-8, got byte 0x{error.object[error.start]:02x} at offset "
            f"{error.start}; save the file as UTF-8"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a name that the system cannot hold
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error
    return text.removeprefix("\ufeff")
