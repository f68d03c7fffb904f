"""Queries for a whole benchmark folder of scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    Target,
    read_dataset_json,
    read_entities,
    write_dataset_json,
    write_queries,
)
from askmask.pantry.language.banks import Pool
from askmask.pantry.language.queries import GeneratedQuery, build_queries
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["build_queries_folder", "query_record"]


def build_queries_folder(
    folder: Path,
    *,
    split: str = "val",
    per_image: int = 10,
    seed: int = 0,
    pool: Pool = "test",
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `queries-SPLIT.jsonl` beside the `entities-SPLIT.jsonl` of a folder of scenes.

    The queries of a picture depend only on its record, the categories in the file and the
    arguments, so the same call writes the same bytes.

    Args:
        folder: made by `askmask build scenes`.
        split: name of the split.
        per_image: queries a picture, at most.
        seed: source of chance.
        pool: wordings to use: "train" or "test".
        progress: called with the number of finished pictures after each of them.

    Raises:
        DataError: when the entities are missing or are not those of scenes.
        OutputError: when the queries cannot be written.
    """
    path = folder / f"entities-{split}.jsonl"
    if not path.is_file():
        raise DataError(f"{path}: not found; build the scenes of split {split!r} first")
    card = read_dataset_json(folder)
    others = sorted(
        {entity.category for record in read_entities(path) for entity in record.entities}
    )

    def records() -> Iterator[QueryRecord]:
        for done, record in enumerate(read_entities(path)):
            # One stream a picture, so that a picture's queries do not hang on those before it.
            rng = np.random.default_rng([seed, done])
            yield from _records(record, rng, pool, per_image, others, str(card["name"]))
            if progress is not None:
                progress(done + 1)

    write_queries(folder / f"queries-{split}.jsonl", records())
    write_dataset_json(folder, name=card["name"], license=card["license"], source=card["source"])


def _records(
    record: EntityRecord,
    rng: np.random.Generator,
    pool: Pool,
    count: int,
    others: list[str],
    dataset: str,
) -> Iterator[QueryRecord]:
    from askmask.pantry.build import scene_from_record

    # The language looks at masks and positions, never at pixels.
    scene = scene_from_record(record, np.zeros((record.height, record.width, 3), np.uint8))
    stem = Path(record.image).stem
    for number, query in enumerate(build_queries(scene, rng, pool, count, others)):
        twin = None if query.twin_of is None else f"{stem}#{query.twin_of}"
        yield query_record(record, query, f"{stem}#{number}", twin=twin, dataset=dataset)


def query_record(
    record: EntityRecord, query: GeneratedQuery, name: str, *, twin: str | None, dataset: str
) -> QueryRecord:
    """Make the query line of a generated query.

    Args:
        record: of the picture.
        query: made from the scene of that record.
        name: id of the query.
        twin: id of its twin, or None.
        dataset: name of the benchmark.
    """
    tags = (*query.tags, f"dataset:{dataset}")
    if twin is not None:
        tags = (*tags, f"twin:{twin}")
    return QueryRecord(
        id=name,
        image=record.image,
        height=record.height,
        width=record.width,
        text=query.text,
        references=tuple(record.entities[one].modal for one in query.references),
        mask_type=query.mask_type,
        targets=tuple(_target(record, one, query.mask_type) for one in query.targets),
        tags=tags,
    )


def _target(record: EntityRecord, one: int, mask_type: MaskType) -> Target:
    entity = record.entities[one]
    return Target(
        segmentation=_mask(entity.modal, entity.amodal or entity.modal, mask_type),
        entity=entity.id,
        category=entity.category,
        modal=entity.modal,
    )


def _mask(modal: RLE, amodal: RLE, mask_type: MaskType) -> RLE:
    if mask_type is MaskType.MODAL:
        return modal
    return amodal if mask_type is MaskType.AMODAL else rle.subtract(amodal, modal)
