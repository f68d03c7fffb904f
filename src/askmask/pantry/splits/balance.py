"""Choosing queries so that their kinds come out near given shares.

Queries are chosen in *units*: an amodal query with its modal twin, or a query alone. Picture after
picture gives the unit that brings the shares of all queries so far nearest to those wanted, until
there are enough. So every picture gives about as many, and the choice hangs on nothing but its
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.pantry.language.queries import GeneratedQuery
from askmask.types import MaskType

__all__ = ["Unit", "choose_units", "shares", "units"]

Labels = Sequence[tuple[str, str]]
"""Family and name of all that one query counts for."""

Wanted = Mapping[str, Mapping[str, float]]
"""Family -> name -> share of all queries."""


@dataclass(frozen=True)
class Unit:
    """Queries of one picture that are chosen together: their places, an amodal one before its twin.

    Attributes:
        places: in the picture's list of queries.
        labels: of each of them.
    """

    places: tuple[int, ...]
    labels: tuple[Labels, ...]


def units(queries: Sequence[GeneratedQuery], labels: Sequence[Labels]) -> list[Unit]:
    """Group the queries of a picture; amodal queries without a twin are left out."""
    twin = {query.twin_of: place for place, query in enumerate(queries)}
    found = []
    for place, query in enumerate(queries):
        if query.twin_of is None and query.mask_type is not MaskType.AMODAL:
            found.append(Unit((place,), (labels[place],)))
        elif query.twin_of is None and place in twin:
            other = twin[place]
            found.append(Unit((place, other), (labels[place], labels[other])))
    return found


def choose_units(
    pictures: Sequence[Sequence[Unit]],
    wanted: Wanted,
    total: int,
    weights: Mapping[str, float] | None = None,
) -> list[list[Unit]]:
    """Choose units of at least `total` queries.

    Args:
        pictures: for each picture what may be chosen.
        wanted: the shares.
        total: number of queries; a last pair may bring one more.
        weights: how much a family matters; 1 where nothing is said.

    Returns:
        For each picture the chosen units, in the order in which they were chosen.

    Raises:
        DataError: when all units together hold fewer queries.
    """
    names = [(family, name) for family, row in wanted.items() for name in row]
    columns = {name: place for place, name in enumerate(names)}
    target = np.array([wanted[family][name] for family, name in names])
    weight = np.array([(weights or {}).get(family, 1.0) for family, _ in names])
    tables = [_count(row, columns) for row in pictures]
    sizes = [np.array([len(unit.places) for unit in row]) for row in pictures]
    left = [np.ones(len(row), bool) for row in pictures]
    chosen: list[list[Unit]] = [[] for _ in pictures]
    reached, count = np.zeros(len(target)), 0
    while count < total:
        open_pictures = [index for index, free in enumerate(left) if free.any()]
        if not open_pictures:
            raise DataError(
                f"balance: expected candidates for {total:,} queries, got {count:,}; "
                "generate more a picture or use more pictures"
            )
        for index in open_pictures:
            best = _nearest(
                reached, count, tables[index], sizes[index], left[index], (target, weight)
            )
            left[index][best] = False
            chosen[index].append(pictures[index][best])
            reached = reached + tables[index][best]
            count += int(sizes[index][best])
            if count >= total:
                break
    return chosen


def _count(row: Sequence[Unit], columns: Mapping[tuple[str, str], int]) -> NDArray[np.float64]:
    """(units, names) how many queries of each unit count for each name."""
    table = np.zeros((len(row), len(columns)))
    for place, unit in enumerate(row):
        for labels in unit.labels:
            for label in labels:
                table[place, columns[label]] += 1
    return table


def _nearest(
    reached: NDArray[np.float64],
    count: int,
    table: NDArray[np.float64],
    sizes: NDArray[np.int64],
    free: NDArray[np.bool_],
    aim: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> int:
    """Place of the free unit after which the shares are nearest to the aim, shares and weights.

    Errors of a share weigh by the share itself, as in a chi-squared test, so that what is rare
    matters as well.
    """
    target, weight = aim
    due = target * (count + sizes)[:, None]
    error = (weight * (reached + table - due) ** 2 / target).sum(1)
    return int(np.argmin(np.where(free, error, np.inf)))


def shares(labels: Sequence[Labels], wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Report the shares reached beside those wanted.

    Args:
        labels: of all chosen queries.
        wanted: the shares.

    Returns:
        Family -> name -> {"wanted", "reached", "n"}, shares rounded to four digits.
    """
    found = [label for row in labels for label in row]
    total = max(len(labels), 1)
    return {
        family: {
            name: {
                "wanted": share,
                "reached": round(found.count((family, name)) / total, 4),
                "n": found.count((family, name)),
            }
            for name, share in names.items()
        }
        for family, names in wanted.items()
    }
