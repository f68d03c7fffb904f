"""A made-up table in the formats of the field: a cup before a plate before a tray, and a wall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from askmask import rle

SIZE_HW = (40, 60)

BOXES = {"cup": (10, 12, 22, 30), "plate": (6, 20, 36, 34), "tray": (2, 26, 58, 38)}
"""Name -> x0, y0, x1, y1 of the complete shape, from front to back."""

NAMES = tuple(BOXES)


def filled(box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SIZE_HW, bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


AMODAL = {name: filled(box) for name, box in BOXES.items()}
HIDDEN = {
    name: AMODAL[name] & np.any([AMODAL[one] for one in NAMES[:place]] or [np.zeros(SIZE_HW)], 0)
    for place, name in enumerate(NAMES)
}
MODAL = {name: AMODAL[name] & ~HIDDEN[name] for name in NAMES}
RATES = {name: HIDDEN[name].sum() / AMODAL[name].sum() for name in NAMES}


def code(mask: np.ndarray) -> dict[str, Any]:
    return dict(rle.encode(mask))


def runs(mask: np.ndarray) -> dict[str, Any]:
    """Plain run lengths, as crowds have them."""
    flat = mask.T.ravel().astype(int)
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    return {"size": [*mask.shape], "counts": np.diff(edges, prepend=0, append=flat.size).tolist()}


def outline(name: str) -> list[float]:
    x0, y0, x1, y1 = BOXES[name]
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def coco(*annotations: dict[str, Any], **image: Any) -> dict[str, Any]:
    """A COCO file of two pictures; the annotations, cup, plate and tray, are of the first."""
    first = {"id": 7, "file_name": "a.jpg", "height": SIZE_HW[0], "width": SIZE_HW[1], **image}
    return {
        "info": {"year": 2014},
        "images": [first, {**first, "id": 8, "file_name": "b.jpg"}],
        "annotations": [
            {"id": 11 + place, "image_id": 7, "category_id": 1 + place, **one}
            for place, one in enumerate(annotations)
        ],
        "categories": [{"id": 1 + place, "name": name} for place, name in enumerate(NAMES)],
    }


def coco_visible() -> dict[str, Any]:
    return coco(*({"segmentation": code(MODAL[name]), "iscrowd": 0} for name in NAMES))


def lvis() -> dict[str, Any]:
    file = coco(*({"segmentation": [outline(name)]} for name in NAMES))
    for image in file["images"]:
        image["coco_url"] = f"http://images.cocodataset.org/val2017/{image.pop('file_name')}"
        image |= {"neg_category_ids": [4], "not_exhaustive_category_ids": [2]}
    file["categories"].append({"id": 4, "name": "teddy_bear"})
    for category in file["categories"]:
        category |= {"synset": f"{category['name']}.n.01", "frequency": "f"}
    return file


def cocoa_cls() -> dict[str, Any]:
    """Also D2SA's, and MUVA's as far as anybody knows."""
    annotations = []
    for depth, name in enumerate(NAMES):
        one = {
            "segmentation": code(AMODAL[name]),
            "area": int(AMODAL[name].sum()),
            "iscrowd": False,
            "visible_mask": code(MODAL[name]),
            "occlude_rate": float(RATES[name]),
            "occl_depth": depth,
        }
        if HIDDEN[name].any():
            one["invisible_mask"] = code(HIDDEN[name])
        annotations.append(one)
    return coco(*annotations)


def kins_old() -> dict[str, Any]:
    return coco(
        *({"segmentation": [outline(name)], "inmodal_seg": code(MODAL[name])} for name in NAMES)
    )


def kins_2020() -> dict[str, Any]:
    """The visible part of the plate is two polygons."""
    visible = {
        "cup": [outline("cup")],
        "plate": [[6, 20, 10, 20, 10, 34, 6, 34], [10, 30, 22, 30, 22, 20, 36, 20, 36, 34, 10, 34]],
        "tray": [[2, 26, 6, 26, 6, 34, 36, 34, 36, 26, 58, 26, 58, 38, 2, 38]],
    }
    return coco(
        *(
            {"a_segm": [outline(name)], "i_segm": visible[name], "oco_id": 1, "ico_id": 1 + place}
            for place, name in enumerate(NAMES)
        )
    )


def cocoa(*, visible: bool = True, annotators: int = 1) -> dict[str, Any]:
    """COCOA's own: flat polygons with an order; `visible`: with the masks of occluded regions."""
    regions = []
    for order, name in enumerate(NAMES, 1):
        region = {
            "segmentation": outline(name),
            "name": f"{name} ",
            "area": int(AMODAL[name].sum()),
            "isStuff": int(name == "tray"),
            "occlude_rate": float(RATES[name]),
            "order": order,
        }
        if visible and HIDDEN[name].any():
            region["visible_mask"] = code(MODAL[name])
            region["invisible_mask"] = code(HIDDEN[name])
        regions.append(region)
    one = {"image_id": 7, "size": 3, "depth_constraint": "1-2,1-3,2-3", "regions": regions}
    file = coco()
    file["annotations"] = [
        {**one, "id": number, "author": f"hand {number}"} for number in range(annotators)
    ]
    return file


def mask_groups() -> list[dict[str, Any]]:
    """One prompt in words, one with a reference mask, one that nothing fits."""
    shared = {
        "image": "a.jpg",
        "mask_pool": [code(AMODAL["tray"]), code(MODAL["cup"])],
        "gt_mask_pool": [code(MODAL[name]) for name in NAMES],
    }

    def said(prompt: str) -> list[dict[str, str]]:
        opening = f"<image>The picture has masks: <mask_pool>\n {prompt}"
        return [{"from": "human", "value": opening}, {"from": "gpt", "value": "<mask-group>"}]

    records: list[dict[str, Any]] = [
        {**shared, "conversations": said("Select the dishes."), "gt_mask_group": [[0, 1]]},
        {
            **shared,
            "conversations": said("What lies under <mask-ref>?"),
            "gt_mask_group": [[2]],
            "ref_masks": [code(MODAL["plate"])],
        },
        {**shared, "conversations": said("All the forks"), "gt_mask_group": [[]]},
    ]
    copied: list[dict[str, Any]] = json.loads(json.dumps(records))  # nothing is shared
    return copied


def write(path: Path, value: object) -> Path:
    """Write JSON, with NaN where Python has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path
