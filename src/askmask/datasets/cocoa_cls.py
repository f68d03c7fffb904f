"""COCOA-cls: COCOA's things merged with COCO's annotations, so that they have categories."""

from __future__ import annotations

from askmask.datasets.coco_amodal import MARKS, amodal_format
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import Card

__all__ = ["FORMATS"]

FORMATS = (
    amodal_format(
        "cocoa-cls",
        Card(
            name="cocoa-cls",
            title="COCOA with the 80 categories of COCO; also its variants without classes",
            source="Follmann et al., Learning to See the Invisible, WACV 2019 (arXiv 1804.08864)",
            licence="not stated; pictures of COCO under the terms of Flickr",
            obtain="the authors' link is dead; copies of COCO_amodal_*_with_classes.json exist",
            splits={"train": {"images": 2_276}, "val": {"images": 1_223, "instances": 3_799}},
            notes=(
                "segmentation is the amodal mask; without a visible_mask nothing is hidden.",
                "Copies differ in their training split (2,276, 2,476 or 2,500 pictures).",
                "In copies for visible evaluation segmentation is the visible mask and nothing "
                "says so: read them as coco.",
            ),
        ),
        CocoLayout(
            patterns={
                split: (
                    f"COCO_amodal_{split}2014_with_classes.json",
                    f"instances_{split}2014_amodal.json",
                )
                for split in ("train", "val", "test")
            },
            marks=MARKS,
            names="coco_amodal|cocoa|2014_amodal",
        ),
    ),
)
