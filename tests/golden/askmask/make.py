"""Make the golden files of this folder anew: python tests/golden/askmask/make.py."""

import json
from pathlib import Path

import numpy as np

from askmask import rle

HERE = Path(__file__).parent
AMODAL = np.zeros((6, 8), bool)
AMODAL[1:5, 1:5] = True
MODAL = AMODAL.copy()
MODAL[3:, 3:] = False
FRONT = np.zeros((6, 8), bool)
FRONT[3:6, 3:7] = True

ENTITIES = [
    {
        "image": "images/a.png",
        "height": 6,
        "width": 8,
        "scene": {"seed": 7},
        "entities": [
            {
                "id": 1,
                "category": "cereal box",
                "attributes": {"colour": "red"},
                "modal": rle.encode(MODAL),
                "amodal": rle.encode(AMODAL),
                "occlusion_rate": 0.25,
                "occluded_by": [2],
                "depth_order": 1,
                "size_m": [0.2, 0.1, 0.3],
            },
            {
                "id": 2,
                "category": "mug",
                "modal": rle.encode(FRONT),
                "amodal": None,
                "occlusion_rate": None,
                "occluded_by": [],
                "depth_order": None,
            },
        ],
    },
    {"image": "images/b.png", "height": 6, "width": 8, "entities": []},
]
QUERIES = [
    {
        "id": "a#0",
        "image": "images/a.png",
        "height": 6,
        "width": 8,
        "text": "the whole box behind [1]",
        "references": [rle.encode(FRONT)],
        "mask_type": "amodal",
        "targets": [
            {
                "segmentation": rle.encode(AMODAL),
                "entity": 1,
                "category": "cereal box",
                "modal": rle.encode(MODAL),
                "note": "kept",
            }
        ],
        "ignore": rle.encode(FRONT & ~AMODAL),
        "tags": ["reasoning:spatial"],
        "annotator": 3,
    },
    {
        "id": "a#1",
        "image": "images/a.png",
        "height": 6,
        "width": 8,
        "text": "the spoon",
        "references": [],
        "mask_type": None,
        "targets": [],
        "ignore": None,
        "tags": [],
    },
]
PREDICTIONS = [
    {
        "id": "a#0",
        "mask_type": "amodal",
        "mask_type_probability": {"modal": 0.1, "amodal": 0.7, "hidden": 0.2},
        "masks": [
            {
                "segmentation": rle.encode(AMODAL),
                "score": 0.9,
                "modal": rle.encode(MODAL),
                "amodal": rle.encode(AMODAL),
                "label": "box",
            }
        ],
        "fused": rle.encode(AMODAL),
        "no_target_probability": 0.05,
        "rationale": "it stands behind the mug",
        "seconds": 0.012,
        "error": None,
    },
    {
        "id": "a#1",
        "mask_type": None,
        "mask_type_probability": None,
        "masks": [],
        "fused": None,
        "no_target_probability": None,
        "rationale": None,
        "seconds": None,
        "error": "out of memory",
        "retry": 2,
    },
]

if __name__ == "__main__":
    files = {"entities": ENTITIES, "queries": QUERIES, "predictions": PREDICTIONS}
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
