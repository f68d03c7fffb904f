"""Large JSON files item by item: arrays of records, and objects of arrays as COCO's files are.

Only one item is in memory at a time, so a file of gigabytes gives its first record at once; where
records are visited out of order, `JsonItems` holds the bytes and parses an item again when it is
asked for. NaN and infinities, which are not JSON, pass, so that readers can name the record that
has them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from askmask.errors import DataError

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_ITEM_CHARACTERS",
    "Item",
    "JsonItems",
    "iter_array",
    "iter_items",
    "iter_members",
]

MAX_ITEM_CHARACTERS = 64_000_000
"""Longest item, e.g. one record of an array, that is read."""

MAX_FILE_BYTES = 2_000_000_000
"""Largest file that is held; that of LVIS has 1.1 GB."""

_CHUNK_BYTES = 1 << 16

_ITEM_BYTES = 1 << 12
"""What is decoded first of an item that is read again; most have less."""

_SURE = 16
"""An error this far before the end of what was read is no matter of reading more."""

_CUT_NUMBER = 2
"""Characters of a number that its reader leaves when the rest of it is missing."""

_DECODER = json.JSONDecoder()

_UTF_8 = codecs.getincrementaldecoder("utf-8-sig")

_NO_BLANK = re.compile(r"[^ \t\n\r]")


class Item(NamedTuple):
    """A value of a file: an item of a list at the top, or what else stands there.

    Attributes:
        key: key of the object at the top; "" when the top is a list.
        number: place in the list, from 0; None for a value that is no item. A list itself comes
            first, as [], and then its items.
        start: bytes in front of the value, for `JsonItems.at`.
        value: parsed.
    """

    key: str
    number: int | None
    start: int
    value: Any

    @property
    def opens(self) -> bool:
        """Whether this is a list of which the items follow."""
        return self.number is None and isinstance(self.value, list)


class _Text:
    """The text of a file from a moving place on."""

    def __init__(self, stream: BinaryIO, path: Path, chunk_bytes: int) -> None:
        self.item: str = ""  # which one is read, for messages
        self._path = path
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._decode = _UTF_8()
        self._text = ""
        self._place = 0
        self._counted = 0  # place up to which `_bytes` counts
        self._bytes = 0
        self._dropped = self._lines = 0  # characters and lines in front of the text
        self._taken = 0  # bytes of the stream
        self._ended = False

    def error(self, expected: str, place: int | None = None, reason: str = "") -> DataError:
        """Say what was expected at a place of the text, or at the present one, and what came."""
        place = self._place if place is None else place
        line = self._lines + self._text.count("\n", 0, place) + 1
        found = self._text[place : place + 20]
        got = repr(found) if found else "its end; is the file truncated?"
        where = f"{self._path}{self.item}, line {line}, character {self._dropped + place:,}"
        return DataError(f"{where}: expected {expected}, got {got}{reason}")

    def start(self) -> int:
        """Return how many bytes stand in front of the next character that is no blank."""
        self.next()
        self._count()
        return self._bytes

    def _count(self) -> None:
        self._bytes += len(self._text[self._counted : self._place].encode())
        self._counted = self._place

    def _more(self) -> bool:
        """Read on, as much as is still unread or a chunk; False at the end of the file."""
        if self._ended:
            return False
        self._count()
        self._dropped += self._place
        self._lines += self._text.count("\n", 0, self._place)
        rest = self._text[self._place :]
        raw = self._stream.read(max(self._chunk_bytes, len(rest)))
        if not self._taken and raw.startswith(codecs.BOM_UTF8):
            self._bytes = len(codecs.BOM_UTF8)
        self._taken += len(raw)
        self._ended = not raw
        try:
            self._text = rest + self._decode.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            offset = self._taken - len(error.object) + error.start
            raise DataError(
                f"{self._path}{self.item}: expected UTF-8, got byte "
                f"0x{error.object[error.start]:02x} at offset {offset}; save the file as UTF-8"
            ) from error
        self._place = self._counted = 0
        return True

    def next(self) -> str:
        """Return the next character that is no blank, without taking it; "" at the end."""
        while (found := _NO_BLANK.search(self._text, self._place)) is None:
            self._place = len(self._text)
            if not self._more():
                return ""
        self._place = found.start()
        return found[0]

    def expect(self, *characters: str) -> str:
        """Return the next one, which must be one of `characters`."""
        character = self.next()
        if character not in characters:
            raise self.error(" or ".join(repr(one) for one in characters))
        return character

    def take(self, *characters: str) -> str:
        """Take one of `characters`."""
        character = self.expect(*characters)
        self._place += 1
        return character

    def value(self) -> Any:
        """Take one whole value, of which the first character is the next one."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._settled(error) or not self._more():
                    raise self.error("JSON", error.pos, f" ({error.msg})") from error
            except (ValueError, RecursionError) as error:  # numbers too long, lists too deep
                raise self.error("JSON", reason=f" ({error})") from error
            else:  # a number that what was read cuts off, as in "1." or "1.5e-", may go on
                if end + _CUT_NUMBER < len(self._text) or not self._more():
                    self._place = end
                    return value

    def _settled(self, error: json.JSONDecodeError) -> bool:
        """Whether reading more cannot help."""
        if len(self._text) - self._place > MAX_ITEM_CHARACTERS:
            raise self.error(f"an item of at most {MAX_ITEM_CHARACTERS:,} characters")
        open_string = error.msg.startswith("Unterminated string")
        return not open_string and error.pos < len(self._text) - _SURE


