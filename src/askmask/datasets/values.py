"""Values that records of data sets hold, checked and tidied."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeAlias, TypeGuard

from askmask.errors import DataError, QueryError
from askmask.types import check_sentence

__all__ = [
    "Json",
    "as_number",
    "checked_name",
    "checked_size",
    "checked_text",
    "id_of",
    "is_name",
    "listed",
    "tidy",
    "whole",
]

Json: TypeAlias = Mapping[str, Any]
"""An object of a file."""

_SHOWN = 20
"""Keys that a message lists at most."""


def whole(value: object) -> int | None:
    """A whole number, also one written as text or with a point; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None


def as_number(value: object) -> float | None:
    """A number, infinite where it is too large for a float; None for anything else."""
    if type(value) not in (int, float):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def id_of(value: object) -> int | str | None:
    """An id as it is compared, as files mix 7 and "7"; None for what is no id."""
    number = whole(value)
    return number if number is not None else value if isinstance(value, str) else None


def tidy(value: object) -> str:
    """A value as text on one line, without what UTF-8 cannot hold (halves of surrogate pairs)."""
    return " ".join(str(value).encode("utf-8", "replace").decode().split())


def is_name(value: object) -> TypeGuard[str]:
    """Whether a value can be the name of a file."""
    return isinstance(value, str) and bool(value) and not re.search("[\0\ud800-\udfff]", value)


def listed(keys: Iterable[object]) -> str:
    """Keys as they stand in a message, the first few of them."""
    return ", ".join(tidy(key) for key in islice(keys, _SHOWN)) or "none"


def checked_text(text: object, where: str) -> str:
    """Return `text` if it can be asked, without blanks around it; raises DataError."""
    if not isinstance(text, str):
        raise DataError(f"{where}: expected a sentence, got {reprlib.repr(text)}")
    try:
        return check_sentence(text.strip(), where)
    except QueryError as error:
        raise DataError(str(error)) from error


def checked_name(value: object, where: str) -> str:
    """Return `value` if it can be the name of a picture; raises DataError."""
    if not is_name(value):
        raise DataError(f"{where}: expected the name of a picture, got {reprlib.repr(value)}")
    return value


def checked_size(size: object, where: str) -> tuple[int, int]:
    """Return `size` if it is a list of height and width; raises DataError."""
    sides = [whole(side) or 0 for side in size] if isinstance(size, list) else []
    if len(sides) != 2 or min(sides) < 1:
        raise DataError(f"{where}: expected height and width in pixels, got {reprlib.repr(size)}")
    return sides[0], sides[1]
