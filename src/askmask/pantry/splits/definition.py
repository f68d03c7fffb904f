"""The named splits: ranges of seeds, wordings and things of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from askmask.errors import ConfigError
from askmask.pantry.language.banks import Pool

__all__ = ["SEEDS_PER_SPLIT", "SPLITS", "Cast", "Split", "split_named"]

Cast: TypeAlias = Literal["seen", "held-out looks", "held-out categories"]

SEEDS_PER_SPLIT = 1_000_000
"""Seeds that each split has for itself; it uses the first ones."""


@dataclass(frozen=True)
class Split:
    """One split.

    Attributes:
        name: as in "queries-test-nouns.jsonl".
        about: what it tests, for cards and tables.
        first_seed: seed of its first scene; the scenes' seeds follow each other.
        pool: wordings of its sentences.
        cast: which things its sentences are about: those that training may see, new looks of known
            categories, or categories that training never sees.
        new_surfaces: whether its scenes are set on surfaces that training never sees.
        cameras: cameras that must show each scene well.
        view: number of the camera that takes the pictures.
        scenes: number of scenes, at most `SEEDS_PER_SPLIT`.
        queries: number of queries, at least.
    """

    name: str
    about: str
    first_seed: int
    pool: Pool = "test"
    cast: Cast = "seen"
    new_surfaces: bool = False
    cameras: int = 1
    view: int = 0
    scenes: int = 400
    queries: int = 4_000

    @property
    def seeds(self) -> range:
        """Seeds of its scenes."""
        return range(self.first_seed, self.first_seed + self.scenes)

    def of_size(self, scenes: int | None) -> Split:
        """Return its first scenes, with as many queries a scene; all for None."""
        if scenes is None:
            return self
        return replace(self, scenes=scenes, queries=-(-self.queries * scenes // self.scenes))


def _splits() -> dict[str, Split]:
    train, val, test, looks, nouns = (SEEDS_PER_SPLIT * number for number in (10, 20, 30, 40, 50))
    rows = (
        Split("train", "scenes to learn from", train, pool="train"),
        Split("val", "known things, known wordings, new scenes", val, pool="train"),
        Split("test", "known things, new wordings, new scenes", test, cameras=2),
        Split("test-views", "the scenes of test from another camera", test, cameras=2, view=1),
        Split(
            "test-objects",
            "new looks of known things, on new surfaces",
            looks,
            cast="held-out looks",
            new_surfaces=True,
        ),
        Split("test-nouns", "things of new categories", nouns, cast="held-out categories"),
    )
    return {split.name: split for split in rows}


SPLITS: Mapping[str, Split] = _splits()
"""Name -> split. `val` is worded as the training is, so that nobody tunes on the test's words. No
two splits share a scene, but for `test-views`, which shows those of `test` otherwise."""


def split_named(name: str) -> Split:
    """Return a split.

    Raises:
        ConfigError: when there is none of that name.
    """
    if name not in SPLITS:
        raise ConfigError(f"split: expected one of {', '.join(SPLITS)}, got {name!r}")
    return SPLITS[name]
