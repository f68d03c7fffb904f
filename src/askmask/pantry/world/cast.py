"""Which things play in a scene in 3D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from askmask.pantry.objects.asset import OWN, Asset

__all__ = ["Casting", "Troupe", "choose_things"]

_KINDS = ("household", "grocery", "mixed")
_KIND_SHARES = (0.4, 0.35, 0.25)


@dataclass(frozen=True)
class Casting:
    """What casts are like on average.

    Attributes:
        things: fewest and most things of a scene.
        repeats: share of scenes in which a category or package is repeated on purpose.
        sizes: smallest and largest size of a thing relative to the scene's anchor.
        stars: share of the things that come from the troupe's stars, where it has any.
    """

    things: tuple[int, int] = (5, 12)
    repeats: float = 0.6
    sizes: tuple[float, float] = (0.38, 1.9)
    stars: float = 0.6


@dataclass(frozen=True, eq=False)
class Troupe:
    """Who may play.

    Attributes:
        members: everybody.
        stars: those whom the scenes are about, e.g. the held-out things; perhaps none.
    """

    members: tuple[Asset, ...]
    stars: tuple[Asset, ...] = ()


def choose_things(troupe: Troupe, rng: np.random.Generator, casting: Casting) -> tuple[Asset, ...]:
    """Choose things of like size, of different categories unless repeated on purpose."""
    kind = _KINDS[rng.choice(len(_KINDS), p=_KIND_SHARES)]
    members = [asset for asset in troupe.members if _is_of(asset, kind)] or list(troupe.members)
    leads = list(troupe.stars) or members
    anchor = _size(leads[rng.integers(len(leads))])
    least, most = (factor * anchor for factor in casting.sizes)
    near = [asset for asset in members if least <= _size(asset) <= most]
    stars = [asset for asset in troupe.stars if least <= _size(asset) <= most]
    count = int(rng.integers(casting.things[0], casting.things[1] + 1))
    cast = _different(stars, round(casting.stars * count) if stars else 0, [], rng)
    cast += _different(near, count - len(cast), cast, rng)
    if rng.random() < casting.repeats:
        _repeat(cast, [*near, *stars], rng)
    return tuple(cast[index] for index in rng.permutation(len(cast)))


def _is_of(asset: Asset, kind: str) -> bool:
    return kind == "mixed" or (asset.source.origin == OWN.origin) == (kind == "grocery")


def _size(asset: Asset) -> float:
    """Mean of the two longer sides, which is what makes a thing big or small to the eye."""
    _, middle, longest = sorted(asset.size_m)
    return (middle + longest) / 2


def _different(
    pool: Sequence[Asset], count: int, others: Sequence[Asset], rng: np.random.Generator
) -> list[Asset]:
    """At most `count` of the pool, of categories that differ from one another's and others'."""
    seen = {asset.category for asset in others}
    chosen: list[Asset] = []
    for index in rng.permutation(len(pool)):
        if len(chosen) == count:
            break
        if pool[index].category not in seen:
            seen.add(pool[index].category)
            chosen.append(pool[index])
    return chosen


def _repeat(cast: list[Asset], near: Sequence[Asset], rng: np.random.Generator) -> None:
    """Replace the last of the cast by relatives of the first, in place."""
    for k in range(int(rng.integers(1, max(2, len(cast) // 3 + 1)))):
        model = cast[0 if rng.random() < 0.4 else min(k, len(cast) - 1)]
        same_category = [asset for asset in near if asset.category == model.category]
        same_container = [asset for asset in near if asset.container == model.container != "none"]
        kind = rng.random()
        relatives = same_category if kind < 0.6 or not same_container else same_container
        others = [asset for asset in relatives if asset.look != model.look] or [model]
        if 2 * (k + 1) <= len(cast):
            cast[-1 - k] = others[rng.integers(len(others))]
