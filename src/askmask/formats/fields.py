"""Checked access to the keys of one JSON object, with errors that say where and what."""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.rle import RLE

__all__ = ["Fields"]

_T = TypeVar("_T")


def _plain(key: str) -> str:
    """Return `key` without what is commonly mistyped: case, hyphens, underscores, plural s."""
    return "".join(c for c in key.lower() if c.isalnum()).removesuffix("s")


class Fields:
    """The keys of one object.

    A getter without a default raises for a missing key; with one, a missing key and null give the
    default. `extra` holds the keys that the format does not know.
    """

    def __init__(self, record: object, where: str, known: Sequence[str], prefix: str = "") -> None:
        """Take `record` if it is an object without mistyped keys.

        Args:
            record: parsed JSON.
            where: file and line, for messages.
            known: all keys of the format.
            prefix: path of this object in its line, e.g. "targets[2].".
        """
        self.where = where
        self._prefix = prefix
        if not isinstance(record, dict):
            place = f", key {prefix[:-1]!r}" if prefix else ""
            raise DataError(f"{where}{place}: expected an object, got {reprlib.repr(record)}")
        self._record = record
        self.extra = {key: value for key, value in record.items() if key not in known}
        absent = {_plain(key): key for key in known if key not in record}
        for key in self.extra:
            if _plain(key) in absent:
                raise self._error(key, f"unknown; did you mean {absent[_plain(key)]!r}?")

    def _error(self, key: str, problem: str) -> DataError:
        return DataError(f"{self.where}, key {self._prefix + key!r}: {problem}")

    def _wrong(self, key: str, expected: str) -> DataError:
        got = reprlib.repr(self._record[key])
        return self._error(key, f"expected {expected}, got {got}")

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self._record.get(key) is not None

    def _value(self, key: str) -> Any:
        """Return the value of a required key."""
        if key in self._record:
            return self._record[key]
        near = difflib.get_close_matches(key, [str(name) for name in self.extra], 1)
        hint = f"; did you mean {key!r} where it says {near[0]!r}?" if near else ""
        raise self._error(key, f"missing{hint}")

    def optional(self, key: str, getter: Callable[[str], _T]) -> _T | None:
        """Return `getter(key)`, or None when the key is missing or null."""
        return getter(key) if self.has(key) else None

    def text(self, key: str) -> str:
        """Return a string."""
        value = self._value(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def name(self, key: str) -> str:
        """Return a string that is not empty."""
        if not self.text(key):
            raise self._wrong(key, "a string that is not empty")
        return self.text(key)

    def integer(self, key: str, low: int | None = None) -> int:
        """Return a whole number of at least `low`."""
        value = self._value(key)
        if type(value) is not int or (low is not None and value < low):
            raise self._wrong(key, "a whole number" + (f" of {low} or more" if low else ""))
        return value

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number in [low, high]."""
        value = self._value(key)
        inside = type(value) in (int, float) and low <= value <= high
        if not inside or not math.isfinite(value):
            bounds = "" if low == -math.inf else f" in [{low:g}, {high:g}]"
            raise self._wrong(key, f"a finite number{bounds}")
        return float(value)

    def share(self, key: str) -> float:
        """Return a number in [0, 1]."""
        return self.number(key, 0, 1)

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object."""
        value = self._value(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return value

    def items(self, key: str) -> list[Any]:
        """Return a list."""
        value = self._value(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def items_of(self, key: str, kind: type[_T], noun: str) -> tuple[_T, ...]:
        """Return a list of values that all are of `kind`; () when missing or null."""
        values = self.items(key) if self.has(key) else []
        if any(type(value) is not kind for value in values):
            raise self._wrong(key, f"a list of {noun}")
        return tuple(values)

    def objects(self, key: str, known: Sequence[str]) -> list[Fields]:
        """Return a list of objects."""
        return [
            Fields(value, self.where, known, f"{self._prefix}{key}[{index}].")
            for index, value in enumerate(self.items(key))
        ]

    def choice(self, key: str, kind: Callable[[str], _T], choices: Sequence[str]) -> _T:
        """Return `kind(value)` of a string that is one of `choices`."""
        value = self._value(key)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(key, f"one of {', '.join(choices)} or null")
        return kind(value)

    def code(self, key: str, size_hw: tuple[int, int] | None) -> RLE:
        """Return a run-length code of `size_hw`, or of any size for None."""
        return self._checked_code(self._value(key), key, size_hw)

    def codes(self, key: str, size_hw: tuple[int, int]) -> tuple[RLE, ...]:
        """Return a list of run-length codes of `size_hw`; () when missing or null."""
        values = self.items(key) if self.has(key) else []
        return tuple(
            self._checked_code(value, f"{key}[{index}]", size_hw)
            for index, value in enumerate(values)
        )

    def _checked_code(self, value: object, key: str, size_hw: tuple[int, int] | None) -> RLE:
        try:
            rle.validate(value, size_hw)
        except RLEError as error:
            raise RLEError(f"{self.where}, key {self._prefix + key!r}: {error}") from error
        return cast(RLE, value)
