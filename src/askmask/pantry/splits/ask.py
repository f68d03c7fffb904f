"""Balanced queries for the scenes of a split, the shares they reach, and checksums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from askmask.atomic import atomic_write
from askmask.errors import DataError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    read_dataset_json,
    read_entities,
    write_dataset_json,
    write_queries,
)
from askmask.formats.files import write_json
from askmask.pantry.build import scene_from_record
from askmask.pantry.language.folder import query_record
from askmask.pantry.language.queries import GeneratedQuery, build_queries
from askmask.pantry.splits.balance import Unit, choose_units, shares, units
from askmask.pantry.splits.card import card
from askmask.pantry.splits.checksums import write_checksums
from askmask.pantry.splits.definition import Split
from askmask.pantry.splits.held_out import HeldOut, held_out
from askmask.pantry.splits.labels import WANTED, WEIGHTS, labels, task
from askmask.pantry.splits.sgdr import SGDR_TAG, is_sgdr

__all__ = ["ask_split"]

_CANDIDATES = 8
"""Queries that are generated for each one that is chosen."""


@dataclass(frozen=True)
class _Asked:
    """What may be asked about one picture; `labels` and `sgdr` have one entry a query."""

    queries: list[GeneratedQuery]
    labels: list[tuple[tuple[str, str], ...]]
    sgdr: list[bool]
    units: list[Unit]


def ask_split(
    folder: Path,
    split: Split,
    *,
    out_of_training: HeldOut | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Write the queries of a split beside its scenes.

    The files are a function of the entities and the arguments: written again, they hold the same
    bytes. Beside `queries-SPLIT.jsonl` there come `shares.json`, the shares reached beside those
    wanted, `README.md`, the data card, and `checksums.json`, the hash of every other file. The
    queries name as "rivals" the entities that the words for the targets' kind fit as well.

    Args:
        folder: holds the pictures, `entities-SPLIT.jsonl` of scenes, and dataset.json.
        split: what the scenes were made for.
        out_of_training: what is held out; None for the list that ships.
        progress: called with the number of finished pictures after each of them.

    Returns:
        The shares: family -> name -> {"wanted", "reached", "n"}.

    Raises:
        DataError: when the entities are missing, are not those of scenes or hold what the split
            may not show, or too little can be asked about them.
        OutputError: when a file cannot be written.
    """
    things = held_out() if out_of_training is None else out_of_training
    path = folder / f"entities-{split.name}.jsonl"
    before = read_dataset_json(folder)
    described = {key: str(before[key]) for key in ("name", "license", "source")}
    records = list(read_entities(path))
    if not records:
        raise DataError(f"{path}: expected one picture or more, got none; build the scenes first")
    others = sorted({entity.category for record in records for entity in record.entities})
    count = _CANDIDATES * -(-split.queries // len(records))
    asked = []
    for done, record in enumerate(records, 1):
        asked.append(_ask(record, split, things, count, others))
        if progress is not None:
            progress(done)
    chosen = choose_units([one.units for one in asked], WANTED, split.queries, WEIGHTS)
    rows = list(zip(records, asked, chosen, strict=True))
    write_queries(
        folder / f"queries-{split.name}.jsonl",
        (query for row in rows for query in _query_records(*row, f"pantry-{split.name}")),
    )
    report = shares(
        [one.labels[place] for _, one, row in rows for unit in row for place in unit.places], WANTED
    )
    write_json(folder / "shares.json", report)
    write_dataset_json(folder, **described)
    number = sum(len(unit.places) for row in chosen for unit in row)
    text = card(split, described["source"], len(records), number, report)
    with atomic_write(folder / "README.md") as file:
        file.write(text.encode())
    write_checksums(folder)
    return report


def _ask(
    record: EntityRecord, split: Split, things: HeldOut, count: int, others: Sequence[str]
) -> _Asked:
    """Generate the candidates of a picture; they depend on nothing but the arguments."""
    # The language looks at masks and positions, never at pixels.
    scene = scene_from_record(record, np.zeros((record.height, record.width, 3), np.uint8))
    things.check(scene, split.cast)
    rng = np.random.default_rng([scene.seed, split.view])
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
