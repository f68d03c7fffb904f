"""Time the checked reading of queries and predictions beside plain `json.loads`, in one run.

The files are as large as R2SM's per line (1 to 4 targets, 1 to 6 predictions, 640 x 480 pixels);
`python bench/read_records.py 39000` is its whole modal or amodal half.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from askmask import rle
from askmask.formats.askmask import read_predictions, read_queries

HEIGHT, WIDTH = 480, 640
CODES = 48
REPEATS = 3
TARGETS = (0.6, 0.2, 0.12, 0.08)
"""Shares of queries with 1, 2, 3 and 4 targets."""
MASKS = (0.25, 0.22, 0.2, 0.15, 0.1, 0.08)
"""Shares of predictions with 1 to 6 masks."""


def codes() -> list[dict[str, Any]]:
    """Return codes of ragged ellipses with holes, about 270 characters each."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    made: list[dict[str, Any]] = []
    for _ in range(CODES):
        cy, cx = rng.uniform(0.2, 0.8, 2) * (HEIGHT, WIDTH)
        ry, rx = rng.uniform(8, 60, 2)
        angle = np.arctan2(y - cy, x - cx)
        radius = np.hypot((y - cy) / ry, (x - cx) / rx) + 0.05 * np.sin(9 * angle)
        made.append(dict(rle.encode((radius < 1) & (radius > 0.3))))
    return made


def write(folder: Path, lines: int) -> tuple[Path, Path]:
    """Write a queries file and a predictions file of `lines` lines."""
    rng = np.random.default_rng(1)
    pool = codes()
    queries, predictions = folder / "queries.jsonl", folder / "predictions.jsonl"
    probability = {"modal": 0.25, "amodal": 0.5, "hidden": 0.25}
    with queries.open("w") as asked, predictions.open("w") as answered:
        for i in range(lines):
            targets, masks = rng.choice(4, p=TARGETS) + 1, rng.choice(6, p=MASKS) + 1
            chosen = [pool[j] for j in rng.integers(0, CODES, targets + masks)]
            query = {"id": f"{i:06}#0", "image": f"images/{i:06}.png", "height": HEIGHT}
            query |= {"width": WIDTH, "text": "the whole mug behind the box", "references": []}
            query |= {"mask_type": "amodal", "ignore": None, "tags": ["reasoning:spatial"]}
            query["targets"] = [{"segmentation": code, "entity": 1} for code in chosen[:targets]]
            answer = {"id": f"{i:06}#0", "mask_type": "amodal", "seconds": 0.25, "error": None}
            answer["mask_type_probability"] = probability
            answer["masks"] = [
                {"segmentation": code, "score": round(float(rng.random()), 4)}
                for code in chosen[targets:]
            ]
            asked.write(json.dumps(query) + "\n")
            answered.write(json.dumps(answer) + "\n")
    return queries, predictions


def plain(path: Path) -> Iterator[Any]:
    """Yield what `json.loads` gives for each line, unchecked."""
    with path.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


def seconds(read: Callable[[], Iterator[Any]]) -> float:
    """Return the least CPU time of a pass that keeps nothing: a busy machine counts only once."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        for _ in read():
            pass
        times.append(time.process_time() - start)
    return min(times)


def peak_mb(read: Callable[[], Iterator[Any]]) -> float:
    """Return the most memory of a pass that keeps nothing, in MB."""
    tracemalloc.start()
    for _ in read():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Print one row a file."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(f"{lines:,} lines a file{'MB':>12}{'json.loads s':>14}{'askmask s':>12}{'ratio':>8}"
          f"{'peak MB':>9}{'s / 39,000':>12}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        readers = read_queries, read_predictions
        for path, read in zip(write(Path(folder), lines), readers, strict=True):
            theirs = seconds(lambda path=path: plain(path))
            ours = seconds(lambda path=path, read=read: read(path))
            peak = peak_mb(lambda path=path, read=read: read(path))
            print(f"{path.name:20}{path.stat().st_size / 1e6:12.1f}{theirs:14.3f}{ours:12.3f}"
                  f"{ours / theirs:8.1f}{peak:9.1f}{ours * 39_000 / lines:12.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
