"""Large JSON files item by item: arrays of records, and objects of arrays as COCO's files are.

Only one item is in memory at a time, so a file of gigabytes gives its first record at once. NaN and
infinities, which are not JSON, pass, so that readers can name the record that has them.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from askmask.errors import DataError

__all__ = ["MAX_ITEM_CHARACTERS", "iter_array", "iter_members"]

MAX_ITEM_CHARACTERS = 64_000_000
"""Longest item, e.g. one record of an array, that is read."""

_CHUNK_BYTES = 1 << 20

_SURE = 16
"""An error this far before the end of what was read is no matter of reading more."""

_CUT_NUMBER = 2
"""Characters of a number that its reader leaves when the rest of it is missing."""


_DECODER = json.JSONDecoder()


class _Text:
    """The text of a file from a moving place on."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self.where = where
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._place = 0
        self._ended = False

    def error(self, problem: str) -> DataError:
        return DataError(f"{self.where}: expected JSON, {problem}")

    def _more(self) -> bool:
        """Read on, as much as is still unread or a chunk; False at the end of the file."""
        if self._ended:
            return False
        rest = self._text[self._place :]
        raw = self._stream.read(max(_CHUNK_BYTES, len(rest)))
        self._ended = not raw
        try:
            self._text = rest + self._decode.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.where}: expected UTF-8, got byte 0x{error.object[error.start]:02x}"
            ) from error
        self._place = 0
        return True

    def next(self) -> str:
        """Return the next character that is no blank, without taking it; "" at the end."""
        while True:
            while self._place < len(self._text):
                character = self._text[self._place]
                if character not in " \t\r\n":
                    return character
                self._place += 1
            if not self._more():
                return ""

    def take(self, *expected: str) -> str:
        """Take one of the characters `expected`."""
        character = self.next()
        if character not in expected:
            found = repr(character) if character else "the end of the file"
            raise self.error(f"expected {' or '.join(expected)}, got {found}")
        self._place += 1
        return character

    def value(self) -> Any:
        """Take one whole value."""
        if not self.next():
            raise self.error("the file ends where a value should stand")
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._settled(error) or not self._more():
                    raise self.error(error.msg) from error
            except (ValueError, RecursionError) as error:
                raise self.error(str(error)) from error
            else:  # a number that what was read cuts off, as in "1." or "1.5e-", may go on
                if end + _CUT_NUMBER < len(self._text) or not self._more():
                    self._place = end
                    return value

    def _settled(self, error: json.JSONDecodeError) -> bool:
        """Whether reading more cannot help."""
        if len(self._text) - self._place > MAX_ITEM_CHARACTERS:
            raise self.error(f"one item is longer than {MAX_ITEM_CHARACTERS:,} characters")
        open_string = error.msg.startswith("Unterminated string")
        return not open_string and error.pos < len(self._text) - _SURE


def _items(text: _Text, path: Path, key: str = "") -> Iterator[Any]:
    """Take an array, item by item."""
    text.take("[")
    if text.next() == "]":
        text.take("]")
        return
    number = 0
    while True:
        number += 1
        text.where = f"{path}, {f'{key!r} ' if key else ''}item {number}"
        yield text.value()
        if text.take(",", "]") == "]":
            text.where = str(path)
            return


def _end(text: _Text) -> None:
    if text.next():
        raise text.error(f"got {text.next()!r} after its end")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error


def iter_array(path: str | Path) -> Iterator[Any]:
    """Read the items of a file that is one JSON array.

    Raises:
        DataError: naming file and item, when it is not UTF-8, not JSON or no array.
    """
    path = Path(path)
    with _open(path) as stream:
        text = _Text(stream, str(path))
        yield from _items(text, path)
        _end(text)


def iter_members(path: str | Path) -> Iterator[tuple[str, Any]]:
    """Read a file that is one JSON object, the arrays in it item by item.

    Yields:
        Key and item for every item of an array, key and value for all else.

    Raises:
        DataError: naming file, key and item, when it is not UTF-8, not JSON or no object.
    """
    path = Path(path)
    with _open(path) as stream:
        text = _Text(stream, str(path))
        text.take("{")
        if text.next() == "}":
            text.take("}")
            return _end(text)
        while True:
            if text.next() != '"':
                raise text.error("expected a key in quotes")
            key = text.value()
            text.take(":")
            if text.next() == "[":
                for item in _items(text, path, key):
                    yield key, item
            else:
                yield key, text.value()
            if text.take(",", "}") == "}":
                return _end(text)
