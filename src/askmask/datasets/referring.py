"""Sentences about annotations of COCO: what RefCOCO and gRefCOCO have in common.

A *ref* is a target with its sentences. Each sentence becomes a query; the pictures and masks are in
an `instances.json` beside the refs, which is read item by item and kept only where refs ask for it.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat
from askmask.datasets.instance_claims import instance_claims
from askmask.datasets.instances import Instances, read_instances
from askmask.datasets.plain_pickle import read_plain_pickle
from askmask.datasets.values import checked_text, tidy
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord
from askmask.formats.json_stream import iter_array

__all__ = ["referring_format"]

_NOTHING = -1
"""Annotation id of refs without a target."""

_SEVERAL_SPLITS = re.compile("test([A-C]{2,3})")

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


@lru_cache
def _splits_named(split: str) -> tuple[str, ...]:
    """Splits that a ref is in: "testAB" of RefClef are two."""
    letters = _SEVERAL_SPLITS.fullmatch(split)
    return tuple(f"test{letter}" for letter in letters[1]) if letters else (split,)


def _queries(ref: _Ref, instances: Instances, tag: str, where: str) -> Iterator[QueryRecord]:
    """One query a sentence of a ref."""
    picture = instances.picture(ref.image)
    targets = tuple(instances.target(one, ref.image) for one in ref.annotations)
    for place, sentence in enumerate(ref.sentences):
        said = f"{where} (ref_id {ref.id}), sentence {place + 1}"
        raw = sentence.get("raw")
        text = checked_text(sentence.get("sent", raw), said)
        number = tidy(sentence.get("sent_id", place))
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


@dataclass(frozen=True)
class _RefsFile:
    """A file of refs, with `instances.json` beside it.

    Attributes:
        path: the file.
        refs: gives what it lists anew, so that nothing that streams is kept.
    """

    path: Path
    refs: Callable[[], Iterable[Any]]

    @property
    def instances(self) -> Path:
        """COCO's file of the pictures and annotations."""
        return self.path.with_name("instances.json")

    def each(self, bad: BadRecords | None = None) -> Iterator[tuple[str, _Ref]]:
        """Checked refs with their places; what is wrong goes to `bad`, or for None is left out."""
        for number, ref in enumerate(self.refs(), 1):
            where = f"{self.path}, item {number}"
            try:
                checked = _checked(ref, where)
            except DataError as error:
                if bad is not None:
                    bad.bad(where, error)
                continue
            yield where, checked

    def splits(self) -> list[str]:
        """The splits that the refs name, in the order in which they come."""
        return list(
            dict.fromkeys(one for _, ref in self.each() for one in _splits_named(ref.split))
        )

    def annotations(self, split: str) -> set[int | str]:
        """Ids of the annotations that are targets in a split.

        Raises:
            DataError: when the split has no refs.
        """
        found = [ref.annotations for _, ref in self.each() if split in _splits_named(ref.split)]
        if not found:
            known = ", ".join(self.splits()) or "none"
            raise DataError(f"{self.path}: expected refs of split {split!r}, there are {known}")
        return set().union(*found)

    def counts(self, bad: BadRecords) -> Counts:
        """Numbers of pictures, refs, sentences and sentences without a target of each split."""
        counts: dict[str, dict[str, int]] = {}
        images: dict[str, set[Any]] = {}
        for _, ref in self.each(bad):
            for split in _splits_named(ref.split):
                kinds = ("images", "refs", "queries", "no_target")
                one = counts.setdefault(split, dict.fromkeys(kinds, 0))
                images.setdefault(split, set()).add(ref.image)
                one["images"] = len(images[split])
                one["refs"] += 1
                one["queries"] += len(ref.sentences)
                one["no_target"] += 0 if ref.annotations else len(ref.sentences)
        return counts

    def queries(self, split: str, tag: str, bad: BadRecords) -> Iterator[QueryRecord]:
        """The sentences of a split; refs without sentences, which gRefCOCO has, give none."""
        found = read_instances(self.instances, self.annotations(split), bad)
        of_split = (one for one in self.each(bad) if split in _splits_named(one[1].split))
        while some := list(islice(of_split, _TOGETHER)):
            found.prepare(one for _, ref in some for one in ref.annotations)
            for where, ref in some:
                try:
                    yield from list(_queries(ref, found, tag, where))
                except DataError as error:
                    bad.bad(where, error)


def _open(file: Path) -> _RefsFile:
    """Open a JSON array, or a pickle; raises DataError when the latter is no list."""
    if file.suffix == ".json":
        return _RefsFile(file, lambda: iter_array(file))
    content: Any = read_plain_pickle(file)
    if not isinstance(content, list):
        raise DataError(f"{file}: expected a list of refs, got {type(content).__name__}")
    return _RefsFile(file, lambda: content)


def referring_format(
    card: Card,
    find: Callable[[Path], Path | None],
    example: str,
    looks_right: Callable[[Path], bool] | None = None,
) -> DatasetFormat:
    """A data set of refs about an `instances.json` beside them.

    Args:
        card: what to expect; its name is that of the format.
        find: file of refs that a path means, or None when there is none.
        example: name of such a file, for messages.
        looks_right: see `DatasetFormat`; None takes every path that has such a file.
    """

    def opened(path: Path) -> _RefsFile:
        file = find(path)
        if file is None:
            raise DataError(f"{path}: expected {example} or its like, there is none")
        return _open(file)

    def queries(
        path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[QueryRecord]:
        return opened(path).queries(split, f"dataset:{card.name}", bad)

    def claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
        file = opened(path)
        return instance_claims(file.instances, file.annotations(split))

    return DatasetFormat(
        name=card.name,
        card=card,
        looks_right=looks_right or (lambda path: find(path) is not None),
        splits=lambda path: opened(path).splits(),
        queries=queries,
        counts=lambda path, bad: opened(path).counts(bad),
        claims=claims,
    )
