"""ReasonSeg's folders, on which LISA and its successors train: a picture and a json of each query.

LISA draws and fills the polygons with the pixels that they touch, the larger ones first, so
outlines through pixel centres with bridged holes give exactly the masks. One target is one mask:
that of all instances together, without what is not scored, which is labelled "ignore".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from askmask import rle
from askmask.formats.askmask import QueryRecord
from askmask.formats.collection import Collection, Losses, Options
from askmask.formats.foreign import write_foreign_json
from askmask.formats.picture_files import copy_pictures, unique_stems
from askmask.geometry import centre_polygons
from askmask.rle import RLE

__all__ = ["write_reasonseg"]

_SENTENCE_WORDS = 6
"""From so many words on a text counts as a sentence, which LISA asks as it is."""


def _shapes(code: RLE, label: str, image: str) -> Iterator[dict[str, Any]]:
    for polygon in centre_polygons(rle.decode(code)):
        yield {
            "label": label,
            "labels": [label],
            "shape_type": "polygon",
            "image_name": image,
            "points": polygon.astype(np.float64).tolist(),
            "group_id": None,
            "group_ids": [None],
            "flags": {},
        }


def _content(query: QueryRecord, image: str) -> dict[str, Any]:
    size_hw = query.height, query.width
    target = rle.union([one.segmentation for one in query.targets], size_hw)
    shapes: list[dict[str, Any]] = []
    if query.ignore is not None:
        target = rle.subtract(target, query.ignore)
        shapes += _shapes(query.ignore, "ignore", image)
    long = len(query.text.split()) >= _SENTENCE_WORDS or query.text.rstrip()[-1:] in ".?!"
    shapes += _shapes(target, "target", image)
    return {"text": [query.text], "is_sentence": long, "shapes": shapes}


def write_reasonseg(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write SPLIT/NAME.jpg and SPLIT/NAME.json for each query.

    Raises:
        ConfigError: when a split has no queries.
        DataError: when a picture is missing; they are copied, and written anew as JPEG if need be.
    """
    for name, split in collection.splits.items():
        split.kind("queries")
        stems = unique_stems(f"{query.id.replace('/', '-')}.json" for query in split.queries)
        folder = out / name
        for query in split.queries:
            stem = stems[f"{query.id.replace('/', '-')}.json"]
            changed = copy_pictures({query.image: stem}, split.images, folder, jpeg=True)
            losses.add("pictures as they were", changed, "LISA reads *.jpg: written as JPEG, 95 %")
            write_foreign_json(folder / f"{stem}.json", _content(query, f"{stem}.jpg"))
            why = "ReasonSeg has a text and one mask"
            losses.add("mask types", query.mask_type is not None, why)
            losses.add("reference masks", len(query.references), why)
            losses.add("instances that are merged", max(0, len(query.targets) - 1), why)
            losses.add("tags", len(query.tags), why)
            losses.add("further keys of queries", len(query.extra), why)
        losses.add("pictures with objects", len(split.entities), "only queries are written")
