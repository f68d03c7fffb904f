"""COCO's own instance files: visible masks of 80 categories, or of those that a file names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from askmask.datasets.coco_amodal import MARKS
from askmask.datasets.coco_file import CocoFile
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import BadRecords, Card
from askmask.datasets.values import Json, whole
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.segmentation import read_segmentation

__all__ = ["FORMATS", "read_coco", "visible_entity"]

_MASKS = ("segmentation",)


def visible_entity(annotation: Json, category: str, size_hw: tuple[int, int], where: str) -> Entity:
    """An annotation whose `segmentation` is the visible mask.

    Raises:
        DataError: when it has no mask that fits the picture.
    """
    return Entity(
        id=whole(annotation.get("id")) or 0,
        category=category,
        modal=read_segmentation(annotation.get("segmentation"), size_hw, where),
        extra={"iscrowd": True} if annotation.get("iscrowd") else {},
    )


def read_coco(
    path: str | Path, bad: BadRecords | None = None, *, images: Path | None = None
) -> Iterator[EntityRecord]:
    """Read a file of visible masks, picture by picture in the order of the file.

    This takes about as much memory as the file has bytes. Pictures without annotations are records
    without entities; crowds have `iscrowd` in `extra`.

    Args:
        path: the file.
        bad: told of what cannot be read; None stops at the first.
        images: folder of the pictures, for files that do not say their sizes.

    Raises:
        DataError: naming file, picture and annotation.
    """
    file = CocoFile(Path(path), BadRecords() if bad is None else bad, images)
    yield from file.entities(visible_entity, _MASKS)


FORMATS = (
    CocoLayout(
        patterns={
            "train2014": ("instances_train2014.json",),
            "val2014": ("instances_val2014.json",),
            "train2017": ("instances_train2017.json",),
            "val2017": ("instances_val2017.json",),
        },
        marks=(b'"segmentation"',),
        without=(*MARKS, b'"regions"', b'"questions"', b'"gt_mask_pool"'),
    ).format(
        "coco",
        Card(
            name="coco",
            title="COCO instances, and any file of that form with visible masks",
            source="Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014",
            licence="annotations CC-BY-4.0; pictures under the terms of Flickr",
            obtain="cocodataset.org: annotations_trainval2017.zip, train2017.zip, val2017.zip",
            splits={
                "train2014": {"images": 82_783, "instances": 604_907},
                "val2014": {"images": 40_504, "instances": 291_875},
                "train2017": {"images": 118_287, "instances": 860_001},
                "val2017": {"images": 5_000, "instances": 36_781},
            },
            notes=(
                "Copies of COCOA-cls for the evaluation of visible masks look like this too, and "
                "so do amodal ones whose visible masks were dropped: no field tells them apart.",
            ),
        ),
        lambda path, images, bad: read_coco(path, bad, images=images),
        lambda path, bad: CocoFile(path, bad).count(),
    ),
)
