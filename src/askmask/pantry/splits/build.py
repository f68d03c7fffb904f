"""Building a whole split, scenes and queries, from any function that turns a seed into a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from askmask.errors import ConfigError
from askmask.formats.askmask import EntityRecord, write_dataset_json, write_entities
from askmask.pantry.build import TRAINING_SEEDS, claim_folder, record_from_scene, write_picture
from askmask.pantry.scene import Scene
from askmask.pantry.splits.ask import ask_split
from askmask.pantry.splits.definition import Split
from askmask.pantry.splits.held_out import HeldOut, held_out

__all__ = ["SceneMaker", "build_split"]

SceneMaker: TypeAlias = Callable[[int], Scene]
"""Seed -> scene; a function of the seed alone, down to the last bit."""


def build_split(
    out: Path,
    split: Split,
    make: SceneMaker,
    *,
    made_by: str,
    source: str,
    out_of_training: HeldOut | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Build one split into a benchmark folder of its own; see `ask_split` for its queries.

    The folder is a function of the arguments: built again, it holds the same bytes.

    Args:
        out: folder to make, or one that the same arguments began and did not finish.
        split: what to build.
        make: gives the scenes, of the split's cast and camera.
        made_by: name and version of the maker; it keeps folders of different makers apart.
        source: how to make the folder again, for its description, e.g. the command.
        out_of_training: what is held out; None for the list that ships.
        progress: called with the number of finished pictures after each of them.

    Returns:
        The shares: family -> name -> {"wanted", "reached", "n"}.

    Raises:
        ConfigError: when the split's seeds are those of training or its sizes are below 1.
        DataError: when a scene holds what the split may not show, or too little can be asked
            about the scenes.
        OutputError: when `out` holds something else or cannot be written.
    """
    if split.seeds.stop > TRAINING_SEEDS or min(split.scenes, split.queries) < 1:
        raise ConfigError(
            f"split {split.name}: expected seeds below {TRAINING_SEEDS} and one scene and query "
            f"or more, got {split}"
        )
    things = held_out() if out_of_training is None else out_of_training
    claim_folder(out, {"format": "askmask-split/1", **asdict(split), "made_by": made_by})
    write_entities(
        out / f"entities-{split.name}.jsonl", _pictures(out, split, make, things, progress)
    )
    write_dataset_json(out, name=f"pantry-{split.name}", license="CC-BY-4.0", source=source)
    return ask_split(out, split, out_of_training=things)


def _pictures(
    out: Path,
    split: Split,
    make: SceneMaker,
    things: HeldOut,
    progress: Callable[[int], None] | None,
) -> Iterator[EntityRecord]:
    """Make the scenes, write their pictures and yield their records."""
    for done, seed in enumerate(split.seeds, 1):
        scene = make(seed)
        things.check(scene, split.cast)
        name = f"images/{seed:08d}.png"
        write_picture(out / name, scene.image)
        yield record_from_scene(scene, name)
        if progress is not None:
            progress(done)
