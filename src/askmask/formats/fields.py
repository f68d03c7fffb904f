"""Checked access to the keys of one JSON object, with errors that say where and what."""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.formats.codes import CodeChecks
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

    __slots__ = ("_checks", "_prefix", "_record", "extra", "where")

    def __init__(
        self,
        record: object,
        where: str,
        known: AbstractSet[str],
        checks: CodeChecks | None = None,
        prefix: str = "",
    ) -> None:
        """Take `record` if it is an object without mistyped keys.

        Args:
            record: parsed JSON.
            where: file and line, for messages.
            known: all keys of the format.
            checks: where run-length codes wait for their check; None checks each at once.
            prefix: path of this object in its line, e.g. "targets[2].".
        """
        if not isinstance(record, dict):
            place = f", key {prefix[:-1]!r}" if prefix else ""
            raise DataError(f"{where}{place}: expected an object, got {reprlib.repr(record)}")
        self.where = where
        self._checks = checks
        self._prefix = prefix
        self._record = record
        self.extra: dict[str, Any] = {}
        if not record.keys() <= known:
            self._take_extra(known)

    def _take_extra(self, known: AbstractSet[str]) -> None:
        """Keep unknown keys, and refuse those that stand for a known one."""
        self.extra = {key: value for key, value in self._record.items() if key not in known}
        absent = {_plain(key): key for key in known if key not in self._record}
        for key in self.extra:
            if _plain(key) in absent:
                raise self.error(key, f"unknown; did you mean {absent[_plain(key)]!r}?")

    def error(self, key: str, problem: str) -> DataError:
        """Return an error that names file, line and key."""
        return DataError(f"{self.where}, key {self._prefix + key!r}: {problem}")

    def _wrong(self, key: str, expected: str) -> DataError:
        got = reprlib.repr(self._record[key])
        return self.error(key, f"expected {expected}, got {got}")

    def __len__(self) -> int:
        return len(self._record)

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self._record.get(key) is not None

    def value(self, key: str) -> Any:
        """Return the value of a required key, unchecked."""
        if key in self._record:
            return self._record[key]
        near = difflib.get_close_matches(key, [str(name) for name in self.extra], 1)
        hint = f"; did you mean {key!r} where it says {near[0]!r}?" if near else ""
        raise self.error(key, f"missing{hint}")

    def optional(self, key: str, getter: Callable[[str], _T]) -> _T | None:
        """Return `getter(key)`, or None when the key is missing or null."""
        return getter(key) if self._record.get(key) is not None else None

    def text(self, key: str) -> str:
        """Return a string."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def name(self, key: str) -> str:
        """Return a string that is not empty and that can be printed and written."""
        value = self.text(key)
        if not value:
            raise self._wrong(key, "a string that is not empty")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise self._wrong(key, "a string that UTF-8 can hold")
        return value

    def integer(self, key: str, low: int | None = None) -> int:
        """Return a whole number of at least `low`."""
        value = self.value(key)
        if type(value) is not int or (low is not None and value < low):
            raise self._wrong(key, "a whole number" + (f" of {low} or more" if low else ""))
        return value

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number in [low, high]."""
        value = self.value(key)
        if (type(value) is float or type(value) is int) and low <= value <= high:
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        bounds = "" if low == -math.inf else f" in [{low:g}, {high:g}]"
        raise self._wrong(key, f"a finite number{bounds}")

    def share(self, key: str) -> float:
        """Return a number in [0, 1]."""
        value = self._record.get(key)
        if type(value) is float and 0 <= value <= 1:
            return value
        return self.number(key, 0, 1)

    def shares(self, key: str, names: Mapping[str, _T]) -> dict[_T, float]:
        """Return an object of numbers in [0, 1], one for each of `names`."""
        values = self.mapping(key)
        inner = Fields(values, self.where, names.keys(), self._checks, f"{self._prefix}{key}.")
        if inner.extra:
            got = next(iter(inner.extra))
            raise self.error(key, f"expected the keys {', '.join(names)}, got {got!r}")
        return {kind: inner.share(name) for name, kind in names.items()}

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object."""
        value = self.value(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return value

    def items(self, key: str) -> list[Any]:
        """Return a list."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def items_of(self, key: str, kind: type[_T], noun: str) -> tuple[_T, ...]:
        """Return a list of values that all are of `kind`; () when missing or null."""
        values = self.items(key) if self.has(key) else []
        if any(type(value) is not kind for value in values):
            raise self._wrong(key, f"a list of {noun}")
        return tuple(values)

    def objects(self, key: str, known: AbstractSet[str]) -> list[Fields]:
        """Return a list of objects."""
        return [
            Fields(value, self.where, known, self._checks, f"{self._prefix}{key}[{index}].")
            for index, value in enumerate(self.items(key))
        ]

    def choice(self, key: str, choices: Mapping[str, _T]) -> _T | None:
        """Return what `choices` has for a string; None when it is missing or null."""
        value = self._record.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(key, f"one of {', '.join(choices)} or null")
        return choices[value]

    def code(self, key: str, size_hw: tuple[int, int] | None) -> RLE:
        """Return a run-length code of `size_hw`, or of any size for None.

        Its size is checked here, its counts when the checks are settled, if there are any.
        """
        return self._code(self._record.get(key, self), key, size_hw)

    def optional_code(self, key: str, size_hw: tuple[int, int] | None) -> RLE | None:
        """Return `code(key, size_hw)`, or None when the key is missing or null."""
        value = self._record.get(key)
        return None if value is None else self._code(value, key, size_hw)

    def codes(self, key: str, size_hw: tuple[int, int]) -> tuple[RLE, ...]:
        """Return a list of run-length codes of `size_hw`; () when missing or null."""
        values = self.items(key) if self.has(key) else []
        return tuple(
            self._code(value, f"{key}[{index}]", size_hw) for index, value in enumerate(values)
        )

    def _code(self, value: Any, key: str, size_hw: tuple[int, int] | None) -> RLE:
        """Check the form and the size of a code and let the rest wait."""
        code: RLE = value
        checks = self._checks
        if checks is not None and type(value) is dict and type(value.get("counts")) is str:
            size = value.get("size")
            if type(size) is list and len(size) == 2:
                height, width = size
                whole = type(height) is int and type(width) is int
                if whole and (size_hw is None or (height, width) == size_hw):
                    checks.add(code, self.where, self._prefix, key)
                    return code
        if value is self:
            self.value(key)  # says that it is missing
        try:
            rle.validate(value, size_hw)
        except RLEError as error:
            raise RLEError(f"{self.where}, key {self._prefix + key!r}: {error}") from error
        return code
