"""What training never sees: some designs, models, nouns and textures, by an explicit list.

The list is explicit, so that it stays what it is when things are added.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from askmask.errors import DataError
from askmask.pantry.scene import Scene
from askmask.pantry.splits.definition import Cast

__all__ = ["HeldOut", "held_out"]


@dataclass(frozen=True)
class HeldOut:
    """The list.

    Attributes:
        designs: numbers of the designs of own packages and produce, the last part of their looks:
            "jar-of-honey/3".
        models: looks of household things, whose last part is never a number.
        nouns: categories of which no look is seen in training.
        textures: variants of every kind of surface.
    """

    designs: frozenset[int] = frozenset()
    models: frozenset[str] = frozenset()
    nouns: frozenset[str] = frozenset()
    textures: frozenset[int] = frozenset()

    def cast_of(self, look: str, category: str) -> Cast:
        """To which cast a look of a category belongs."""
        if category in self.nouns:
            return "held-out categories"
        number = look.rpartition("/")[2]
        new = look in self.models or (number.isdigit() and int(number) in self.designs)
        return "held-out looks" if new else "seen"

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


@lru_cache(maxsize=1)
def held_out() -> HeldOut:
    """Return the one list."""
    path = resources.files(__package__) / "data" / "held_out.json"
    lists = json.loads(path.read_text("utf-8"))
    return HeldOut(**{name: frozenset(values) for name, values in lists.items()})
