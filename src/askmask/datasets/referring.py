"""Sentences about annotations of COCO: what RefCOCO and gRefCOCO have in common.

A *ref* is a target with its sentences. Each sentence becomes a query; the pictures and masks are in
an `instances.json` beside the refs, which is read item by item and kept only where refs ask for it.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from askmask.datasets.frame import BadRecords, Counts
from askmask.datasets.instances import Instances, read_instances
from askmask.errors import DataError, QueryError
from askmask.formats.askmask import QueryRecord
from askmask.types import check_sentence

__all__ = ["Refs", "annotations_of", "checked_text", "count_refs", "read_refs", "splits_of"]

Refs: TypeAlias = Callable[[], Iterable[Any]]
"""Gives the refs of a file anew, so that they can be gone through twice without keeping them."""

_NOTHING = -1
"""Annotation id of refs without a target."""


_TOGETHER = 100
"""Refs whose masks are made at once."""


@dataclass(frozen=True)
class _Ref:
    """One ref, checked: ids of the ref, its picture and its annotations, and its sentences."""

    id: int
    image: int | str
    annotations: tuple[int | str, ...]
    split: str
    sentences: tuple[dict[str, Any], ...]


def checked_text(text: object, where: str) -> str:
    """Return `text` if it can be asked, without blanks around it; raises DataError."""
    if not isinstance(text, str):
        raise DataError(f"{where}: expected a sentence, got {reprlib.repr(text)}")
    try:
        return check_sentence(text.strip(), where)
    except QueryError as error:
        raise DataError(str(error)) from error


def _annotations(ref: dict[str, Any], where: str) -> tuple[int | str, ...]:
    """Ids of the annotations that are the target; () for no target."""
    given: Any = ref.get("ann_id")
    ids: list[Any] = given if isinstance(given, list) else [given]
    if any(type(one) not in (int, str) for one in ids):
        raise DataError(f"{where}, key 'ann_id': expected ids, got {reprlib.repr(given)}")
    nothing = ids in ([], [_NOTHING])
    if nothing and not (isinstance(given, list) or ref.get("no_target")):
        raise DataError(f"{where}, key 'ann_id': expected an id, got {given!r}")
    if _NOTHING in ids and not nothing:
        raise DataError(f"{where}, key 'ann_id': expected -1 alone, got {reprlib.repr(ids)}")
    if ref.get("no_target", nothing) != nothing:
        raise DataError(
            f"{where}, key 'no_target': {ref['no_target']!r} contradicts ann_id {reprlib.repr(ids)}"
        )
    return () if nothing else tuple(ids)


def _checked(ref: object, where: str) -> _Ref:
    """Read one ref; raises DataError naming `where`."""
    if not isinstance(ref, dict):
        raise DataError(f"{where}: expected an object, got {reprlib.repr(ref)}")
    if type(ref.get("ref_id")) is not int:
        raise DataError(f"{where}, key 'ref_id': expected a number, got {ref.get('ref_id')!r}")
    where = f"{where} (ref_id {ref['ref_id']})"
    image: Any = ref.get("image_id")
    split, sentences = ref.get("split"), ref.get("sentences")
    if type(image) not in (int, str):
        raise DataError(f"{where}, key 'image_id': expected an id, got {reprlib.repr(image)}")
    if not isinstance(split, str) or not split:
        raise DataError(f"{where}, key 'split': expected a name, got {reprlib.repr(split)}")
    if not isinstance(sentences, list) or not all(isinstance(one, dict) for one in sentences):
        raise DataError(f"{where}, key 'sentences': expected a list of objects")
    return _Ref(ref["ref_id"], image, _annotations(ref, where), split, tuple(sentences))


def _splits_named(split: str) -> list[str]:
    """Splits that a ref is in: "testAB" of RefClef are two."""
    letters = re.fullmatch("test([A-C]{2,3})", split)
    return [f"test{letter}" for letter in letters[1]] if letters else [split]


def _each(refs: Refs, file: Path, bad: BadRecords | None) -> Iterator[tuple[str, _Ref]]:
    """Checked refs, each with its place; what is wrong goes to `bad`, or for None is left out."""
    for number, ref in enumerate(refs(), 1):
        where = f"{file}, item {number}"
        try:
            checked = _checked(ref, where)
        except DataError as error:
            if bad is not None:
                bad.bad(where, error)
            continue
        yield where, checked


def splits_of(refs: Refs, file: Path) -> list[str]:
    """Return the splits that the refs name, in the order in which they come."""
    found: dict[str, None] = {}
    for _, ref in _each(refs, file, None):
        found.update(dict.fromkeys(_splits_named(ref.split)))
    return list(found)


def annotations_of(refs: Refs, file: Path, split: str) -> set[int | str]:
    """Return the ids of the annotations that are targets in a split."""
    return {
        one
        for _, ref in _each(refs, file, None)
        if split in _splits_named(ref.split)
        for one in ref.annotations
    }


def count_refs(refs: Refs, file: Path, bad: BadRecords) -> Counts:
    """Count pictures, refs, sentences and sentences without a target of each split."""
    counts: dict[str, dict[str, int]] = {}
    images: dict[str, set[Any]] = {}
    for _, ref in _each(refs, file, bad):
        for split in _splits_named(ref.split):
            kinds = ("images", "refs", "queries", "no_target")
            one = counts.setdefault(split, dict.fromkeys(kinds, 0))
            images.setdefault(split, set()).add(ref.image)
            one["images"] = len(images[split])
            one["refs"] += 1
            one["queries"] += len(ref.sentences)
            one["no_target"] += 0 if ref.annotations else len(ref.sentences)
    return counts


def _queries(ref: _Ref, instances: Instances, tag: str, where: str) -> Iterator[QueryRecord]:
    """One query a sentence of a ref."""
    picture = instances.picture(ref.image)
    targets = tuple(instances.target(one, ref.image) for one in ref.annotations)
    for place, sentence in enumerate(ref.sentences):
        said = f"{where} (ref_id {ref.id}), sentence {place + 1}"
        raw = sentence.get("raw")
        text = checked_text(sentence.get("sent", raw), said)
        number = sentence.get("sent_id", place)
        extra: dict[str, Any] = {"ref_id": ref.id, "image_id": ref.image}
        if isinstance(raw, str) and raw.strip() not in ("", text):
            extra["raw"] = checked_text(raw, said)
        yield QueryRecord(
            id=f"{ref.id}-{number}",
            image=picture.file_name,
            height=picture.height,
            width=picture.width,
            text=text,
            targets=targets,
            tags=(tag,) if targets else (tag, "no-target"),
            extra=extra,
        )


def _chunks(each: Iterator[tuple[str, _Ref]], split: str) -> Iterator[list[tuple[str, _Ref]]]:
    """Refs of a split, some hundred at a time, so that their masks can be made together."""
    of_split = (one for one in each if split in _splits_named(one[1].split))
    while some := list(islice(of_split, _TOGETHER)):
        yield some


def read_refs(
    refs: Refs, file: Path, instances: Path, split: str, tag: str, bad: BadRecords
) -> Iterator[QueryRecord]:
    """Read the sentences of a split; refs without sentences, which gRefCOCO has, give none.

    Args:
        refs: the refs.
        file: where they come from, for messages.
        instances: COCO's file of their pictures and annotations.
        split: name of the split.
        tag: tag that every query gets.
        bad: told of refs that cannot be read.

    Raises:
        DataError: when a file cannot be read, or the split has no refs.
    """
    if split not in (known := splits_of(refs, file)):
        raise DataError(
            f"{file}: expected refs of split {split!r}, there are {', '.join(known) or 'none'}"
        )
    found = read_instances(instances, annotations_of(refs, file, split), bad)
    for some in _chunks(_each(refs, file, bad), split):
        found.prepare(one for _, ref in some for one in ref.annotations)
        for where, ref in some:
            try:
                yield from list(_queries(ref, found, tag, where))
            except DataError as error:
                bad.bad(where, error)
