"""Columns of numbers that lie on disk once they are long, so that memory does not grow with them.

A column on disk is an array like any other, mapped from a temporary file that goes with it. Its
pages come into memory when they are looked at; `release` hands them back before the next step.
"""

from __future__ import annotations

import math
import mmap
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from threading import Lock
from typing import Any, BinaryIO, TypeVar
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNK", "Table", "chunks", "on_disk", "release"]

CHUNK = 1 << 18
"""Rows of a long column that are worked on at a time."""

_IN_MEMORY = 1 << 20
"""Bytes of a column that stay in memory."""

_MAPPED: WeakSet[mmap.mmap] = WeakSet()
_CHANGING = Lock()
"""Held by the thread that adds to what is mapped, or lists it."""

_D = TypeVar("_D")


def chunks(rows: int) -> Iterator[slice]:
    """Cut rows into slices of at most CHUNK, in order."""
    return (slice(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK))


def _mapped(stream: BinaryIO, dtype: np.dtype[Any], row: tuple[int, ...]) -> NDArray[Any]:
    """Map the rows that were written to a temporary file, each of shape `row`."""
    stream.flush()
    pages = mmap.mmap(stream.fileno(), 0)
    with _CHANGING:
        _MAPPED.add(pages)
    rows = len(pages) // (dtype.itemsize * math.prod(row))
    return np.ndarray((rows, *row), dtype, pages)


def _stored(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column as it is, or a copy on disk when it is long."""
    if column.nbytes < _IN_MEMORY or isinstance(column.base, mmap.mmap):
        return column
    with tempfile.TemporaryFile() as stream:
        for rows in chunks(len(column)):
            stream.write(np.ascontiguousarray(column[rows]).data)
        return _mapped(stream, column.dtype, column.shape[1:])


def on_disk(record: _D) -> _D:
    """Return a dataclass of columns, rows first, with the long ones on disk."""
    held = ((one.name, getattr(record, one.name)) for one in fields(record))  # type: ignore[arg-type]
    stored = {name: _stored(value) for name, value in held if isinstance(value, np.ndarray)}
    release()
    return replace(record, **stored)  # type: ignore[type-var]


def release() -> None:
    """Give back the memory that pages of columns on disk take; nothing is lost."""
    if hasattr(mmap, "MADV_DONTNEED"):  # elsewhere the system takes them when it needs them
        with _CHANGING:
            mapped = [*_MAPPED]
        for pages in mapped:
            pages.madvise(mmap.MADV_DONTNEED)


class _Column:
    """One column that grows at an axis."""

    def __init__(self, axis: int) -> None:
        self._axis = axis
        self._parts: list[NDArray[Any]] = []
        self._waiting = 0
        self._stream: BinaryIO | None = None

    def append(self, part: NDArray[Any]) -> None:
        self._parts.append(part)
        self._waiting += part.nbytes
        if self._waiting >= _IN_MEMORY:
            self._write()

    def _write(self) -> None:
        if self._stream is None:
            self._stream = tempfile.TemporaryFile()  # noqa: SIM115 - lives with self
        for part in self._parts:  # the axis that grows comes first in the file
            self._stream.write(np.ascontiguousarray(np.moveaxis(part, self._axis, 0)).data)
        self._parts, self._waiting = self._parts[-1:], 0
        self._parts[0] = np.take(self._parts[0], [], self._axis)  # keeps type and shape

    def array(self) -> NDArray[Any]:
        if self._stream is None:
            return np.concatenate(self._parts, axis=self._axis)
        self._write()
        dtype, shape = self._parts[0].dtype, np.moveaxis(self._parts[0], self._axis, 0).shape
        with self._stream as stream:
            return np.moveaxis(_mapped(stream, dtype, shape[1:]), 0, self._axis)


class Table:
    """Columns that grow together, part by part."""

    def __init__(self, axis: int = 0) -> None:
        """Start without columns; all grow at `axis`."""
        self._axis = axis
        self._columns: dict[str, _Column] = {}

    def append(self, part: Mapping[str, NDArray[Any]]) -> None:
        """Add rows; every part has the same columns."""
        for name, column in part.items():
            self._columns.setdefault(name, _Column(self._axis)).append(column)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns, and end the growing; none when nothing was added."""
        return {name: column.array() for name, column in self._columns.items()}
