"""Building a split: pictures, entities, balanced queries, the shares they reach, and checksums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from askmask.errors import ConfigError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    write_dataset_json,
    write_entities,
    write_queries,
)
from askmask.formats.files import write_json
from askmask.pantry.build import (
    TRAINING_SEEDS,
    claim_folder,
    record_from_scene,
    scene_from_record,
    write_picture,
)
from askmask.pantry.language.folder import query_record
from askmask.pantry.language.queries import GeneratedQuery, build_queries
from askmask.pantry.scene import Scene
from askmask.pantry.splits.balance import Unit, choose_units, shares, units
from askmask.pantry.splits.checksums import write_checksums
from askmask.pantry.splits.definition import Split
from askmask.pantry.splits.held_out import HeldOut, held_out
from askmask.pantry.splits.labels import WANTED, WEIGHTS, labels, task
from askmask.pantry.splits.sgdr import SGDR_TAG, is_sgdr

__all__ = ["SceneMaker", "build_split"]

SceneMaker: TypeAlias = Callable[[int], Sequence[Scene]]
"""Seed -> the scene as each camera shows it; a thing has the same id in all views. A function of
the seed alone, down to the last bit."""

_CANDIDATES = 8
"""Queries that are generated for each one that is chosen."""


@dataclass(frozen=True)
class _Asked:
    """What may be asked about one picture; `labels` and `sgdr` have one entry a query."""

    queries: list[GeneratedQuery]
    labels: list[tuple[tuple[str, str], ...]]
    sgdr: list[bool]
    units: list[Unit]


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
    """Build one split into a benchmark folder of its own.

    The folder is a function of the arguments: built again, it holds the same bytes. Beside the
    files of every benchmark it holds `shares.json`, the shares reached beside those wanted, and
    `checksums.json`, the hash of every other file. Its queries name as "rivals" the entities that
    the words for the targets' kind fit as well.

    Args:
        out: folder to make, or one that the same arguments began and did not finish.
        split: what to build.
        make: gives the scenes of the split's cast.
        made_by: name and version of the maker; it keeps folders of different makers apart.
        source: how to make the folder again, for its description, e.g. the command.
        out_of_training: what is held out; None for the list that ships.
        progress: called with the number of finished pictures after each of them.

    Returns:
        The shares: family -> name -> {"wanted", "reached", "n"}.

    Raises:
        ConfigError: when the split's seeds are those of training or its sizes are below 1.
        DataError: when a scene holds what the split may not show, or has not the split's number
            of views, or too little can be asked about the scenes.
        OutputError: when `out` holds something else or cannot be written.
    """
    if split.seeds.stop > TRAINING_SEEDS or min(split.scenes, split.views, split.queries) < 1:
        raise ConfigError(
            f"split {split.name}: expected seeds below {TRAINING_SEEDS} and one scene, view and "
            f"query or more, got {split}"
        )
    things = held_out() if out_of_training is None else out_of_training
    name = f"pantry-{split.name}"
    claim_folder(out, {"format": "askmask-split/1", **asdict(split), "made_by": made_by})
    records = list(_pictures(out, split, make, things, progress))
    others = sorted({entity.category for record in records for entity in record.entities})
    count = _CANDIDATES * -(-split.queries // len(records))
    asked = [_ask(record, split, things, count, others) for record in records]
    chosen = choose_units([one.units for one in asked], WANTED, split.queries, WEIGHTS)
    report = shares(
        [
            one.labels[place]
            for one, row in zip(asked, chosen, strict=True)
            for unit in row
            for place in unit.places
        ],
        WANTED,
    )
    write_entities(out / f"entities-{split.name}.jsonl", records)
    write_queries(
        out / f"queries-{split.name}.jsonl",
        (
            query
            for record, one, row in zip(records, asked, chosen, strict=True)
            for query in _query_records(record, one, row, name)
        ),
    )
    write_json(out / "shares.json", report)
    write_dataset_json(out, name=name, license="CC-BY-4.0", source=source)
    write_checksums(out)
    return report


def _pictures(
    out: Path,
    split: Split,
    make: SceneMaker,
    things: HeldOut,
    progress: Callable[[int], None] | None,
) -> Iterator[EntityRecord]:
    """Make the scenes, write their pictures and yield their records."""
    done = 0
    for seed in split.seeds:
        scenes = make(seed)
        if len(scenes) != split.views:
            raise ConfigError(
                f"split {split.name}: expected {split.views} views of scene {seed}, "
                f"got {len(scenes)}"
            )
        for view, scene in enumerate(scenes):
            things.check(scene, split.cast)
            suffix = f"-{view}" if split.views > 1 else ""
            path = f"images/{seed:07d}{suffix}.png"
            write_picture(out / path, scene.image)
            record = record_from_scene(scene, path)
            yield replace(record, extra={**record.extra, "view": view})
            done += 1
            if progress is not None:
                progress(done)


def _ask(
    record: EntityRecord, split: Split, things: HeldOut, count: int, others: Sequence[str]
) -> _Asked:
    """Generate the candidates of a picture; they depend on nothing but the arguments."""
    # The language looks at masks and positions, never at pixels.
    scene = scene_from_record(record, np.zeros((record.height, record.width, 3), np.uint8))
    rng = np.random.default_rng([scene.seed, int(record.extra["view"])])
    queries = build_queries(scene, rng, split.pool, count, others, all_twins=True, tell_apart=True)
    marks = [labels(scene, query) for query in queries]
    cast = things.members(scene, split.cast)
    return _Asked(
        queries=queries,
        labels=marks,
        sgdr=[is_sgdr(scene, query) for query in queries],
        units=[
            unit
            for unit in units(queries, marks)
            if not queries[unit.places[0]].targets or cast & set(queries[unit.places[0]].targets)
        ],
    )


def _query_records(
    record: EntityRecord, asked: _Asked, chosen: Sequence[Unit], dataset: str
) -> Iterator[QueryRecord]:
    """Number the chosen queries of a picture and write what they promise into their tags."""
    stem = Path(record.image).stem
    places = [place for unit in chosen for place in unit.places]
    names = {place: f"{stem}#{number}" for number, place in enumerate(places)}
    for place in places:
        query = asked.queries[place]
        twin = None if query.twin_of is None else names[query.twin_of]
        line = query_record(record, query, names[place], twin=twin, dataset=dataset)
        tags = (*line.tags, f"task:{task(query)}", *((SGDR_TAG,) if asked.sgdr[place] else ()))
        rivals = [record.entities[one].id for one in query.rivals]
        yield replace(line, tags=tags, extra={**line.extra, "rivals": rivals})
