"""Looks and categories that training never sees, and the rule that chose them.

The list that ships is explicit, so that it stays what it is when things are added; `choose` is the
rule that wrote it for the sprite bank:

- of every kind of container a fifth of the categories, rounded, those whose names hash lowest; a
  kind with one or two categories thus keeps them all, and every kind stays in training;
- of every other category with at least three looks the last look.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Protocol

from askmask.errors import DataError
from askmask.pantry.scene import Scene
from askmask.pantry.splits.definition import Cast

__all__ = ["HeldOut", "Thing", "choose", "held_out"]

_SHARE = 5
"""One category in so many is held out."""

_LOOKS = 3
"""A category with fewer looks keeps them all for training."""


class Thing(Protocol):
    """What a bank knows about one look."""

    @property
    def look(self) -> str:
        """Name of the look."""

    @property
    def category(self) -> str:
        """Noun of the noun bank."""

    @property
    def container(self) -> str:
        """Kind of package, or "none"."""


@dataclass(frozen=True)
class HeldOut:
    """What training never sees.

    Attributes:
        looks: names of looks, of categories that training knows.
        categories: nouns of which training sees no look.
    """

    looks: frozenset[str]
    categories: frozenset[str]

    def cast_of(self, look: str, category: str) -> Cast:
        """To which cast a look of a category belongs."""
        if category in self.categories:
            return "held-out categories"
        return "held-out looks" if look in self.looks else "seen"

    def members(self, scene: Scene, cast: Cast) -> frozenset[int]:
        """Places of the objects of a scene that belong to a cast."""
        return frozenset(
            place
            for place, item in enumerate(scene.objects)
            if self.cast_of(item.look, item.category) == cast
        )

    def check(self, scene: Scene, cast: Cast) -> None:
        """Refuse a scene that a split of this cast may not show.

        Held-out things may stand among known ones, but one kind of held-out things never appears
        where the other kind is tested, and neither where known things are.

        Raises:
            DataError: naming the object, or saying that nothing held out is in the scene.
        """
        for item in scene.objects:
            found = self.cast_of(item.look, item.category)
            if found not in ("seen", cast):
                raise DataError(
                    f"scene {scene.seed}: {item.look} is of the {found}, expected only "
                    f"{cast} things; cast the scenes of this split without it"
                )
        if not self.members(scene, cast):
            raise DataError(f"scene {scene.seed}: expected one thing or more of the {cast}")


def choose(things: Iterable[Thing]) -> HeldOut:
    """Apply the rule to the looks of a bank."""
    looks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for thing in things:
        looks[thing.container, thing.category].append(thing.look)
    kinds: dict[str, list[str]] = defaultdict(list)
    for container, category in looks:
        kinds[container].append(category)
    categories = frozenset(
        category
        for names in kinds.values()
        for category in sorted(names, key=_hash)[: round(len(names) / _SHARE)]
    )
    return HeldOut(
        looks=frozenset(
            found[-1]
            for (_, category), found in looks.items()
            if category not in categories and len(found) >= _LOOKS
        ),
        categories=categories,
    )


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@lru_cache(maxsize=1)
def held_out() -> HeldOut:
    """Return the list that ships."""
    path = resources.files(__package__) / "data" / "held_out.json"
    lists = json.loads(path.read_text("utf-8"))
    return HeldOut(frozenset(lists["looks"]), frozenset(lists["categories"]))
