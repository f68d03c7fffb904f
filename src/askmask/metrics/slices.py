"""Slices: named groups of queries on which every figure is printed again.

A query without the fact that a family is about (no target, no known hidden part, no reasoning
tag) is in no slice of that family; reasoning tags may put a query into several.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.formats.askmask import QueryRecord, Target
from askmask.types import MaskType

__all__ = ["FAMILIES", "Slices", "slices"]

SMALL_AREA, LARGE_AREA = 32**2, 96**2
"""COCO's borders of object size, in pixels: small is below the first, large from the second on."""

_REASONING = "reasoning:"


def _mask_type(query: QueryRecord) -> list[str]:
    return [] if query.mask_type is None else [str(query.mask_type)]


def _reference(query: QueryRecord) -> list[str]:
    return ["with" if query.references else "without"]


def _targets(query: QueryRecord) -> list[str]:
    names = ("0", "1", "2-3", "2-3", "4+")
    return [names[min(len(query.targets), 4)]]


def _reasoning(query: QueryRecord) -> list[str]:
    return [tag.removeprefix(_REASONING) for tag in query.tags if tag.startswith(_REASONING)]


def _size(query: QueryRecord) -> list[str]:
    """Size of the mean target mask."""
    if not query.targets:
        return []
    area = sum(rle.area(target.segmentation) for target in query.targets) / len(query.targets)
    return ["small" if area < SMALL_AREA else "medium" if area < LARGE_AREA else "large"]


def _modal_and_amodal_area(target: Target, mask_type: str | None) -> tuple[int, int] | None:
    """Pixels of a target's visible and of its complete mask, or None when one is not known."""
    area = rle.area(target.segmentation)
    if mask_type == MaskType.MODAL:
        amodal = target.extra.get("amodal")
        return None if amodal is None else (area, rle.area(amodal))
    if target.modal is None or mask_type is None:
        return None
    modal = rle.area(target.modal)
    return (modal, area) if mask_type == MaskType.AMODAL else (modal, modal + area)


def _occlusion(query: QueryRecord) -> list[str]:
    """Hidden share of all targets' pixels."""
    areas = [_modal_and_amodal_area(target, query.mask_type) for target in query.targets]
    known = [pair for pair in areas if pair is not None]
    amodal = sum(area for _, area in known)
    if len(known) < len(areas) or not amodal:
        return []
    rate = (amodal - sum(area for area, _ in known)) / amodal  # exact at the borders
    if rate <= 0.0:
        return ["0"]
    return ["0-0.2" if rate < 0.2 else "0.2-0.5" if rate < 0.5 else "0.5+"]


FAMILIES: dict[str, Callable[[QueryRecord], list[str]]] = {
    "mask_type": _mask_type,
    "reference": _reference,
    "targets": _targets,
    "reasoning": _reasoning,
    "size": _size,
    "occlusion": _occlusion,
}
"""For each family of slices: the names that a query has in it."""


class Slices:
    """Sorts queries into slices as they stream by."""

    def __init__(self, families: Sequence[str] = tuple(FAMILIES)) -> None:
        """Start without queries; slices of these families."""
        self._rows: dict[str, dict[str, array[int]]] = {
            family: defaultdict(lambda: array("q")) for family in families
        }

    def add(self, row: int, query: QueryRecord) -> None:
        """Add the query of `row`."""
        for family, rows in self._rows.items():
            for name in FAMILIES[family](query):
                rows[name].append(row)

    def rows(self) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
        """Yield family, name and rows of each slice."""
        for family, by_name in self._rows.items():
            for name, rows in by_name.items():
                yield family, name, np.frombuffer(rows, np.int64)

    def extend(self, family: str, name: str, rows: NDArray[np.int64]) -> None:
        """Add rows, (K,) int64, to a slice."""
        self._rows[family][name].frombytes(rows.tobytes())

    def members(self, n: int) -> dict[str, NDArray[np.bool_]]:
        """Return each slice that is not empty, "family=name" -> (n,) bool.

        Families come in the order given, names sorted.
        """
        members: dict[str, NDArray[np.bool_]] = {}
        for family, by_name in self._rows.items():
            for name, rows in sorted(by_name.items()):
                members[f"{family}={name}"] = np.zeros(n, bool)
                members[f"{family}={name}"][np.frombuffer(rows, np.int64)] = True
        return members


def slices(
    queries: Sequence[QueryRecord], families: Sequence[str] = tuple(FAMILIES)
) -> dict[str, NDArray[np.bool_]]:
    """Sort N queries into slices; see `Slices.members`."""
    sorting = Slices(families)
    for row, query in enumerate(queries):
        sorting.add(row, query)
    return sorting.members(len(queries))
