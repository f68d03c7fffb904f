"""Deep checks of a data set: what a reader lets pass, but no benchmark should have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from askmask import rle
from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.errors import DataError, QueryError
from askmask.formats.askmask import Entity, EntityRecord, QueryRecord
from askmask.formats.picture_files import picture_size
from askmask.rle import RLE

__all__ = ["check_dataset", "entity_problems", "query_problems"]

_RATE_TOLERANCE = 0.01
"""How far a noted occlusion rate may be from that of the masks."""


def _size_problem(code: RLE, size_hw: tuple[int, int], what: str) -> Iterator[str]:
    try:
        rle.validate(code, size_hw)
    except DataError as error:
        yield f"{what}: {error}"


def _modal_problem(modal: RLE, amodal: RLE, what: str) -> Iterator[str]:
    over = rle.area(rle.subtract(modal, amodal))
    if over:
        yield f"{what}: {over:,} pixels of the modal mask lie outside the amodal mask"


def query_problems(record: QueryRecord) -> Iterator[str]:
    """Yield one line a problem of a query: sentence, masks, sizes."""
    size_hw = (record.height, record.width)
    try:
        record.to_query()
    except (QueryError, DataError) as error:
        yield str(error)
    masks = [(f"target {place}", one.segmentation) for place, one in enumerate(record.targets, 1)]
    masks += [(f"reference {place}", one) for place, one in enumerate(record.references, 1)]
    for what, code in masks:
        problems = list(_size_problem(code, size_hw, what))
        yield from problems
        if not problems and not rle.area(code):
            yield f"{what}: the mask is empty"
    for place, target in enumerate(record.targets, 1):
        if target.modal is not None and record.mask_type == "amodal":
            yield from _modal_problem(target.modal, target.segmentation, f"target {place}")
    if record.ignore is not None:
        yield from _size_problem(record.ignore, size_hw, "ignore")


def _rate_problem(entity: Entity, what: str) -> Iterator[str]:
    """A noted occlusion rate that is not that of the masks."""
    if entity.amodal is None or entity.occlusion_rate is None:
        return
    whole = rle.area(entity.amodal)
    rate = 1 - rle.area(rle.intersection((entity.modal, entity.amodal), _size(entity))) / whole
    if abs(rate - entity.occlusion_rate) > _RATE_TOLERANCE:
        yield f"{what}: occlusion rate {entity.occlusion_rate:.3g}, the masks say {rate:.3g}"


def _size(entity: Entity) -> tuple[int, int]:
    height, width = entity.modal["size"]
    return height, width


def _order_problems(entity: Entity, by_id: dict[int, Entity], what: str) -> Iterator[str]:
    """Occluders that are not there, or lie behind what they hide."""
    for other in entity.occluded_by:
        front = by_id.get(other)
        if front is None or other == entity.id:
            yield f"{what}: occluded by {other}, which is no other entity of the picture"
        elif front.depth_order is None or entity.depth_order is None:
            continue
        elif front.depth_order > entity.depth_order:
            yield f"{what}: occluded by {other}, which lies behind it"


def _mask_problems(entity: Entity, size_hw: tuple[int, int], what: str) -> Iterator[str]:
    codes = [("modal", entity.modal)]
    codes += [("amodal", entity.amodal)] if entity.amodal is not None else []
    wrong = [
        line for kind, code in codes for line in _size_problem(code, size_hw, f"{what} {kind}")
    ]
    yield from wrong
    if wrong:
        return
    empty = [kind for kind, code in codes if not rle.area(code)]
    yield from (f"{what}: the {kind} mask is empty" for kind in empty)
    if entity.amodal is not None and "amodal" not in empty:
        yield from _modal_problem(entity.modal, entity.amodal, what)
        yield from _rate_problem(entity, what)


def entity_problems(record: EntityRecord) -> Iterator[str]:
    """Yield one line a problem of an annotated picture: ids, masks, occlusion, order."""
    size_hw = (record.height, record.width)
    by_id: dict[int, Entity] = {}
    for entity in record.entities:
        if entity.id in by_id:
            yield f"entity {entity.id}: this id comes twice"
        by_id[entity.id] = entity
    for entity in record.entities:
        what = f"entity {entity.id}"
        yield from _mask_problems(entity, size_hw, what)
        yield from _order_problems(entity, by_id, what)


class _Pictures:
    """The picture files that records name, each looked at once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int] | str] = {}

    def problems(self, name: str, size_hw: tuple[int, int]) -> Iterator[str]:
        """A picture that is missing, broken or of another size; each is named once."""
        if self._folder is None:
            return
        first = name not in self._seen
        if first:
            try:
                self._seen[name] = picture_size(self._folder / name)
            except DataError as error:
                self._seen[name] = str(error)
        found = self._seen[name]
        if isinstance(found, str):
            yield from [found] if first else []
        elif found != size_hw:
            yield f"the picture has {found[1]} x {found[0]} pixels, not {size_hw[1]} x {size_hw[0]}"


def _described(record: QueryRecord | EntityRecord) -> tuple[str, str, Iterator[str]]:
    """What a record is called in messages, what tells it from others, and its own problems."""
    if isinstance(record, QueryRecord):
        return f"query {record.id}", "id", query_problems(record)
    return f"picture {record.image}", "picture", entity_problems(record)


def _problems(
    records: Iterable[QueryRecord | EntityRecord], split: str, images: Path | None
) -> Iterator[str]:
    """Problems of the records of one kind, among them names that come twice."""
    seen: set[str] = set()
    pictures = _Pictures(images)
    for record in records:
        name, key, own = _described(record)
        where = f"{split}, {name}"
        if name in seen:
            yield f"{where}: this {key} comes twice"
        seen.add(name)
        yield from (f"{where}: {line}" for line in own)
        size_hw = (record.height, record.width)
        yield from (f"{where}: {line}" for line in pictures.problems(record.image, size_hw))


def check_dataset(
    one: DatasetFormat,
    path: Path,
    splits: list[str],
    images: Path | None,
    bad: BadRecords,
) -> Iterator[str]:
    """Read all records of the splits and yield one line a problem.

    Args:
        one: format of the data set.
        path: where it lies.
        splits: splits to check.
        images: folder of the pictures, or None to leave them aside.
        bad: told of records that cannot be read at all.

    Raises:
        DataError: when a file as a whole cannot be read, or from `bad`.
    """
    for split in splits:
        for read in (one.queries, one.entities):
            if read is not None:
                yield from _problems(read(path, split, images, bad), split, images)
        if one.claims is not None:
            yield from one.claims(path, split, images)
