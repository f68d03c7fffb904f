"""MUVA: several views of piled goods. Its fields are described nowhere: keys can be named.

What is known is that the files are COCO-style with amodal masks. The visible mask is looked for
under every name that such files use; a file that has none of them is refused with the list of
its keys, and `--map modal=KEY` names the right one.
"""

from __future__ import annotations

from askmask.datasets.coco_amodal import MARKS, amodal_format
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import Card

__all__ = ["FORMATS"]

FORMATS = (
    amodal_format(
        "muva",
        Card(
            name="muva",
            title="Multi-view amodal shopping scenes",
            source="Li et al., MUVA: A New Large-Scale Benchmark for Multi-view Amodal Instance "
            "Segmentation in the Shopping Scenario, ICCV 2023",
            licence="CC-BY-NC-4.0",
            obtain="the authors' page: AiFi-MUVA_{train,val,test}.json and images.zip",
            notes=(
                "No public description of the fields: the names are guesses; --map names others.",
                "R2SM uses 3,000 pictures for training (22,246 instances) and 3,000 for "
                "validation (22,674).",
            ),
        ),
        CocoLayout(
            patterns={split: (f"*MUVA*{split}*.json",) for split in ("train", "val", "test")},
            marks=(*MARKS, b'"segmentation"', b'"annotations"', b'"image_id"'),
            names="muva",
        ),
    ),
)
