"""D2SA: supermarket goods on a turntable, with augmented pictures of goods pasted on black."""

from __future__ import annotations

from askmask.datasets.coco_amodal import MARKS, amodal_format
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import Card

__all__ = ["FORMATS"]

FORMATS = (
    amodal_format(
        "d2sa",
        Card(
            name="d2sa",
            title="D2S amodal: 60 kinds of supermarket goods",
            source="Follmann et al., Learning to See the Invisible, WACV 2019 (arXiv 1804.08864)",
            licence="CC-BY-NC-SA-4.0 as of D2S; not stated for the amodal annotations",
            obtain="mvtec.com, MVTec D2S: pictures and D2S_amodal_annotations",
            splits={
                "train": {"images": 2_000, "instances": 13_066},
                "val": {"images": 3_600, "instances": 15_654},
            },
            notes=(
                "train is D2S_amodal_training_rot0.json (438 pictures) and "
                "D2S_amodal_augmented.json (1,562) together, as R2SM counts.",
            ),
        ),
        CocoLayout(
            patterns={
                "train": ("D2S_amodal_training*.json", "D2S_amodal_augmented.json"),
                "val": ("D2S_amodal_validation.json",),
            },
            marks=MARKS,
            names="d2s",
        ),
    ),
)
