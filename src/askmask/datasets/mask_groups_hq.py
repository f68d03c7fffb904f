"""MaskGroups-HQ of RAS: prompts, some with reference masks, and the groups that they mean.

A record has two pools: `mask_pool`, proposals of a segmenter that a model may choose from, and
`gt_mask_pool`, the masks that annotators made. `gt_mask_group` counts in the second; mixing them up
gives other objects without any error. Targets come from the second only; the first goes into
`candidates`. Where reference masks are kept is not described: `--map references=KEY` names it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.keys import KeyMap
from askmask.datasets.split_files import of_split, split_files
from askmask.datasets.values import Json, checked_name, checked_text
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, Target
from askmask.formats.files import iter_jsonl
from askmask.formats.json_stream import iter_array
from askmask.formats.segmentation import read_segmentation
from askmask.rle import RLE

__all__ = ["FORMATS"]

_KEYS = KeyMap(
    {
        "image": ("image", "file_name"),
        "conversations": ("conversations",),
        "candidates": ("mask_pool",),
        "pool": ("gt_mask_pool",),
        "groups": ("gt_mask_group", "gt_mask_groups"),
        "references": ("ref_mask_pool", "ref_masks", "mask_refs", "mask_ref", "reference_masks"),
    }
)

_MARKS = (b'"gt_mask_pool"', b'"gt_mask_group"', b'"mask_pool"')

_REFERENCE = "<mask-ref>"

_SPLITS = {"train": "train", "eval": "val", "val": "val", "test": "test"}
"""What the name of a file may contain -> its split."""

_TAG = "dataset:mask-groups-hq"


def _split_of(path: Path) -> str:
    name = path.name.lower()
    return next((split for part, split in _SPLITS.items() if part in name), "all")


def _looks_right(path: Path) -> bool:
    return path.suffix in (".json", ".jsonl") and any(mark in peek(path) for mark in _MARKS)


def _files(path: Path) -> dict[str, Path]:
    return split_files(path, _looks_right, _split_of)


def _records(path: Path, bad: BadRecords) -> Iterator[tuple[int, str, Json]]:
    """Number, place and content of each record."""
    if path.suffix == ".jsonl":
        for number, record in iter_jsonl(path, bad.bad):
            yield number, f"{path}:{number}", record
        return
    for number, record in enumerate(iter_array(path), 1):
        where = f"{path}, item {number}"
        if isinstance(record, dict):
            yield number, where, record
        else:
            bad.bad(where, DataError(f"{where}: expected an object, got {reprlib.repr(record)}"))


def _prompts(conversations: Any, where: str) -> list[str]:
    """What people say in a conversation, without the marks for picture and proposals."""
    turns = conversations if isinstance(conversations, list) else []
    said = [
        turn.get("value")
        for turn in turns
        if isinstance(turn, dict) and turn.get("from") in ("human", "user")
    ]
    texts = [text for text in said if isinstance(text, str)]
    if not texts or len(texts) < len(said):
        raise DataError(f"{where}: expected conversations with the prompts of a human")
    return [text.split("<mask_pool>")[-1].replace("<image>", "").strip() for text in texts]


def _numbered(prompt: str, where: str) -> tuple[str, int]:
    """A prompt with [1], [2] for its marks of references, and how many there are."""
    count = prompt.count(_REFERENCE)
    for number in range(1, count + 1):
        prompt = prompt.replace(_REFERENCE, f"[{number}]", 1)
    return checked_text(" ".join(prompt.split()), where), count


def _pool(value: Any, size_hw: tuple[int, int], name: str, where: str) -> list[RLE]:
    if not isinstance(value, list):
        raise DataError(f"{where}, {name}: expected a list of masks, got {reprlib.repr(value)}")
    return [
        read_segmentation(one, size_hw, f"{where}, {name}[{place}]")
        for place, one in enumerate(value)
    ]


def _size_hw(pools: Sequence[Any], where: str) -> tuple[int, int]:
    """Size of the picture, which only its masks tell."""
    masks = [mask for pool in pools if isinstance(pool, list) for mask in pool]
    size = next((one.get("size") for one in masks if isinstance(one, dict)), None)
    if not isinstance(size, list) or len(size) != 2 or any(type(side) is not int for side in size):
        raise DataError(f"{where}: expected a mask that says the picture's size, found none")
    return size[0], size[1]


def _group(value: Any, pool: Sequence[RLE], where: str) -> tuple[Target, ...]:
    """Targets of one prompt."""
    indices = value if isinstance(value, list) else [value]
    wrong = [one for one in indices if type(one) is not int or not 0 <= one < len(pool)]
    if wrong:
        raise DataError(
            f"{where}: expected places in the pool of {len(pool)} target masks, "
            f"got {reprlib.repr(wrong[0])}"
        )
    return tuple(Target(pool[one], modal=pool[one]) for one in dict.fromkeys(indices))


def _groups(value: Any, prompts: int, where: str) -> list[Any]:
    """One list of places a prompt; where there is one prompt, it may stand alone."""
    if prompts == 1 and isinstance(value, list) and all(type(one) is int for one in value):
        return [value]
    if not isinstance(value, list) or len(value) != prompts:
        raise DataError(
            f"{where}: expected {prompts} groups, one a prompt, got {reprlib.repr(value)}"
        )
    return value


def _references(
    record: Json, keys: KeyMap, counts: Sequence[int], size_hw: tuple[int, int], where: str
) -> list[list[RLE]]:
    """Reference masks of each prompt, in the order in which the prompts mention them."""
    if not sum(counts):
        return [[] for _ in counts]
    value = keys.need(record, "references", f"{where}, whose prompt says {_REFERENCE}")
    nested = isinstance(value, list) and all(isinstance(one, list) for one in value)
    flat = [one for part in value for one in part] if nested else value
    masks = _pool(flat, size_hw, "references", where)
    if len(masks) != sum(counts):
        raise DataError(
            f"{where}: expected {sum(counts)} reference masks, one a {_REFERENCE}, got {len(masks)}"
        )
    starts = [sum(counts[:place]) for place in range(len(counts))]
    return [masks[start : start + count] for start, count in zip(starts, counts, strict=True)]


def _queries_of(record: Json, keys: KeyMap, number: int, where: str) -> Iterator[QueryRecord]:
    """One query a prompt."""
    image = checked_name(keys.need(record, "image", where), where)
    prompts = _prompts(keys.need(record, "conversations", where), where)
    raw = [keys.get(record, "candidates") or [], keys.need(record, "pool", where)]
    size_hw = _size_hw(raw[::-1], where)
    candidates = _pool(raw[0], size_hw, "candidates", where)
    pool = _pool(raw[1], size_hw, "pool", where)
    groups = _groups(keys.need(record, "groups", where), len(prompts), where)
    texts = [_numbered(prompt, where) for prompt in prompts]
    references = _references(record, keys, [count for _, count in texts], size_hw, where)
    for turn, (text, count) in enumerate(texts):
        targets = _group(groups[turn], pool, where)
        tags = ["group"] * (len(targets) > 1) + ["no-target"] * (not targets)
        yield QueryRecord(
            id=f"{PurePosixPath(image).stem}#{number}" + (f".{turn}" if len(texts) > 1 else ""),
            image=image,
            height=size_hw[0],
            width=size_hw[1],
            text=text,
            targets=targets,
            references=tuple(references[turn]),
            tags=(*tags, *["reference"] * bool(count), _TAG),
            extra={"candidates": candidates},
        )


def _format(keys: KeyMap) -> DatasetFormat:
    """The format with these keys."""

    def queries(
        path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[QueryRecord]:
        for number, where, record in _records(of_split(_files(path), split, path), bad):
            try:
                yield from list(_queries_of(record, keys, number, where))
            except DataError as error:
                bad.bad(where, error)

    def counts(path: Path, bad: BadRecords) -> Counts:
        found = {}
        for split, file in _files(path).items():
            number, images = 0, set()
            for _, where, record in _records(file, bad):
                try:
                    number += len(_prompts(keys.need(record, "conversations", where), where))
                    images.add(str(keys.need(record, "image", where)))
                except DataError as error:
                    bad.bad(where, error)
            found[split] = {"images": len(images), "queries": number}
        return found

    def mapped(given: Mapping[str, str]) -> DatasetFormat:
        return _format(keys.mapped(given))

    return DatasetFormat(
        name="mask-groups-hq",
        card=Card(
            name="mask-groups-hq",
            title="MaskGroups-HQ: prompts with and without reference masks, and their mask groups",
            source="Cao et al., Refer to Anything with Vision-Language Prompts, ICCV 2025 "
            "(arXiv 2506.05342)",
            licence="not stated",
            obtain="Hugging Face, Shengcao1006/MaskGroups-HQ: records and images_resized.zip",
            splits={"train": {"queries": 96_697}, "val": {"queries": 3_599}},
            notes=(
                "Targets count in gt_mask_pool; mask_pool are proposals, kept as candidates.",
                "The key of reference masks is a guess; --map references=KEY names it.",
                "Parquet files: save them as JSON Lines first.",
            ),
        ),
        looks_right=lambda path: bool(_files(path)),
        splits=lambda path: [*_files(path)],
        queries=queries,
        counts=counts,
        mapped=mapped,
    )


FORMATS = (_format(_KEYS),)
