"""The curated household things: which models are good on a table, and what people call them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from askmask.pantry.objects.asset import Source
from askmask.pantry.objects.groceries import Recipe
from askmask.pantry.objects.sweet_home import FurnitureSet
from askmask.pantry.render.shapes import Part

__all__ = ["HouseholdThing", "household", "household_things"]

_TABLE = Path(__file__).parent / "data" / "household.tsv"

_LICENCES = {
    "BlendSwap-CC-0": "CC0-1.0",
    "BlendSwap-CC-BY": "CC-BY-3.0",
    "KatorLegaz": "CC-BY-3.0-US",
    "Scopia": "CC-BY-3.0",
}
_MAKERS = {
    "KatorLegaz": "Andrew Kator & Jennifer Legaz",
    "Scopia": "Scopia Visual Interfaces Systems",
}
"""Whom to credit where the catalogue names no creator."""


@dataclass(frozen=True)
class HouseholdThing:
    """One row of the table: a model of a furniture set under our names.

    Attributes:
        set: furniture set, e.g. "Scopia".
        model: key of the model in its set.
        noun: noun of the noun bank.
        container: kind of package, or "none".
        shape: form label of the scene.
        material: main material label.
        scale: factor on the catalogue's measures.
    """

    set: str
    model: str
    noun: str
    container: str
    shape: str
    material: str
    scale: float

    @property
    def look(self) -> str:
        """Name of the look: keys of different sets clash."""
        return f"{self.set}/{self.model}"


@lru_cache(maxsize=1)
def household_things() -> tuple[HouseholdThing, ...]:
    """All rows of the table, in its order."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows)
        return tuple(
            HouseholdThing(origin, model, noun, container, shape, material, float(scale))
            for origin, model, noun, container, shape, material, scale in rows
        )


def household(sets: Mapping[str, Path]) -> Iterator[Recipe]:
    """Recipes of all household things.

    Args:
        sets: furniture set -> its .sh3f file, as `debian.unpack` gives them.

    Raises:
        DataError: when a set cannot be read or lacks a model.
    """
    opened = {name: FurnitureSet(path) for name, path in sets.items()}
    for thing in household_things():
        furniture = opened[thing.set]
        item = furniture.furniture[thing.model]
        source = Source(
            thing.set, item.name, item.creator or _MAKERS[thing.set], _LICENCES[thing.set]
        )
        yield Recipe(
            thing.look,
            thing.noun,
            thing.container,
            thing.shape,
            thing.material,
            _Model(furniture, thing),
            source,
        )


@dataclass(frozen=True, eq=False)
class _Model:
    furniture: FurnitureSet
    thing: HouseholdThing

    def __call__(self) -> list[Part]:
        return self.furniture.parts(self.thing.model, self.thing.scale)
