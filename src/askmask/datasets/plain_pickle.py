"""Pickles of plain data, read without running anything in them.

A pickle is a program, and Python's own reader calls whatever it names. Here only the steps that
make lists, tuples, dicts with text as keys, strings, numbers, True, False and None exist; every
other step is refused by name. So nothing can be called or imported, whatever the file says, and
sizes that a file merely claims cost nothing. `text_pickle` is the quick way for the usual files.
"""

from __future__ import annotations

import codecs
import struct
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from askmask.datasets.text_pickle import UNFIT, read_text_pickle
from askmask.errors import DataError

__all__ = ["MAX_PICKLE_BYTES", "read_plain_pickle"]

MAX_PICKLE_BYTES = 200_000_000
"""Largest pickle that is read; RefCOCO's have some ten million bytes."""

_STOP = ord(".")


class _Refused(Exception):
    """The pickle asks for more than plain data."""


class _Machine:
    """The stack machine that a pickle is a program for, with the harmless steps only."""

    __slots__ = ("data", "marks", "memo", "place", "stack")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the value that the pickle makes."""
        data, steps = self.data, _STEPS
        while (code := data[self.place]) != _STOP:
            self.place += 1
            steps[code](self)
        return self.stack.pop()

    def take(self, count: int) -> bytes:
        """Take the next `count` bytes of the program."""
        end = self.place + count
        if count < 0 or end > len(self.data):
            raise ValueError("truncated")
        taken = self.data[self.place : end]
        self.place = end
        return taken

    def number(self, size: int, *, signed: bool = False) -> int:
        """Take a little-endian whole number."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> bytes:
        """Take the rest of a line."""
        place = self.place
        end = self.data.index(b"\n", place)
        self.place = end + 1
        return self.data[place:end]

    def since_mark(self) -> list[Any]:
        """Take what was put on the stack after the last mark."""
        mark = self.marks.pop()
        taken = self.stack[mark:]
        del self.stack[mark:]
        return taken

    def top(self, kind: type) -> Any:
        """Return the uppermost value, which must be a list or a dict."""
        if type(self.stack[-1]) is not kind:
            raise TypeError(f"no {kind.__name__} to add to")
        return self.stack[-1]


