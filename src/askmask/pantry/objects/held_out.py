"""What training never sees: some designs, models, nouns and textures, by an explicit list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askmask.pantry.objects.asset import Asset

__all__ = ["HeldOut", "held_out"]

_LIST = Path(__file__).parent / "data" / "held_out.json"


@dataclass(frozen=True)
class HeldOut:
    """The list.

    Attributes:
        designs: numbers of the designs of own packages and produce.
        models: looks of household things.
        nouns: categories of which no look is seen in training.
        textures: variants of every kind of surface.
    """

    designs: frozenset[int]
    models: frozenset[str]
    nouns: frozenset[str]
    textures: frozenset[int]

    def has_noun(self, asset: Asset) -> bool:
        """Whether the category of an asset is held out."""
        return asset.category in self.nouns

    def has_look(self, asset: Asset) -> bool:
        """Whether this look of a category that training knows is held out."""
        number = asset.look.rpartition("/")[2]
        own = asset.source.origin == "askmask" and number.isdigit()
        return not self.has_noun(asset) and (
            (own and int(number) in self.designs) or asset.look in self.models
        )


@lru_cache(maxsize=1)
def held_out() -> HeldOut:
    """Return the one list."""
    lists = json.loads(_LIST.read_text("utf-8"))
    return HeldOut(**{name: frozenset(values) for name, values in lists.items()})
