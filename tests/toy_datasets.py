"""Tiny data sets in exactly the formats of RefCOCO, RefClef, gRefCOCO, MUSE and ReasonSeg.

The pictures are four coloured rectangles on a table of 40 x 60 pixels.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from askmask import rle
from askmask.images import write_png

SIZE_HW = (40, 60)
BOXES = {11: (5, 5, 20, 25), 12: (25, 5, 40, 15), 13: (30, 20, 55, 35), 14: (0, 30, 12, 40)}
"""Annotation id -> x0, y0, x1, y1."""


def mask(box_id: int) -> np.ndarray:
    x0, y0, x1, y1 = BOXES[box_id]
    painted = np.zeros(SIZE_HW, bool)
    painted[y0:y1, x0:x1] = True
    return painted


def polygon(box_id: int) -> list[float]:
    x0, y0, x1, y1 = map(float, BOXES[box_id])
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def annotation(box_id: int, image_id: int = 7, **more: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = BOXES[box_id]
    return {
        "id": box_id,
        "image_id": image_id,
        "category_id": 3,
        "segmentation": [polygon(box_id)],
        "area": float((x1 - x0) * (y1 - y0)),
        "bbox": [float(x0), float(y0), float(x1 - x0), float(y1 - y0)],
        "iscrowd": 0,
        **more,
    }


def instances(**more: Any) -> dict[str, Any]:
    return {
        "info": {"description": "toy"},
        "licenses": [],
        "images": [
            {"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "height": 40, "width": 60},
            {"id": 8, "file_name": "COCO_train2014_000000000008.jpg", "height": 40, "width": 60},
        ],
        "annotations": [annotation(11), annotation(12), annotation(13), annotation(14, 8)],
        "categories": [{"id": 3, "name": "cup", "supercategory": "kitchen"}],
        **more,
    }


def ref(ref_id: int, ann_id: Any, sentences: list[str], split: str = "val", **more: Any) -> Any:
    return {
        "ref_id": ref_id,
        "ann_id": ann_id,
        "category_id": 3,
        "image_id": 8 if ann_id == 14 else 7,
        "file_name": f"COCO_train2014_000000000007_{ref_id}.jpg",
        "split": split,
        "sent_ids": [10 * ref_id + place for place in range(len(sentences))],
        "sentences": [
            {
                "sent_id": 10 * ref_id + place,
                "sent": text.lower(),
                "raw": text,
                "tokens": text.lower().split(),
            }
            for place, text in enumerate(sentences)
        ],
        **more,
    }


REFS = [
    ref(1, 11, ["The left cup", "cup by the wall"]),
    ref(2, 13, ["big cup"]),
    ref(3, 14, ["cup in the corner"], "train"),
    ref(4, 12, ["small cup", "top cup", "upper one"], "testA"),
]

GREFS = [
    ref(1, [11, 13], ["both big cups"], no_target=False),
    ref(2, [-1], ["the plate", "a knife"], category_id=[-1], no_target=True),
    ref(3, 12, ["small cup"]),
    ref(4, [11], [], no_target=False),
    ref(5, [14], ["corner"], "train", image_id=8),
]


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def write_refcoco(
    root: Path, refs: Any = REFS, name: str = "refcoco", way: str = "unc", protocol: int = 2
) -> Path:
    folder = root / name
    write_json(folder / "instances.json", instances())
    (folder / f"refs({way}).p").write_bytes(pickle.dumps(refs, protocol))
    return folder


def write_refclef(root: Path) -> Path:
    """RefClef: run lengths in lists, and ids of annotations that are strings."""
    folder = root / "refclef"
    rows = [
        {**annotation(key), "id": f"7_{key}", "segmentation": [dict(rle.encode(mask(key)))]}
        for key in (11, 12)
    ]
    pictures = [{"id": 7, "file_name": "7.jpg", "height": 40, "width": 60}]
    write_json(folder / "instances.json", instances(images=pictures, annotations=rows))
    refs = [
        {**ref(1, "7_11", ["wall"], "testAB"), "image_id": 7},
        {**ref(2, "7_12", ["sky"], "testC"), "image_id": 7},
    ]
    (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, 0))
    return folder


def write_grefcoco(root: Path, refs: Any = GREFS, suffix: str = "json") -> Path:
    folder = root / "grefcoco"
    write_json(folder / "instances.json", instances())
    if suffix == "json":
        write_json(folder / "grefs(unc).json", refs)
    else:
        (folder / "grefs(unc).p").write_bytes(pickle.dumps(refs, 2))
    return folder


def muse_item(**more: Any) -> dict[str, Any]:
    def answer(box_id: int, **words: str) -> dict[str, Any]:
        kept = ("segmentation", "bbox", "category_id")
        own = {key: value for key, value in annotation(box_id).items() if key in kept}
        return {**own, "category_name": "cup", **words}

    return {
        "file_name": "COCO_train2014_000000000007.jpg",
        "height": 40,
        "width": 60,
        "ann_list": [answer(11), answer(12), answer(13)],
        "questions": ["What can I drink from?", "What can I sit on?"],
        "answers": [[answer(11, rephrased_name="left cup"), answer(13)], []],
        "text_answers": ["The left cup {seg} and the big one {seg}.", None],
        **more,
    }


def write_muse(root: Path, items: Any = None) -> Path:
    folder = root / "muse"
    url = "http://images.cocodataset.org/train2017/000000000009.jpg"
    second = {key: value for key, value in muse_item().items() if key != "file_name"}
    write_json(folder / "muse_val.json", [muse_item()] if items is None else items)
    write_json(folder / "muse_train.json", [{**second, "coco_url": url}])
    return folder


def shape(label: str, points: list[list[float]]) -> dict[str, Any]:
    return {
        "label": label,
        "labels": [label],
        "shape_type": "polygon",
        "image_name": "1_o.jpg",
        "points": points,
        "group_id": None,
        "group_ids": [None],
        "flags": {},
    }


def corners(box_id: int) -> list[list[float]]:
    """Corners that OpenCV fills to the box."""
    x0, y0, x1, y1 = BOXES[box_id]
    return [[x0 + 0.4, y0 + 0.7], [x1 - 0.3, y0], [x1 - 0.9, y1 - 0.1], [x0, y1 - 0.5]]


def reasonseg_item(**more: Any) -> dict[str, Any]:
    return {
        "text": ["What holds the tea?", "What is the tea in?"],
        "is_sentence": True,
        "shapes": [
            shape("target", corners(11)),
            shape("Ignored part", [[8, 8], [10, 8], [10, 10], [8, 10]]),
            shape("flag", [[1, 1], [2, 2]]),
            shape("target", corners(13)),
        ],
        **more,
    }


def write_reasonseg(root: Path, content: Any = None, *, picture: bool = True) -> Path:
    folder = root / "ReasonSeg"
    file = folder / "val" / "1_o.json"
    write_json(file, reasonseg_item() if content is None else content)
    if picture:
        write_png(folder / "val" / "1_o.png", np.zeros((*SIZE_HW, 3), np.uint8))
    return folder