def _text(raw: bytes) -> str:
    """Decode a string of Python 2, which does not say its encoding."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _quoted(machine: _Machine) -> str:
    """A string as Python 2 prints it, in quotes."""
    raw = machine.line().strip()
    if len(raw) < 2 or raw[:1] not in b"'\"" or raw[-1:] != raw[:1]:
        raise ValueError("a string without quotes")
    raw = raw[1:-1]
    if b"\\" in raw:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unknown escapes, which stay as they are
            raw = codecs.escape_decode(raw)[0]
    return _text(raw)


def _int_line(machine: _Machine) -> int | bool:
    raw = machine.line()
    return raw == b"01" if raw in (b"00", b"01") else int(raw)


def _checked_key(key: Any) -> str:
    if type(key) is not str:
        raise TypeError(f"a key that is no text but {type(key).__name__}")
    return sys.intern(key)


def _dict_of(values: list[Any], into: dict[str, Any]) -> dict[str, Any]:
    for key, value in zip(values[::2], values[1::2], strict=True):
        into[_checked_key(key)] = value
    return into


def _append(machine: _Machine) -> None:
    stack = machine.stack
    value = stack.pop()
    if type(stack[-1]) is not list:
        raise TypeError("no list to add to")
    stack[-1].append(value)


def _appends(machine: _Machine) -> None:
    values = machine.since_mark()
    machine.top(list).extend(values)


def _setitem(machine: _Machine) -> None:
    stack = machine.stack
    value = stack.pop()
    key = stack.pop()
    if type(stack[-1]) is not dict:
        raise TypeError("no dict to add to")
    stack[-1][_checked_key(key)] = value


def _setitems(machine: _Machine) -> None:
    values = machine.since_mark()
    _dict_of(values, machine.top(dict))


def _tuple(machine: _Machine, count: int) -> tuple[Any, ...]:
    if len(machine.stack) < count:
        raise IndexError
    values = tuple(machine.stack[-count:])
    del machine.stack[-count:]
    return values


def _refuse(what: str) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        raise _Refused(what)

    return step


def _global(machine: _Machine) -> None:
    module, name = _text(machine.line()), _text(machine.line())
    raise _Refused(f"the name {module}.{name}"[:200])


def _stack_global(machine: _Machine) -> None:
    module, name = machine.stack[-2:]
    raise _Refused(f"the name {module}.{name}"[:200])


def _putting(value: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        machine.stack.append(value(machine))

    return step


def _remembering(number: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        machine.memo[number(machine)] = machine.stack[-1]

    return step


def _sized(size: int, decode: Callable[[bytes], Any]) -> Callable[[_Machine], Any]:
    """Reader of a string behind its length, a number of `size` bytes."""
    return lambda machine: decode(machine.take(machine.number(size)))


def _unicode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")  # readers of records refuse lone surrogates


_PUTTING: dict[int, Callable[[_Machine], Any]] = {
    ord("N"): lambda m: None,
    0x88: lambda m: True,
    0x89: lambda m: False,
    ord("I"): _int_line,
    ord("J"): lambda m: m.number(4, signed=True),
    ord("K"): lambda m: m.number(1),
    ord("M"): lambda m: m.number(2),
    ord("L"): lambda m: int(m.line().removesuffix(b"L")),
    0x8A: lambda m: m.number(m.number(1), signed=True),
    0x8B: lambda m: m.number(m.number(4), signed=True),
    ord("F"): lambda m: float(m.line()),
    ord("G"): lambda m: struct.unpack(">d", m.take(8))[0],
    ord("S"): _quoted,
    ord("T"): _sized(4, _text),
    ord("U"): _sized(1, _text),
    ord("V"): lambda m: m.line().decode("raw-unicode-escape"),
    ord("X"): _sized(4, _unicode),
    0x8C: _sized(1, _unicode),
    0x8D: _sized(8, _unicode),
    ord("B"): _sized(4, bytes),
    ord("C"): _sized(1, bytes),
    ord("]"): lambda m: [],
    ord("l"): lambda m: m.since_mark(),
    ord(")"): lambda m: (),
    ord("t"): lambda m: tuple(m.since_mark()),
    0x85: lambda m: _tuple(m, 1),
    0x86: lambda m: _tuple(m, 2),
    0x87: lambda m: _tuple(m, 3),
    ord("}"): lambda m: {},
    ord("d"): lambda m: _dict_of(m.since_mark(), {}),
    ord("g"): lambda m: m.memo[int(m.line())],
    ord("h"): lambda m: m.memo[m.number(1)],
    ord("j"): lambda m: m.memo[m.number(4)],
}
"""Steps that put one value on the stack."""

_OTHERS: dict[int, Callable[[_Machine], Any]] = {
    0x80: lambda m: m.take(1),  # the protocol, which the steps themselves show
    0x95: lambda m: m.take(8),  # how far to read ahead
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("a"): _append,
    ord("e"): _appends,
    ord("s"): _setitem,
    ord("u"): _setitems,
    ord("p"): _remembering(lambda m: int(m.line())),
    ord("q"): _remembering(lambda m: m.number(1)),
    ord("r"): _remembering(lambda m: m.number(4)),
    0x94: _remembering(lambda m: len(m.memo)),
    ord("c"): _global,
    ord("i"): _global,
    0x93: _stack_global,
    ord("P"): _refuse("a persistent object"),
    ord("Q"): _refuse("a persistent object"),
    **{code: _refuse("an object by extension code") for code in (0x82, 0x83, 0x84)},
    **{code: _refuse("a call") for code in (ord("R"), ord("b"), ord("o"), 0x81, 0x92)},
    **{code: _refuse("a set") for code in (0x8F, 0x90, 0x91)},
}

_STEPS = [_refuse(f"step 0x{code:02x}") for code in range(256)]
for _code, _value in _PUTTING.items():
    _STEPS[_code] = _putting(_value)
for _code, _step in _OTHERS.items():
    _STEPS[_code] = _step


def read_plain_pickle(path: str | Path, max_bytes: int = MAX_PICKLE_BYTES) -> Any:
    """Read a pickle of any protocol that holds plain data, as Python 2 or 3 wrote it.

    Strings of Python 2 become text: UTF-8, or Latin-1 where they are not.

    Raises:
        DataError: when the file is missing, too large or no pickle, or when it asks for anything
            but plain data; the message names what it asks for.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error
    if len(data) > max_bytes:
        raise DataError(f"{path}: expected a pickle of at most {max_bytes:,} bytes, got more")
    if (value := read_text_pickle(data)) is not UNFIT:
        return value
    machine = _Machine(data)
    try:
        return machine.run()
    except _Refused as refused:
        raise DataError(
            f"{path}: refused: the pickle asks for {refused} at byte {machine.place:,}, and only "
            "lists, dicts, strings and numbers are read; is it the original file?"
        ) from None
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise DataError(
            f"{path}: expected a pickle, broken at byte {machine.place:,} of {len(data):,} "
            f"({type(error).__name__}: {error})"
        ) from error
