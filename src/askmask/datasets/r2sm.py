"""R2SM's release: sentences that ask for visible or complete shapes. Its files are not described.

Known is what the paper says: a sentence, its mask type, and the ids of instances in COCOA-cls, D2SA
or MUVA whose masks are the answer. Here every likely key is tried, `--map NAME=KEY` names another,
and what cannot be found is reported with the keys that are there. The masks stand in the record, or
in a COCO-style file beside the sentences (`--map annotations=FILE` for another).

| name | what | read as |
|---|---|---|
| text | the sentence | |
| mask_type | modal or amodal | words such as "amodal" or "visible", or whether it is amodal |
| instances | the answer | ids, "instance id is 7, class name is cup", objects with ids, masks |
| masks | the answer, where it stands in the record | a mask or a list of masks |
| image | the picture | file name |
| id, height, width | | |
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from askmask.datasets.coco_amodal import MARKS
from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.keys import KeyMap
from askmask.datasets.r2sm_answers import Instances, read_answer
from askmask.datasets.split_files import of_split, split_files
from askmask.datasets.values import Json, checked_text, id_of, tidy
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord
from askmask.formats.files import iter_jsonl
from askmask.formats.json_stream import iter_items
from askmask.types import MaskType

__all__ = ["FORMATS"]

_KEYS = KeyMap(
    {
        "id": ("query_id", "question_id", "qid", "sample_id", "id"),
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

_WORDS = {
    MaskType.AMODAL: ("amodal", "full", "complete", "whole"),
    MaskType.MODAL: ("modal", "visible", "inmodal"),
}

_NAME = re.compile("r2sm", re.IGNORECASE)

_IMAGES = b'"images"'

_QUERY_MARK = re.compile(rb'"(?:text|query|question|sentence|expression|prompt|Q)"\s*:\s*"')


def _split_of(path: Path) -> str:
    """File name without what says the format: "cocoa-cls_val" for "r2sm_cocoa-cls_val.json"."""
    return _NAME.sub("", path.stem).strip("-_. ") or "all"


def _looks_right(path: Path) -> bool:
    if path.suffix not in (".json", ".jsonl"):
        return False
    named = _NAME.search(f"{path.parent.name}/{path.name}")
    return named is not None and _QUERY_MARK.search(peek(path)) is not None


def _files(path: Path) -> dict[str, Path]:
    """Files of sentences: those called after the data set or in a folder called so."""
    return split_files(path, _looks_right, _split_of)


def _records(path: Path, keys: KeyMap, bad: BadRecords) -> Iterator[tuple[str, Json]]:
    """Place and content of each record; of an object at the top, the lists of sentences count."""
    if path.suffix == ".jsonl":
        for number, record in iter_jsonl(path, bad.bad):
            yield f"{path}:{number}", record
        return
    for item in iter_items(path):
        where = f"{path}, {item.key}[{item.number}]"
        if item.number is None:
            continue
        if isinstance(item.value, dict) and (not item.key or keys.key(item.value, "text")):
            yield where, item.value
        elif not item.key:
            bad.bad(where, DataError(f"{where}: expected an object"))


def _annotation_files(path: Path, keys: KeyMap) -> tuple[Path, ...]:
    """COCO-style files: the one that the user names, the file itself, or all beside it."""
    named = keys.candidates["annotations"]
    if named:
        return tuple(path.parent / name for name in named)
    beside = sorted(path.parent.glob("*.json"))
    return tuple(file for file in beside if _has_annotations(peek(file)))


def _has_annotations(ends: bytes) -> bool:
    """Whether both ends of a file look like COCO's with amodal masks, and not like sentences."""
    marked = any(mark in ends for mark in MARKS)
    return marked and (_IMAGES in ends or _QUERY_MARK.search(ends) is None)


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


def _query(record: Json, keys: KeyMap, instances: Instances, tag: str, where: str) -> QueryRecord:
    text = checked_text(keys.need(record, "text", where), where)
    kind, given = _mask_type(record, keys, where), id_of(keys.get(record, "id"))
    answer = read_answer(record, keys, instances, kind, where)
    height, width = answer.size_hw
    return QueryRecord(
        id=tidy(where.rpartition("/")[2] if given in (None, "") else given),
        image=answer.image,
        height=height,
        width=width,
        text=text,
        targets=answer.targets,
        mask_type=kind,
        tags=(tag,),
    )


def _format(keys: KeyMap) -> DatasetFormat:
    """The format with these keys."""

    def queries(
        path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[QueryRecord]:
        # A file that the user names is read even where nothing else tells that it is R2SM's.
        named = path.is_file() and split == _split_of(path)
        file, seen = path if named else of_split(_files(path), split, path), set()
        instances = Instances(_annotation_files(file, keys), bad)
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
        looks_right=lambda path: bool(_files(path)),
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
