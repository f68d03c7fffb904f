"""A little benchmark with pictures and runs of known quality."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from askmask import rle
from askmask.formats.askmask import (
    PredictedMask,
    Prediction,
    QueryRecord,
    Target,
    write_predictions,
    write_queries,
)
from askmask.formats.files import file_sha256, write_json
from askmask.types import MaskType

SIZE_HW = (48, 64)
EVIL = '<script>alert("x")</script> & <img src=x onerror=alert(1)> the mug [1]'


def area(x0: int, x1: int) -> rle.RLE:
    """Mask of the rows 8 to 40 between two columns."""
    mask = np.zeros(SIZE_HW, bool)
    mask[8:40, x0:x1] = True
    return rle.encode(mask)


def query(number: int, text: str = "the mug") -> QueryRecord:
    """Amodal for odd numbers: it shows from column 8 to 24 and goes on to column 40."""
    amodal = number % 2 == 1
    target = Target(area(8, 40 if amodal else 24), 1, "mug", area(8, 24))
    kind = MaskType.AMODAL if amodal else MaskType.MODAL
    tags = ("plain",) if number else ("plain", "<i>")
    return QueryRecord(
        f"q{number}",
        f"images/{number % 3}.png",
        *SIZE_HW,
        text,
        (target,),
        references=(area(50, 60),) if "[1]" in text else (),
        mask_type=kind,
        tags=tags,
    )


def right(asked: QueryRecord) -> Prediction:
    """Answer with the targets, and a calibrated type."""
    masks = [PredictedMask(t.segmentation, 0.9, modal=t.modal) for t in asked.targets]
    chances = {kind: 0.8 if kind == asked.mask_type else 0.1 for kind in MaskType}
    return Prediction(asked.id, asked.mask_type, chances, tuple(masks))


def half(asked: QueryRecord) -> Prediction:
    """Answer always with the visible part, as a modal mask: amodal queries are half right."""
    return replace(right(asked), mask_type=MaskType.MODAL, masks=(PredictedMask(area(8, 24), 0.6),))


def nothing(asked: QueryRecord) -> Prediction:
    return Prediction(asked.id, asked.mask_type)


def write_benchmark(folder: Path, count: int = 8) -> Path:
    """Write pictures and queries; return the queries file."""
    (folder / "images").mkdir(parents=True)
    for number in range(3):
        pixels = np.full((*SIZE_HW, 3), 60 + 60 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
    path = folder / "queries.jsonl"
    write_queries(path, [query(n, EVIL if n == 1 else "the mug") for n in range(count)])
    return path


def write_run(folder: Path, queries: Path, answers: list[Prediction], model: str = "toy") -> Path:
    """Write a finished run folder without figures."""
    folder.mkdir(parents=True)
    write_predictions(folder / "predictions.jsonl", answers)
    write_json(
        folder / "run.json",
        {
            "format": "askmask-run/1",
            "arguments": {"queries": str(queries), "model": model},
            "model": {"id": model, "sha256": "0" * 64},
            "inputs": {"queries": file_sha256(queries)},
        },
    )
    return folder


__all__ = [
    "EVIL",
    "SIZE_HW",
    "area",
    "half",
    "nothing",
    "query",
    "right",
    "write_benchmark",
    "write_run",
]
