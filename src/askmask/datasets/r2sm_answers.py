"""Answers of R2SM: instances by their ids, or masks that stand in the record."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from askmask.datasets.coco_amodal import read_coco_amodal
from askmask.datasets.frame import BadRecords
from askmask.datasets.keys import KeyMap
from askmask.datasets.values import Json, checked_name, checked_size, tidy, whole
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord, Target
from askmask.formats.segmentation import read_segmentation
from askmask.types import MaskType

__all__ = ["Answer", "Instances", "read_answer"]

_INSTANCE = KeyMap(
    {
        "id": ("id", "instance_id", "ann_id", "annotation_id"),
        "category": ("class_name", "category", "category_name", "label"),
        "amodal": ("amodal", "segmentation", "amodal_mask", "a_segm"),
        "modal": ("modal", "visible_mask", "inmodal_seg", "i_segm"),
    }
)

_RAW_ANSWER = re.compile(r"instance id is (\d{1,18})", re.IGNORECASE)
"""How the language model of the paper answered."""


@dataclass(frozen=True)
class Answer:
    """The picture that a record is about, and what it asks for."""

    image: str
    size_hw: tuple[int, int]
    targets: tuple[Target, ...]


@dataclass
class Instances:
    """Annotated objects of COCO-style files, read when one is first asked for.

    Attributes:
        files: the files.
        bad: told of annotations that cannot be read.
    """

    files: tuple[Path, ...]
    bad: BadRecords
    _of_name: dict[str, EntityRecord] = field(default_factory=dict)

    @cached_property
    def _of_id(self) -> dict[int, tuple[EntityRecord, Entity]]:
        found = {}
        for file in self.files:
            for record in read_coco_amodal(file, self.bad):
                self._of_name[record.image] = record
                found.update({entity.id: (record, entity) for entity in record.entities})
        return found

    def find(self, number: int, image: object, where: str) -> tuple[EntityRecord, Entity]:
        """The object with that id, in the picture `image` where that is the name of one.

        Raises:
            DataError: when there is none.
        """
        found = self._of_id.get(number)
        record = self._of_name.get(image) if isinstance(image, str) else None
        if record is not None:
            own = next((one for one in record.entities if one.id == number), None)
            found = None if own is None else (record, own)
        if found is None:
            searched = ", ".join(str(path) for path in self.files) or "no file of annotations"
            raise DataError(
                f"{where}: instance {number} is not there; searched {searched}; "
                "say --map annotations=FILE"
            )
        return found


def read_answer(
    record: Json, keys: KeyMap, instances: Instances, kind: MaskType | None, where: str
) -> Answer:
    """Read what a record asks for.

    Args:
        record: has instances or masks.
        keys: their names.
        instances: where ids are looked up.
        kind: the asked type; None counts as visible.
        where: file and record, for messages.

    Raises:
        DataError: when the answer is not there or cannot be read.
    """
    value = keys.get(record, "instances")
    if value is None and keys.key(record, "masks"):
        return _given_masks(record, keys, where)
    value = keys.need(record, "instances", where)
    rows = value if isinstance(value, list) else [value]
    if rows and all(isinstance(one, dict) and _holds_masks(one) for one in rows):
        return _given_instances(rows, record, keys, kind, where)
    return _looked_up(_ids(value, where), keys.get(record, "image"), instances, kind, where)


def _holds_masks(row: Json) -> bool:
    return any(_INSTANCE.key(row, name) for name in ("amodal", "modal"))


def _ids(value: Any, where: str) -> list[int]:
    """Ids as numbers, in objects, or in words."""
    if isinstance(value, str) and _RAW_ANSWER.search(value):
        return list(dict.fromkeys(int(number) for number in _RAW_ANSWER.findall(value)))
    ids = []
    for one in value if isinstance(value, list) else [value]:
        number = whole(_INSTANCE.get(one, "id") if isinstance(one, dict) else one)
        if number is None:
            raise DataError(f"{where}: expected ids of instances, got {reprlib.repr(one)}")
        ids.append(number)
    return list(dict.fromkeys(ids))


def _looked_up(
    ids: list[int], image: object, instances: Instances, kind: MaskType | None, where: str
) -> Answer:
    """Instances of the COCO-style files."""
    found = [instances.find(number, image, where) for number in ids]
    if not found:
        raise DataError(f"{where}: expected one or more instances, got none")
    record = found[0][0]
    if any(one is not record for one, _ in found):
        raise DataError(f"{where}: expected instances of one picture, got those of several")
    targets = []
    for _, one in found:
        complete = one.amodal or one.modal
        mask = complete if kind is MaskType.AMODAL else one.modal
        targets.append(Target(mask, one.id, one.category, one.modal))
    return Answer(record.image, (record.height, record.width), tuple(targets))


def _size_hw(record: Json, keys: KeyMap, masks: list[Any], where: str) -> tuple[int, int]:
    """Size of the picture, as the record or one of its masks says."""
    size: Any = [keys.get(record, "height"), keys.get(record, "width")]
    if size == [None, None]:
        size = next((mask.get("size") for mask in masks if isinstance(mask, dict)), size)
    return checked_size(size, where)


def _given_masks(record: Json, keys: KeyMap, where: str) -> Answer:
    """Masks of the asked type that stand in the record."""
    value = keys.need(record, "masks", where)
    flat = isinstance(value, list) and bool(value) and isinstance(value[0], int | float)
    masks = value if isinstance(value, list) and not flat else [value]
    size_hw = _size_hw(record, keys, masks, where)
    targets = tuple(Target(read_segmentation(mask, size_hw, where)) for mask in masks)
    return Answer(checked_name(keys.need(record, "image", where), where), size_hw, targets)


def _given_instances(
    rows: list[Json], record: Json, keys: KeyMap, kind: MaskType | None, where: str
) -> Answer:
    """Instances whose masks stand in the record."""
    masks = [_INSTANCE.get(row, name) for row in rows for name in ("amodal", "modal")]
    size_hw = _size_hw(record, keys, masks, where)
    targets = []
    for place, row in enumerate(rows):
        spot = f"{where}, instance {place + 1}"
        shown, complete = _INSTANCE.get(row, "modal"), _INSTANCE.get(row, "amodal")
        asked = complete if kind is MaskType.AMODAL else (shown or complete)
        if asked is None:
            raise DataError(f"{spot}: expected a complete mask, as the sentence asks for it")
        category = _INSTANCE.get(row, "category")
        targets.append(
            Target(
                read_segmentation(asked, size_hw, spot),
                whole(_INSTANCE.get(row, "id")),
                tidy(category) if isinstance(category, str) else None,
                None if shown is None else read_segmentation(shown, size_hw, spot),
            )
        )
    return Answer(checked_name(keys.need(record, "image", where), where), size_hw, tuple(targets))
