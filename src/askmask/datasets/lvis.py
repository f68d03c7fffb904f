"""LVIS: COCO's pictures with over a thousand categories, some of them checked in each picture.

A category that a picture has no objects of is absent only when `neg_category_ids` names it, and
objects may be missing where `not_exhaustive_category_ids` does. Both go into the record, as
`absent` and `incomplete`, so that nobody is asked for all of what was not searched for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from askmask.datasets.coco import visible_entity
from askmask.datasets.coco_file import CocoFile, CocoPicture
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import BadRecords, Card
from askmask.datasets.values import Json, id_of
from askmask.formats.askmask import EntityRecord

__all__ = ["FORMATS", "is_lvis", "read_lvis"]

_MARKS = (b'"neg_category_ids"', b'"not_exhaustive_category_ids"', b'"synset"')


def read_lvis(
    path: str | Path, bad: BadRecords | None = None, *, images: Path | None = None
) -> Iterator[EntityRecord]:
    """Read a file of LVIS, picture by picture in the order of the file.

    Args:
        path: the file.
        bad: told of what cannot be read; None stops at the first.
        images: folder of the pictures, for files that do not say their sizes.

    Raises:
        DataError: naming file, picture and annotation.
    """
    file = CocoFile(Path(path), BadRecords() if bad is None else bad, images)

    def names(picture: CocoPicture, key: str) -> list[str]:
        ids = picture.image.get(key)
        found = [id_of(one) for one in ids] if isinstance(ids, list) else []
        return sorted({file.names[one] for one in found if one is not None and one in file.names})

    def about(picture: CocoPicture) -> Json:
        return {
            "absent": names(picture, "neg_category_ids"),
            "incomplete": names(picture, "not_exhaustive_category_ids"),
        }

    yield from file.entities(visible_entity, ("segmentation",), about)


_LAYOUT = CocoLayout(
    patterns={"train": ("lvis_v*_train.json",), "val": ("lvis_v*_val.json",)}, marks=_MARKS
)

FORMATS = (
    _LAYOUT.format(
        "lvis",
        Card(
            name="lvis",
            title="LVIS v1: 1,203 categories on COCO's 2017 pictures",
            source="Gupta, Dollár and Girshick, LVIS, CVPR 2019",
            licence="annotations CC-BY-4.0; pictures under the terms of Flickr",
            obtain="lvisdataset.org: lvis_v1_train.json.zip, lvis_v1_val.json.zip; COCO's pictures",
            splits={
                "train": {"images": 100_170, "instances": 1_270_141},
                "val": {"images": 19_809, "instances": 244_707},
            },
            notes=(
                "Pictures are named by coco_url: give the folder that holds train2017 and val2017.",
                "absent and incomplete list the categories that were searched for in vain, and "
                "those of which objects may be missing.",
            ),
        ),
        lambda path, images, bad: read_lvis(path, bad, images=images),
        lambda path, bad: CocoFile(path, bad).count(),
    ),
)

is_lvis = FORMATS[0].recognises
