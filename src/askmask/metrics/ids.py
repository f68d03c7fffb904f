"""Ids of queries by row; those of many queries lie in a temporary file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import overload

__all__ = ["Ids"]

_BLOCK = 10_000
"""Ids that are written, and read again, together."""

_IN_MEMORY = 1 << 20
"""Bytes of written ids that stay in memory."""


class Ids(Sequence[str]):
    """A list of ids that only grows."""

    def __init__(self) -> None:
        """Start without ids."""
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - lives with self
        self._starts: list[int] = []
        self._last: list[str] = []
        self._read: tuple[int, list[str]] = -1, []

    def append(self, name: str) -> None:
        """Add the id of the next row."""
        self._last.append(name)
        if len(self._last) == _BLOCK:
            self._starts.append(self._file.seek(0, 2))
            self._file.write(json.dumps(self._last).encode() + b"\n")
            self._last = []

    def blocks(self) -> Iterator[list[str]]:
        """Yield the ids, many at a time."""
        for block in range(len(self._starts) + 1):
            yield self._block(block)

    def __len__(self) -> int:
        return len(self._starts) * _BLOCK + len(self._last)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[one] for one in range(len(self))[row]]
        block, place = divmod(range(len(self))[row], _BLOCK)
        return self._block(block)[place]

    def _block(self, block: int) -> list[str]:
        if block == len(self._starts):
            return self._last
        if self._read[0] != block:
            self._file.seek(self._starts[block])
            self._read = block, json.loads(self._file.readline())
        return self._read[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __del__(self) -> None:
        self._file.close()