def _places(text: _Text, closing: str) -> Iterator[int]:
    """Number the places between a bracket, which is taken, and the closing one."""
    if text.next() == closing:
        text.take(closing)
        return
    for number in count():
        yield number
        if text.take(",", closing) == closing:
            return


def _list(text: _Text, key: str) -> Iterator[Item]:
    yield Item(key, None, text.start(), [])
    text.take("[")
    name = f", {key!r} item" if key else ", item"
    for number in _places(text, "]"):
        text.item = f"{name} {number + 1}"
        yield Item(key, number, text.start(), text.value())
    text.item = ""


def _object(text: _Text) -> Iterator[Item]:
    text.take("{")
    for _ in _places(text, "}"):
        if text.next() != '"':
            raise text.error("a key in quotes")
        key = text.value()
        text.take(":")
        if text.next() == "[":
            yield from _list(text, key)
        else:
            yield Item(key, None, text.start(), text.value())


def _walk(stream: BinaryIO, path: Path, openings: str) -> Iterator[Item]:
    text = _Text(stream, path, _CHUNK_BYTES)
    yield from _object(text) if text.expect(*openings) == "{" else _list(text, "")
    if text.next():
        raise text.error("the end of the file")


def _unreadable(path: Path, error: OSError | ValueError) -> DataError:
    return DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})")


def iter_items(path: str | Path, openings: str = "{[") -> Iterator[Item]:
    """Read a file that is one JSON object or array, the arrays at its top item by item.

    Args:
        path: the file.
        openings: how it may begin.

    Raises:
        DataError: naming file, item and place, when it is not UTF-8, not JSON or begins otherwise.
    """
    path = Path(path)
    try:
        stream = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a name that the system cannot hold
        raise _unreadable(path, error) from error
    with stream:
        yield from _walk(stream, path, openings)


def iter_array(path: str | Path) -> Iterator[Any]:
    """Read the items of a file that is one JSON array; raises as `iter_items` does."""
    return (item.value for item in iter_items(path, "[") if not item.opens)


def iter_members(path: str | Path) -> Iterator[tuple[str, Any]]:
    """Read a file that is one JSON object, the arrays in it item by item.

    Yields:
        Key and item for every item of an array, key and value for all else.

    Raises:
        DataError: as `iter_items` does.
    """
    return ((item.key, item.value) for item in iter_items(path, "{") if not item.opens)


class JsonItems:
    """The items of a file that is held, and each of them once more from its place."""

    def __init__(self, path: Path) -> None:
        """Read the bytes.

        Raises:
            DataError: when the file is missing, empty or too large.
        """
        self._path = path
        try:
            size = path.stat().st_size
            if not 0 < size <= MAX_FILE_BYTES:
                limit = f"1 to {MAX_FILE_BYTES:,} bytes"
                raise DataError(f"{path}: expected JSON of {limit}, got {size:,}")
            self._bytes = BytesIO(path.read_bytes())
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error

    def __iter__(self) -> Iterator[Item]:
        """Walk through the file; raises as `iter_items` does."""
        return _walk(BytesIO(self._bytes.getvalue()), self._path, "{[")

    def at(self, start: int) -> Any:
        """Parse the value at the place of an item once more."""
        self._bytes.seek(start)
        text = _Text(self._bytes, self._path, _ITEM_BYTES)
        text.next()
        return text.value()
