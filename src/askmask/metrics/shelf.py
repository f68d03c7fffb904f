"""Records that wait for others; of many, most lie in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from typing import TypeVar

__all__ = ["Shelf"]

_NEAR = 20_000
"""Records that stay in memory, some 2 kB each."""

_V = TypeVar("_V")


class _Place(int):
    """Where in the file a record begins."""


class Shelf(MutableMapping[str, _V]):
    """A dict whose values may be taken out of memory: what comes back is equal, not the same."""

    def __init__(self, pack: Callable[[_V], str], unpack: Callable[[str], _V]) -> None:
        r"""Start empty.

        Args:
            pack: makes text without "\n" of a value, for the file.
            unpack: makes an equal value of that text.
        """
        self._pack, self._unpack = pack, unpack
        self._held: dict[str, _V | _Place] = {}
        self._near = 0
        self._file = tempfile.SpooledTemporaryFile(1)  # noqa: SIM115 - lives with self

    def __setitem__(self, name: str, record: _V) -> None:
        if name in self._held:
            del self[name]
        if self._near < _NEAR:
            self._near += 1
            self._held[name] = record
        else:
            self._held[name] = _Place(self._file.seek(0, 2))
            self._file.write(self._pack(record).encode() + b"\n")

    def __getitem__(self, name: str) -> _V:
        held = self._held[name]
        if not isinstance(held, _Place):
            return held
        self._file.seek(held)
        return self._unpack(self._file.readline().decode())

    def __delitem__(self, name: str) -> None:
        self._near -= not isinstance(self._held.pop(name), _Place)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __del__(self) -> None:
        self._file.close()
