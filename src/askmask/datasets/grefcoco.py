"""gRefCOCO: sentences for no object, one or several. `grefs(SPLITBY).json` and `instances.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat
from askmask.datasets.instance_claims import instance_claims
from askmask.datasets.plain_pickle import read_plain_pickle
from askmask.datasets.referring import Refs, annotations_of, count_refs, read_refs, splits_of
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord
from askmask.formats.json_stream import iter_array

__all__ = ["FORMATS"]

_NAME = re.compile(r"grefs\(\w+\)\.(json|p)")


def _refs_file(path: Path) -> Path | None:
    """File of refs that a path means: itself, or the one in the folder, JSON before pickle."""
    if path.is_file():
        return path if _NAME.fullmatch(path.name) else None
    found = [file for file in sorted(path.glob("grefs(*")) if _NAME.fullmatch(file.name)]
    return next((file for file in found if file.suffix == ".json"), next(iter(found), None))


def _open(path: Path) -> tuple[Path, Refs]:
    """Return the file and its refs; raises DataError when a pickle is no list."""
    file = _refs_file(path)
    if file is None:
        raise DataError(f"{path}: expected grefs(unc).json, there is none")
    if file.suffix == ".json":
        return file, lambda: iter_array(file)
    content = read_plain_pickle(file)
    if not isinstance(content, list):
        raise DataError(f"{file}: expected a list of refs, got {type(content).__name__}")
    return file, lambda: content


def _splits(path: Path) -> list[str]:
    file, refs = _open(path)
    return splits_of(refs, file)


def _counts(path: Path, bad: BadRecords) -> Counts:
    file, refs = _open(path)
    return count_refs(refs, file, bad)


def _queries(path: Path, split: str, images: Path | None, bad: BadRecords) -> Iterator[QueryRecord]:
    """Read the sentences of a split; the annotations say the sizes of the pictures."""
    file, refs = _open(path)
    instances = file.with_name("instances.json")
    yield from read_refs(refs, file, instances, split, "dataset:grefcoco", bad)


def _claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
    file, refs = _open(path)
    wanted, _ = annotations_of(refs, file, split)
    return instance_claims(file.with_name("instances.json"), wanted)


_CARD = Card(
    name="grefcoco",
    title="gRefCOCO: referring expressions for no object, one or several",
    source="Liu, Ding, Jiang, GRES: Generalized Referring Expression Segmentation, CVPR 2023",
    licence="CC BY-NC-SA 4.0 as stated by the authors; pictures: terms of Flickr",
    obtain="links in github.com/henghuiding/gRefCOCO. Pictures: COCO train2014, cocodataset.org",
    splits={
        "train": {"queries": 209_344},
        "val": {"images": 1_500, "queries": 16_870},
        "testA": {"images": 750, "queries": 18_712},
        "testB": {"images": 750, "queries": 14_933},
    },
    notes=(
        "the paper counts 278,232 expressions, the release has 259,859",
        "some refs have no sentences and give no query",
        "file names in the refs may end in the annotation's number; the picture's name is used",
    ),
)

FORMATS = (
    DatasetFormat(
        name="grefcoco",
        card=_CARD,
        looks_right=lambda path: _refs_file(path) is not None,
        splits=_splits,
        queries=_queries,
        counts=_counts,
        claims=_claims,
    ),
)
