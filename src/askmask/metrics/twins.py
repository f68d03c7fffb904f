"""Twins: two queries for the same targets, one modal and one amodal.

Only the wording differs, so they show whether a model follows the sentence or a habit. Twins may
lie far apart in a file, so what is compared waits on disk: memory does not grow with their masks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord
from askmask.metrics.edges import read_edges
from askmask.metrics.overlap import Role, pixels, regions
from askmask.metrics.parts import Codes
from askmask.metrics.shelf import Shelf
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["MIN_OCCLUSION", "NO_TWIN", "Twins"]

MIN_OCCLUSION = 0.1
"""Pairs less hidden than this are left out: their two masks are nearly the same."""

NO_TWIN = -1
"""Value of a row that counts no pair."""

_BATCH = 128
"""Pairs that are compared at a time."""


@dataclass(frozen=True, slots=True)
class _Twin:
    """One of two: its row, its type and its codes by role."""

    row: int
    mask_type: str
    size_hw: tuple[int, int]
    predicted: list[RLE]
    target: list[RLE]
    ignored: list[RLE]
    names: list[str]


def _pack(twin: _Twin) -> str:
    return json.dumps(asdict(twin))


def _unpack(text: str) -> _Twin:
    kept = json.loads(text)
    return _Twin(**{**kept, "size_hw": tuple(kept["size_hw"])})


class Twins:
    """Pairs of twins that are found while queries stream by."""

    def __init__(self) -> None:
        """Start without queries."""
        self._shelf = Shelf(_pack, _unpack)
        self._wanted: dict[str, list[str]] = {}
        self._pairs: list[tuple[_Twin, _Twin]] = []
        self._switched: dict[int, bool] = {}

    def add(self, row: int, query: QueryRecord, by_role: tuple[Codes, Codes, Codes, Codes]) -> None:
        """Add a query; a twin that never comes makes no pair, so a part of a file can be scored.

        Args:
            row: of the query.
            query: the query.
            by_role: codes as in `Parts.by_role`.
        """
        if query.mask_type not in (MaskType.MODAL, MaskType.AMODAL) or not query.targets:
            return
        names = [name for name in dict.fromkeys(query.twins) if name != query.id]
        predicted, target, _, ignored = [[*codes] for codes in by_role]
        kind, size_hw = str(query.mask_type), (query.height, query.width)
        twin = _Twin(row, kind, size_hw, predicted, target, ignored, names)
        for name in dict.fromkeys([*self._wanted.pop(query.id, []), *names]):
            other = self._shelf.get(name)
            if other is None:
                self._wanted.setdefault(name, []).append(query.id)
            else:
                self._add_pair(query.id, twin, name, other)
        self._shelf[query.id] = twin

    def _add_pair(self, id: str, twin: _Twin, other_id: str, other: _Twin) -> None:
        """Add a pair; it counts at the row that has the tag, at the first of two."""
        tagged = [
            (one.row, one, two)
            for one, two, name in ((twin, other, other_id), (other, twin, id))
            if name in one.names
        ]
        _, first, second = min(tagged, key=lambda pair: pair[0])
        if [*first.size_hw] != [*second.size_hw]:
            raise DataError(
                f"query {id}: expected a twin of the same size {[*twin.size_hw]}, "
                f"got {other_id} of {[*other.size_hw]}"
            )
        if first.mask_type != second.mask_type:
            self._pairs.append((first, second))
        if len(self._pairs) >= _BATCH:
            self._compare()

    def _compare(self) -> None:
        """Compare the pairs that wait."""
        if self._pairs:
            both, counted = _follow(self._pairs)
            for (first, _), follows, counts in zip(self._pairs, both, counted, strict=True):
                if counts:
                    before = self._switched.get(first.row, True)
                    self._switched[first.row] = before and bool(follows)
            self._pairs.clear()

    def switched(self, n: int) -> NDArray[np.int8]:
        """Tell for each pair whether both answers follow their own sentence.

        Args:
            n: number N of rows.

        Returns:
            (N,) int8: 1 or 0 at the row that counts a pair, NO_TWIN elsewhere. A row with several
            twins is 1 only when it switches with all of them.
        """
        self._compare()
        result = np.full(n, NO_TWIN, np.int8)
        result[[*self._switched]] = [*self._switched.values()]
        return result


def _follow(pairs: list[tuple[_Twin, _Twin]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which of K pairs switch, and which count because enough is hidden, both (K,) bool."""
    codes: list[RLE] = []
    query: list[int] = []
    role: list[int] = []
    size: list[int] = []
    for pair in pairs:
        ignored = [code for twin in pair for code in twin.ignored]
        for own, other in (pair, pair[::-1]):
            for kind, masks in zip(
                Role, (own.predicted, own.target, other.target, ignored), strict=True
            ):
                codes += masks
                query += [len(size)] * len(masks)
                role += [int(kind)] * len(masks)
            size.append(own.size_hw[0] * own.size_hw[1])
    table = regions(
        read_edges(codes), np.array(query, np.int64), np.array(role, np.int64), np.array(size)
    )

    def iou(goal: Role) -> NDArray[np.float64]:
        common = pixels(table, (Role.PREDICTED,), (goal,), without=(Role.IGNORED,))
        either = pixels(table, (Role.PREDICTED, goal), without=(Role.IGNORED,))
        return common / np.maximum(either, 1)

    follows = (iou(Role.TARGET) > iou(Role.OTHER)).reshape(-1, 2).all(axis=1)
    area = pixels(table, (Role.TARGET,), without=(Role.IGNORED,)).reshape(-1, 2)
    amodal_first = np.array([first.mask_type == MaskType.AMODAL for first, _ in pairs])
    amodal, modal = np.where(amodal_first, area.T, area.T[::-1])
    hidden = (amodal - modal) / np.maximum(amodal, 1)
    return np.asarray(follows), (amodal > 0) & (hidden >= MIN_OCCLUSION)
