"""Pickles of lists and dicts as text, read by Python's own reader after a look at every step.

A pickle is a program. One that is text (protocol 0) can be held, whole, against a grammar: nested
lists, dicts with text as keys, strings, numbers and None, written in the one order in which Python
writes them. What fits cannot import, call or claim anything, so Python's compiled reader may have
it, which is some eight times as fast as `plain_pickle`. All else is left to that.
"""

from __future__ import annotations

import io
import pickle
import re
import warnings
from functools import cache
from typing import Any, NoReturn

from askmask.collector import uncollected

__all__ = ["UNFIT", "read_text_pickle"]

UNFIT = object()
"""Says that a pickle is no such text, or is broken."""

_DEPTH = 6
"""Lists and dicts in each other; refs have four."""

_BROKEN = (
    *(pickle.UnpicklingError, EOFError, Warning, MemoryError, OverflowError),
    *(AttributeError, IndexError, KeyError, TypeError, ValueError),
)
"""What Python's reader raises; its warnings are of unknown escapes."""


@cache
def _grammar(digits: int) -> re.Pattern[bytes]:
    """What a whole text is, up to its end.

    Args:
        digits: most digits of a place to remember a value at; Python's reader makes a table up to
            the highest, so this bounds its memory by the size of the file.
    """
    remembered = b"(?:p[0-9]{1,%d}\n)?+" % digits
    text = b"(?:[SV][^\n]*+\n" + remembered + b"|g[0-9]++\n)"
    number = rb"(?:I0[01]|[IL]-?+(?:0|[1-9][0-9]*+)L?+|F[^\n]*+)\n"
    value = scalar = b"(?:" + text + b"|" + number + b"|N)"
    for _ in range(_DEPTH):
        of_list = rb"\(l" + remembered + b"(?:" + value + b"a)*+"
        of_dict = rb"\(d" + remembered + b"(?:" + text + value + b"s)*+"
        value = b"(?:" + scalar + b"|" + of_list + b"|" + of_dict + b")"
    return re.compile(value + rb"\.")


class _Reader(pickle.Unpickler):
    """Python's reader, which has nothing to find: the grammar has no step that names anything."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name}")


def read_text_pickle(data: bytes) -> Any:
    """Return the value that a text pickle makes, or UNFIT; strings of Python 2 must be UTF-8."""
    if not _grammar(len(str(len(data))) - 1 or 1).fullmatch(data):
        return UNFIT
    try:
        with uncollected(), warnings.catch_warnings():
            warnings.simplefilter("error")
            return _Reader(io.BytesIO(data), encoding="utf-8").load()
    except _BROKEN:
        return UNFIT
