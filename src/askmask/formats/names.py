"""Names that were met, in some eight bytes each, to notice those that come twice.

Only hashes are kept. Two names may share one, though hardly ever: who is told that a name may have
been met looks it up where it was read, so that nobody is accused wrongly.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

__all__ = ["Names"]

_RUN = 1 << 17
"""Hashes that are sorted together at most: joining more would take memory meanwhile."""


class Names:
    """Names, by their hashes in sorted runs."""

    def __init__(self) -> None:
        """Start without names."""
        self._runs: list[NDArray[np.int64]] = []

    def __contains__(self, name: str) -> bool:
        """Whether a name may have been met; False is certain."""
        return self.may_hold([name])

    def may_hold(self, names: Collection[str]) -> bool:
        """Whether any of these may have been met; False is certain."""
        hashes = np.fromiter(map(hash, names), np.int64, len(names))
        return any(self._in(run, hashes).any() for run in self._runs)

    @staticmethod
    def _in(run: NDArray[np.int64], hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        at = np.minimum(run.searchsorted(hashes), len(run) - 1)
        return np.asarray(run[at] == hashes)

    def update(self, names: Collection[str]) -> None:
        """Add names."""
        run = np.sort(np.fromiter(map(hash, names), np.int64, len(names)))
        while self._runs and len(self._runs[-1]) <= len(run) and len(run) < _RUN:
            run = np.sort(np.concatenate((self._runs.pop(), run)))
        if len(run):
            self._runs.append(run)
