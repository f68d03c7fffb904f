"""RefCOCO, RefCOCO+, RefCOCOg and RefClef as the `refer` tools have them.

A folder holds `refs(SPLITBY).p`, a pickle of Python 2, and `instances.json`. One folder may hold
several ways to split; the one that papers use is read unless a file is named.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat
from askmask.datasets.instance_claims import instance_claims
from askmask.datasets.plain_pickle import read_plain_pickle
from askmask.datasets.referring import Refs, annotations_of, count_refs, read_refs, splits_of
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord

__all__ = ["FORMATS"]

_USUAL = ("unc", "umd", "berkeley", "google")
"""Ways to split, the usual one first."""

_FOLDERS = ("refcoco", "refcoco+", "refcocog", "refclef")


def _refs_file(path: Path) -> Path | None:
    """File of refs that a path means: itself, or the usual one in the folder."""
    if path.is_file():
        return path if re.fullmatch(r"refs\(\w+\)\.p", path.name) else None
    for way in _USUAL:
        if (path / f"refs({way}).p").is_file():
            return path / f"refs({way}).p"
    return None


def _kind(path: Path) -> tuple[str, str] | None:
    """Data set and way to split, e.g. ("refcocog", "umd"); ("refer", …) in a folder of any name."""
    file = _refs_file(path)
    if file is None:
        return None
    folder = file.resolve().parent.name.lower()
    return folder if folder in _FOLDERS else "refer", file.name[5:-3]


def _open(path: Path) -> tuple[Path, Refs]:
    """Return the file and its refs; raises DataError when they are no list."""
    file = _refs_file(path)
    if file is None:
        raise DataError(f"{path}: expected refs(unc).p or its like, there is none")
    content: Any = read_plain_pickle(file)
    if not isinstance(content, list):
        raise DataError(f"{file}: expected a list of refs, got {type(content).__name__}")
    return file, lambda: content


def _splits(path: Path) -> list[str]:
    file, refs = _open(path)
    return splits_of(refs, file)


def _counts(path: Path, bad: BadRecords) -> Counts:
    file, refs = _open(path)
    return count_refs(refs, file, bad)


def _queries(
    name: str, path: Path, split: str, images: Path | None, bad: BadRecords
) -> Iterator[QueryRecord]:
    """Read the sentences of a split; the annotations say the sizes of the pictures."""
    file, refs = _open(path)
    instances = file.with_name("instances.json")
    yield from read_refs(refs, file, instances, split, f"dataset:{name}", bad)


def _claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
    file, refs = _open(path)
    wanted, _ = annotations_of(refs, file, split)
    return instance_claims(file.with_name("instances.json"), wanted)


def _counted(**splits: tuple[int, int, int]) -> Counts:
    return {
        split: dict(zip(("images", "refs", "queries"), numbers, strict=True))
        for split, numbers in splits.items()
    }


_KAZEMZADEH = "Kazemzadeh et al., ReferItGame, EMNLP 2014; splits by Yu et al., ECCV 2016"
_MAO = "Mao et al., Generation and Comprehension of Unambiguous Object Descriptions, CVPR 2016"
_OBTAIN = (
    "the first host is gone; mirrors are named in the issues of github.com/lichengunc/refer. "
    "Pictures: COCO train2014, cocodataset.org"
)
_LICENCE = "expressions: not stated; COCO annotations CC BY 4.0; pictures: terms of Flickr"
_SUFFIX = "file names in the refs end in the annotation's number; the picture's name is used"

_CARDS = {
    ("refcoco", "unc"): Card(
        name="refcoco",
        title="RefCOCO: short expressions for one object, from a game with two players",
        source=_KAZEMZADEH,
        licence=_LICENCE,
        obtain=_OBTAIN,
        splits=_counted(
            train=(16_994, 42_404, 120_624),
            val=(1_500, 3_811, 10_834),
            testA=(750, 1_975, 5_657),
            testB=(750, 1_810, 5_095),
        ),
        notes=(_SUFFIX, "refs(google).p is another split: name the file to read it"),
    ),
    ("refcoco+", "unc"): Card(
        name="refcoco+",
        title="RefCOCO+: expressions without words of place",
        source=_KAZEMZADEH,
        licence=_LICENCE,
        obtain=_OBTAIN,
        splits=_counted(
            train=(16_992, 42_278, 120_191),
            val=(1_500, 3_805, 10_758),
            testA=(750, 1_975, 5_726),
            testB=(750, 1_798, 4_889),
        ),
        notes=(_SUFFIX,),
    ),
    ("refcocog", "umd"): Card(
        name="refcocog",
        title="RefCOCOg: longer expressions, written without a game",
        source=f"{_MAO}; splits by Nagaraja et al., ECCV 2016",
        licence=_LICENCE,
        obtain=_OBTAIN,
        splits=_counted(
            train=(21_899, 42_226, 80_512), val=(1_300, 2_573, 4_896), test=(2_600, 5_023, 9_602)
        ),
        notes=(_SUFFIX, "refs(google).p is another split: name the file to read it"),
    ),
    ("refcocog", "google"): Card(
        name="refcocog-google",
        title="RefCOCOg, split by objects: train and val share pictures",
        source=_MAO,
        licence=_LICENCE,
        obtain=_OBTAIN,
        splits={"train": {"queries": 85_474}, "val": {"images": 4_650, "queries": 9_536}},
        notes=(_SUFFIX, "there is no public test split"),
    ),
    ("refclef", "unc"): Card(
        name="refclef",
        title="RefClef (ReferIt): expressions for objects and stuff of IAPR TC-12",
        source=_KAZEMZADEH,
        licence="expressions: not stated; SAIAPR TC-12: free for research",
        obtain=f"{_OBTAIN.split('.')[0]}. Pictures: saiapr_tc-12, 19,997 of them",
        splits={"val": {"images": 2_000}, "testA": {"images": 485}, "testB": {"images": 490}},
        notes=(
            "masks are lists of run-length codes, ids of annotations may be strings",
            "a ref may be in several test splits, e.g. testAB",
        ),
    ),
}

_ANY = Card(
    name="refer",
    title="Any folder of the refer tools: refs(SPLITBY).p and instances.json",
    source=_KAZEMZADEH,
    licence="not stated",
    obtain=_OBTAIN,
    notes=("in a folder called refcoco, refcoco+, refcocog or refclef the counts are compared",),
)


def _format(card: Card, kind: tuple[str, str] | None) -> DatasetFormat:
    """Format of one card; `kind` None takes all folders that have no card of their own."""

    def looks_right(path: Path) -> bool:
        found = _kind(path)
        return found is not None and (found == kind or (kind is None and found not in _CARDS))

    return DatasetFormat(
        name=card.name,
        card=card,
        looks_right=looks_right,
        splits=_splits,
        queries=functools.partial(_queries, card.name),
        counts=_counts,
        claims=_claims,
    )


FORMATS = (*(_format(card, kind) for kind, card in _CARDS.items()), _format(_ANY, None))
