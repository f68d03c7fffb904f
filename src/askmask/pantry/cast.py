"""What a scene is made of: which looks play in it, and how scenes are on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from askmask.pantry.sprites import Look, SpriteBank

__all__ = ["ComposeSettings", "choose_cast", "look_size"]


@dataclass(frozen=True)
class ComposeSettings:
    """What scenes look like on average.

    Attributes:
        objects: fewest and most objects of a scene.
        shelf: share of shelf scenes among those of six objects or more; the rest are tables.
        elevations: weight of each camera elevation of table scenes, degrees -> weight. Shelves
            are seen from the lowest.
        repeats: share of scenes in which a look, product or container is repeated on purpose.
        crowding: share of objects that are put next to another one.
        cut: share of objects that the frame may cut.
        sizes: smallest and largest size of an object relative to the scene's anchor object.
        max_occlusion: an object hidden by more than this share is put elsewhere.
        min_visible: an object with fewer visible pixels, counted at 480 x 640, is put elsewhere.
    """

    objects: tuple[int, int] = (4, 12)
    shelf: float = 0.28
    elevations: Mapping[float, float] = field(default_factory=lambda: {12: 0.35, 28: 0.45, 50: 0.2})
    repeats: float = 0.45
    crowding: float = 0.75
    cut: float = 0.08
    sizes: tuple[float, float] = (0.4, 1.9)
    max_occlusion: float = 0.9
    min_visible: int = 40


def look_size(look: Look) -> float:
    """Mean of the two longer sides, which is what makes a thing big or small to the eye."""
    _, middle, longest = sorted(look.size_m)
    return (middle + longest) / 2


def choose_cast(
    bank: SpriteBank, rng: np.random.Generator, settings: ComposeSettings
) -> tuple[Look, ...]:
    """Choose the looks of a scene: of like size, of different categories unless repeated."""
    count = int(rng.integers(settings.objects[0], settings.objects[1] + 1))
    anchor = look_size(bank.looks[rng.integers(len(bank.looks))])
    smallest, largest = settings.sizes
    near = [look for look in bank.looks if smallest * anchor <= look_size(look) <= largest * anchor]
    cast: list[Look] = []
    for index in rng.permutation(len(near)):
        if len(cast) == count:
            break
        if all(near[index].category != look.category for look in cast):
            cast.append(near[index])
    if rng.random() < settings.repeats:
        _repeat(cast, near, rng)
    while len(cast) < settings.objects[0]:  # a bank too small for different categories
        cast.append(near[rng.integers(len(near))])
    return tuple(cast)


def _repeat(cast: list[Look], near: Sequence[Look], rng: np.random.Generator) -> None:
    """Replace the last members of the cast by relatives of the first ones, in place."""
    pairs = int(rng.integers(1, max(2, len(cast) // 3 + 1)))
    for k in range(min(pairs, len(cast) // 2)):
        model = cast[k if rng.random() < 0.6 else 0]
        kind = rng.random()
        if kind < 0.4:
            relatives = [model]
        elif kind < 0.75:
            relatives = [look for look in near if look.category == model.category]
        else:
            relatives = [look for look in near if look.container == model.container]
        others = [look for look in relatives if look is not model] or [model]
        cast[-1 - k] = others[rng.integers(len(others))]
