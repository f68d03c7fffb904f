"""The splits of the pantry: which seeds, which things, which surfaces and which camera."""

from __future__ import annotations

from dataclasses import dataclass

from askmask.errors import ConfigError, DataError
from askmask.pantry.objects.asset import Asset
from askmask.pantry.objects.held_out import held_out
from askmask.pantry.world.cast import Troupe

__all__ = ["SEEDS_PER_SPLIT", "SPLITS", "Split", "split_named"]

SEEDS_PER_SPLIT = 1_000_000

_VARIANTS = 24
"""Surfaces of each kind."""


@dataclass(frozen=True)
class Split:
    """What a split is made of.

    Attributes:
        name: as in "entities-val.jsonl".
        first_seed: of its scenes; it may use `SEEDS_PER_SPLIT` of them.
        stars: "", "looks" or "nouns": which held-out things most of each cast are.
        new_surfaces: whether it is set on held-out surfaces.
        views: cameras that must show each scene well.
        view: the camera whose pictures it has.
    """

    name: str
    first_seed: int
    stars: str = ""
    new_surfaces: bool = False
    views: int = 1
    view: int = 0

    @property
    def textures(self) -> tuple[int, ...]:
        """Variants of surfaces that its scenes may use."""
        new = held_out().textures
        return tuple(i for i in range(_VARIANTS) if (i in new) == self.new_surfaces)

    def troupe(self, assets: tuple[Asset, ...]) -> Troupe:
        """Choose who plays in this split.

        Raises:
            DataError: when the things that it is about are not among `assets`.
        """
        out = held_out()
        members = tuple(a for a in assets if not out.has_look(a) and not out.has_noun(a))
        if not self.stars:
            return Troupe(members)
        is_star = out.has_look if self.stars == "looks" else out.has_noun
        stars = tuple(asset for asset in assets if is_star(asset))
        if not stars:
            raise DataError(
                f"split {self.name}: expected objects with held-out {self.stars}, found none; "
                "build the objects with the household things"
            )
        return Troupe((*members, *stars), stars)


SPLITS = {
    split.name: split
    for split in (
        Split("train", 10 * SEEDS_PER_SPLIT),
        Split("val", 20 * SEEDS_PER_SPLIT),
        Split("test", 30 * SEEDS_PER_SPLIT, views=2),
        Split("test-views", 30 * SEEDS_PER_SPLIT, views=2, view=1),
        Split("test-objects", 40 * SEEDS_PER_SPLIT, stars="looks", new_surfaces=True),
        Split("test-nouns", 50 * SEEDS_PER_SPLIT, stars="nouns"),
    )
}
"""test-views shows the scenes of test, object by object, from another camera."""


def split_named(name: str) -> Split:
    """Look a split up.

    Raises:
        ConfigError: when there is none of this name.
    """
    if name not in SPLITS:
        raise ConfigError(f"split: expected one of {', '.join(SPLITS)}, got {name!r}")
    return SPLITS[name]
