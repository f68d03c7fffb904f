"""KINS: amodal masks of road users in KITTI's pictures, in the keys of 2019 and of 2020."""

from __future__ import annotations

from askmask.datasets.coco_amodal import amodal_format
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import Card

__all__ = ["FORMATS"]

FORMATS = (
    amodal_format(
        "kins",
        Card(
            name="kins",
            title="KITTI instances with amodal masks: people, bicycles, cars and the like",
            source="Qi et al., Amodal Instance Segmentation With KINS Dataset, CVPR 2019",
            licence="not stated; pictures of KITTI CC-BY-NC-SA-3.0",
            obtain="github.com/qqlu/Amodal-Instance-Segmentation-through-KINS-Dataset; KITTI's "
            "object pictures of the left colour camera (image_2)",
            splits={"train": {"images": 7_474}, "val": {"images": 7_517}},
            notes=(
                "Old files: segmentation and inmodal_seg; those of 2020: a_segm and i_segm.",
                "oco_id, a cluster of objects that hide each other, and ico_id, the order in it, "
                "are kept in the records.",
            ),
        ),
        CocoLayout(
            patterns={
                "train": ("instances_train.json",),
                "val": ("instances_val.json", "instances_test.json"),
                "train-2020": ("update_train_2020.json",),
                "test-2020": ("update_test_2020.json",),
            },
            marks=(b'"inmodal_seg"', b'"a_segm"', b'"i_segm"'),
            names=r"kins|update_(train|test)_2020|instances_(train|val|test)\.json",
        ),
    ),
)
