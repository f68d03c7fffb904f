"""Queries that the tests of foreign results ask, and short ways to write such results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask import rle
from askmask.formats.askmask import Prediction
from askmask.formats.predictions.registry import predictions_for

SIZE_HW = (6, 8)
IDS = ("a#0", "12", "x/y", "e")
LEFT, RIGHT, NONE = (np.zeros(SIZE_HW, bool) for _ in range(3))
LEFT[1:5, :3] = True
RIGHT[2:, 4:] = True


def write_queries_file(folder: Path) -> Path:
    """Write queries of the ids IDS about pictures a.png, b.png, …, each without targets."""
    path = folder / "queries.jsonl"
    lines = [
        {"id": name, "image": f"images/{letter}.v1.png", "height": 6, "width": 8}
        | {"text": "the mug", "targets": []}
        for name, letter in zip(IDS, "abcd", strict=True)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_mask(path: Path, mask: NDArray[Any], mode: str | None = None) -> None:
    """Write a bool mask as 0 and 255, or numbers as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = mask.astype(np.uint8) * (255 if mask.dtype == bool else 1)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = image.convert("L").convert("P")
        image = Image.frombytes("P", image.size, pixels.tobytes())
        image.putpalette([value for value in range(256) for _ in range(3)])
    image.save(path)


def read(folder: Path, results: Path, format: str = "auto") -> dict[str, Prediction]:
    """Read results against the queries above."""
    found = list(predictions_for(results, write_queries_file(folder), format))
    assert len({one.id for one in found}) == len(found)
    return {one.id: one for one in found}


def instances(prediction: Prediction) -> list[NDArray[np.bool_]]:
    """Return the masks of a prediction."""
    return [rle.decode(mask.segmentation) for mask in prediction.masks]


def equal(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> bool:
    """Whether two lists of masks are one."""
    return len(found) == len(expected) and all(map(np.array_equal, found, expected))


__all__ = [
    *("IDS", "LEFT", "NONE", "RIGHT", "SIZE_HW"),
    *("equal", "instances", "read", "write_mask", "write_queries_file"),
]
