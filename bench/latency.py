"""Time of the embedded model: the command line as a whole, the picture, and each further sentence.

    python bench/latency.py [PICTURE] [--json]

Prints medians; compare runs on one machine only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import askmask

ROOT = Path(__file__).parent.parent
SENTENCES = (
    "the red can",
    "the whole jar, also where the box covers it",
    "everything to the left of the bottle",
    "only the hidden part of the box behind the can",
    "something to pour over pancakes",
)


def median_ms(call: Callable[[], object], repeats: int) -> float:
    """Median of `repeats` calls in milliseconds, after one that is not counted."""
    call()
    spans = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        spans.append(1000 * (time.perf_counter() - start))
    return statistics.median(spans)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=ROOT / "examples" / "demo.png")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    picture = arguments.picture
    model = askmask.load()
    image = askmask.read_image(picture)
    rows = {"picture (ms)": median_ms(lambda: model.set_image(image), 20)}
    spans = [median_ms(lambda text=text: model.answer(text), 20) for text in SENTENCES]
    rows["further sentence (ms)"] = statistics.median(spans)
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "askmask", "segment", str(picture), SENTENCES[0]]
        rows["askmask segment, whole process (ms)"] = median_ms(
            lambda: subprocess.run([*command, "--out", out], check=True, capture_output=True), 5
        )
    # Of the largest of the processes above: they do what a user's program does.
    rows["peak memory (MB)"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{picture.name}, {image.shape[1]} x {image.shape[0]}")
    for name, value in rows.items():
        print(f"{name:40s} {value:8.1f}")


if __name__ == "__main__":
    main()
