"""R2SM's release: sentences that ask for visible or complete shapes. Its files are not described.

Known is what the paper says: a sentence, its mask type, and the ids of instances in COCOA-cls, D2SA
or MUVA whose masks are the answer. Here every likely key is tried, `--map NAME=KEY` names another,
and what cannot be found is reported with the keys that are there. The masks stand in the record, or
in a COCO-style file beside the sentences (`--map annotations=FILE` for another).

| name | what | read as |
|---|---|---|
| text | the sentence | |
| mask_type | modal or amodal | words such as "amodal" or "visible", or whether it is amodal |
| instances | the answer | ids, objects with ids, or "instance id is 7, class name is cup; …" |
| masks | the answer, where it stands in the record | a mask or a list of masks |
| image | the picture | file name |
| id, height, width | | |
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from askmask.datasets.coco_amodal import MARKS, read_coco_amodal
from askmask.datasets.coco_file import Json, id_of, whole
from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.json_items import JsonItems
from askmask.datasets.keys import KeyMap, is_name, tidy
from askmask.datasets.segmentation import read_segmentation
from askmask.errors import ConfigError, DataError, QueryError
from askmask.formats.askmask import Entity, EntityRecord, QueryRecord, Target
from askmask.formats.files import iter_jsonl
from askmask.types import MaskType, check_sentence

__all__ = ["FORMATS"]

_KEYS = KeyMap(
    {
        "id": ("id", "query_id", "question_id", "qid", "sample_id"),
        "text": ("text", "query", "question", "sentence", "expression", "prompt", "Q"),
        "mask_type": (
            *("mask_type", "query_type", "type", "intent", "mode", "setting"),
            *("is_amodal", "amodal"),
        ),
        "instances": (
            *("instances", "instance_ids", "instance_id", "ann_ids", "annotation_ids", "ann_id"),
            *("target_ids", "objects", "targets", "answer", "answers", "A"),
        ),
        "masks": ("masks", "segmentations", "segmentation", "mask", "gt_mask", "gt_masks"),
        "image": ("image", "file_name", "image_path", "image_name", "img"),
        "height": ("height", "h"),
        "width": ("width", "w"),
        "annotations": (),  # a file, not a key
    }
)

_INSTANCE = KeyMap({"id": ("id", "instance_id", "ann_id", "annotation_id")})

_RAW_ANSWER = re.compile(r"instance id is (\d{1,18})", re.IGNORECASE)
"""How the language model of the paper answered."""

_WORDS = {
    MaskType.AMODAL: ("amodal", "full", "complete", "whole"),
    MaskType.MODAL: ("modal", "visible", "inmodal"),
}

_NAME = re.compile("r2sm", re.IGNORECASE)

_IMAGES = b'"images"'

_QUERY_MARK = re.compile(rb'"(?:text|query|question|sentence|expression|prompt|Q)"\s*:\s*"')


def _files(path: Path) -> dict[str, Path]:
    """Split -> file of sentences: those called after the data set or in a folder called so."""
    if not path.is_dir():
        return {_split_of(path): path} if _looks_right(path) else {}
    found = sorted(file for file in path.iterdir() if file.suffix in (".json", ".jsonl"))
    return {_split_of(file): file for file in found if _looks_right(file)}


def _split_of(path: Path) -> str:
    """File name without what says the format: "cocoa-cls_val" for "r2sm_cocoa-cls_val.json"."""
    return _NAME.sub("", path.stem).strip("-_. ") or "all"


def _looks_right(path: Path) -> bool:
    if path.suffix not in (".json", ".jsonl"):
        return False
    named = _NAME.search(f"{path.parent.name}/{path.name}")
    return named is not None and _QUERY_MARK.search(peek(path)) is not None


def _recognises(path: Path) -> bool:
    try:
        return bool(_files(path))
    except OSError:
        return False


def _records(path: Path, keys: KeyMap, bad: BadRecords) -> Iterator[tuple[str, Json]]:
    """Place and content of each record; of an object at the top, the lists of sentences count."""
    if path.suffix == ".jsonl":
        for number, record in iter_jsonl(path, bad.bad):
            yield f"{path}:{number}", record
        return
    for item in JsonItems(path):
        where = f"{path}, {item.key}[{item.number}]"
        if item.number is None:
            continue
        if isinstance(item.value, dict) and (not item.key or keys.key(item.value, "text")):
            yield where, item.value
        elif not item.key:
            bad.bad(where, DataError(f"{where}: expected an object"))


@dataclass
class _Instances:
    """Annotated objects, by picture and id; ids are unique in a picture only."""

    sources: tuple[Path, ...] = ()
    of_name: dict[str, EntityRecord] = field(default_factory=dict)
    of_id: dict[int | str, tuple[EntityRecord, Entity]] = field(default_factory=dict)

    @classmethod
    def read(cls, files: tuple[Path, ...], bad: BadRecords) -> _Instances:
        """Read all objects of some COCO-style files."""
        found = cls(files)
        for file in files:
            for record in read_coco_amodal(file, bad):
                found.of_name[record.image] = record
                for entity in record.entities:
                    found.of_id[entity.id] = (record, entity)
        return found

    def find(self, number: int, image: str | None, where: str) -> tuple[EntityRecord, Entity]:
        """The object with that id, in that picture where it is named.

        Raises:
            DataError: when there is none.
        """
        record = self.of_name.get(image) if image else None
        if record is not None:
            entity = next((one for one in record.entities if one.id == number), None)
            if entity is not None:
                return record, entity
        if number not in self.of_id or record is not None:
            searched = ", ".join(str(path) for path in self.sources) or "no file of annotations"
            raise DataError(
                f"{where}: instance {number} is not there; searched {searched}; "
                "say --map annotations=FILE"
            )
        return self.of_id[number]


def _annotation_files(path: Path, keys: KeyMap) -> tuple[Path, ...]:
    """COCO-style files: the one that the user names, the file itself, or all beside it."""
    named = keys.candidates["annotations"]
    if named:
        return tuple(path.parent / name for name in named)
    beside = sorted(path.parent.glob("*.json"))
    return tuple(
        file
        for file in beside
        if any(mark in peek(file) for mark in MARKS) and (file != path or _IMAGES in peek(file))
    )


def _mask_type(record: Json, keys: KeyMap, where: str) -> MaskType | None:
    """The mask type, or None where the record does not say."""
    value = keys.get(record, "mask_type")
    if value is None:
        return None
    if isinstance(value, bool) or value in (0, 1):
        return MaskType.AMODAL if value else MaskType.MODAL
    words = re.findall("[a-z]+", value.lower()) if isinstance(value, str) else []
    found = [kind for kind, names in _WORDS.items() if any(name in words for name in names)]
    if len(found) != 1:
        raise DataError(
            f"{where}: expected modal or amodal as mask type, got {reprlib.repr(value)}"
        )
    return found[0]


def _ids(value: Any, where: str) -> list[int]:
    """Ids of instances, in any of the forms that the table names."""
    if isinstance(value, str) and _RAW_ANSWER.search(value):
        return [int(number) for number in _RAW_ANSWER.findall(value)]
    ids = []
    for one in value if isinstance(value, list) else [value]:
        number = whole(_INSTANCE.get(one, "id") if isinstance(one, dict) else one)
        if number is None:
            raise DataError(f"{where}: expected ids of instances, got {reprlib.repr(one)}")
        ids.append(number)
    return list(dict.fromkeys(ids))


def _targets_in(record: Json, keys: KeyMap, where: str) -> tuple[tuple[int, int], list[Target]]:
    """Size of the picture and targets whose masks stand in the record."""
    value = keys.need(record, "masks", where)
    flat = isinstance(value, list) and bool(value) and isinstance(value[0], int | float)
    masks = value if isinstance(value, list) and not flat else [value]
    size: Any = [keys.get(record, "height"), keys.get(record, "width")]
    if size == [None, None]:
        coded = (mask.get("size") for mask in masks if isinstance(mask, dict))
        size = next(coded, size)
    sides = [whole(side) or 0 for side in size] if isinstance(size, list) else []
    if len(sides) != 2 or min(sides) < 1:
        raise DataError(f"{where}: expected height and width in pixels, got {reprlib.repr(size)}")
    size_hw = sides[0], sides[1]
    return size_hw, [Target(read_segmentation(mask, size_hw, where)) for mask in masks]


def _targets_of(
    record: Json, keys: KeyMap, instances: _Instances, kind: MaskType | None, where: str
) -> tuple[EntityRecord, list[Target]]:
    """The picture and the instances that the record names, with masks of the asked type."""
    value, image = keys.need(record, "instances", where), keys.get(record, "image")
    found = [
        instances.find(number, image if isinstance(image, str) else None, where)
        for number in _ids(value, where)
    ]
    if not found:
        raise DataError(f"{where}: expected one or more instances, got none")
    if any(one is not found[0][0] for one, _ in found):
        raise DataError(f"{where}: its instances are in different pictures")
    whole_shape = kind is MaskType.AMODAL
    return found[0][0], [
        Target(
            (one.amodal or one.modal) if whole_shape else one.modal,
            one.id,
            one.category,
            one.modal,
        )
        for _, one in found
    ]


def _query(record: Json, keys: KeyMap, instances: _Instances, tag: str, where: str) -> QueryRecord:
    text, kind = keys.need(record, "text", where), _mask_type(record, keys, where)
    if not isinstance(text, str):
        raise DataError(f"{where}: expected a sentence, got {reprlib.repr(text)}")
    try:
        text = check_sentence(text.strip(), where)
    except QueryError as error:
        raise DataError(str(error)) from error
    name, given = keys.get(record, "image"), id_of(keys.get(record, "id"))
    if keys.key(record, "masks") and not keys.key(record, "instances"):
        (height, width), targets = _targets_in(record, keys, where)
        name = keys.need(record, "image", where)
    else:
        picture, targets = _targets_of(record, keys, instances, kind, where)
        name, height, width = picture.image, picture.height, picture.width
    if not is_name(name):
        raise DataError(f"{where}: expected the name of a picture, got {reprlib.repr(name)}")
    return QueryRecord(
        id=tidy(given) if given not in (None, "") else tidy(where.rpartition("/")[2]),
        image=name,
        height=height,
        width=width,
        text=text,
        targets=tuple(targets),
        mask_type=kind,
        tags=(tag,),
    )


def _format(keys: KeyMap) -> DatasetFormat:
    """The format with these keys."""

    def file_of(path: Path, split: str) -> Path:
        # A file that the user names is read even where nothing else tells that it is R2SM's.
        found = _files(path) or ({_split_of(path): path} if path.is_file() else {})
        if split not in found:
            there = ", ".join(found) or "no file of sentences"
            raise ConfigError(f"{path}: split {split!r} is not there; found {there}")
        return found[split]

    def queries(
        path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[QueryRecord]:
        file, seen = file_of(path, split), set()
        instances = _Instances.read(_annotation_files(file, keys), bad)
        tag = "dataset:r2sm" + (f"/{split}" if split != "all" else "")
        for where, record in _records(file, keys, bad):
            try:
                query = _query(record, keys, instances, tag, where)
                if query.id in seen:
                    raise DataError(f"{where}: id {query.id!r} is there twice")
            except DataError as error:
                bad.bad(where, error)
                continue
            seen.add(query.id)
            yield query

    def counts(path: Path, bad: BadRecords) -> Counts:
        found = {}
        for split, file in _files(path).items():
            kinds = [_kind_or_none(record, keys) for _, record in _records(file, keys, bad)]
            found[split] = {"queries": len(kinds), "amodal": kinds.count(MaskType.AMODAL)}
        return found

    def mapped(given: Mapping[str, str]) -> DatasetFormat:
        return _format(keys.mapped(given))

    return DatasetFormat(
        name="r2sm",
        card=Card(
            name="r2sm",
            title="R2SM: sentences that ask for modal or amodal masks",
            source="Shih et al., Referring and Reasoning for Selective Masks (arXiv 2506.01795)",
            licence="not stated",
            obtain="Hugging Face, vllabnthu/R2SM; annotations of COCOA-cls, D2SA and MUVA",
            notes=(
                "The files are described nowhere; names for --map: " + ", ".join(keys.candidates),
                "Published counts of sentences (amodal + modal), train and val: COCOA-cls 22,697 "
                "and 12,207; D2SA 17,784 and 35,999; MUVA 29,998 and 29,998.",
                "The answer of an amodal sentence are amodal masks, else visible ones.",
            ),
        ),
        recognises=_recognises,
        splits=lambda path: [*_files(path)] or [_split_of(path)],
        queries=queries,
        counts=counts,
        mapped=mapped,
    )


def _kind_or_none(record: Json, keys: KeyMap) -> MaskType | None:
    try:
        return _mask_type(record, keys, "")
    except DataError:
        return None


FORMATS = (_format(_KEYS),)
