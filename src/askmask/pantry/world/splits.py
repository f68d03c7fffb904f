"""What a split means for scenes in 3D: who plays, and on which surfaces."""

from __future__ import annotations

from askmask.errors import DataError
from askmask.pantry.objects.asset import Asset
from askmask.pantry.splits.definition import Split
from askmask.pantry.splits.held_out import held_out
from askmask.pantry.world.cast import Troupe

__all__ = ["surfaces_of", "troupe_of"]

_VARIANTS = 24
"""Surfaces of each kind."""


def surfaces_of(split: Split) -> tuple[int, ...]:
    """Variants of surfaces that the scenes of a split may use."""
    new = held_out().textures
    return tuple(i for i in range(_VARIANTS) if (i in new) == split.new_surfaces)


def troupe_of(split: Split, assets: tuple[Asset, ...]) -> Troupe:
    """Choose who plays in a split: what training may see, and as stars what the split is about.

    Raises:
        DataError: when the things that it is about are not among `assets`.
    """
    out = held_out()
    casts = {asset.look: out.cast_of(asset.look, asset.category) for asset in assets}
    members = tuple(asset for asset in assets if casts[asset.look] == "seen")
    if split.cast == "seen":
        return Troupe(members)
    stars = tuple(asset for asset in assets if casts[asset.look] == split.cast)
    if not stars:
        raise DataError(
            f"split {split.name}: expected objects of the {split.cast}, found none; "
            "build the objects with the household things"
        )
    return Troupe((*members, *stars), stars)
