"""RefCOCO, RefCOCO+, RefCOCOg and RefClef as the `refer` tools have them.

A folder holds `refs(SPLITBY).p`, a pickle of Python 2, and `instances.json`. One folder may hold
several ways to split; the one that papers use is read unless a file is named.
"""

from __future__ import annotations

import re
from pathlib import Path

from askmask.datasets.frame import Card, Counts, DatasetFormat
from askmask.datasets.referring import referring_format

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

    return referring_format(card, _refs_file, "refs(unc).p", looks_right)


FORMATS = (*(_format(card, kind) for kind, card in _CARDS.items()), _format(_ANY, None))
