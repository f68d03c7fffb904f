"""Time RefCOCO's files to query lines, on made-up data of the real size.

The whole real size takes minutes to make up; `--share 0.1` makes a tenth of it. The target is
150,000 sentences in less than 20 s and 500 MB on two cores.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import recognise
from askmask.formats.askmask import write_queries

IMAGES, ANNOTATIONS, REFS, SENTENCES = 20_000, 197_000, 50_000, 3
"""Numbers of RefCOCO, rounded up."""

WORDS = ("the", "man", "woman", "left", "right", "red", "blue", "shirt", "behind", "table", "cup")


def outline(rng: random.Random) -> list[float]:
    """Return a ragged ring of 25 corners, as COCO's polygons have on average."""
    x, y, rx, ry = (rng.uniform(*one) for one in ((120, 520), (120, 360), (10, 100), (10, 100)))
    around = ((0.25 * n, rng.uniform(0.7, 1.0)) for n in range(25))
    places = ((x + rx * r * math.cos(turn), y + ry * r * math.sin(turn)) for turn, r in around)
    return [round(value, 2) for place in places for value in place]


def make_up(folder: Path, share: float) -> int:
    """Write refs(unc).p and instances.json; return the number of sentences."""
    rng = random.Random(0)
    images, annotations, refs = (int(share * n) for n in (IMAGES, ANNOTATIONS, REFS))
    with (folder / "instances.json").open("w") as stream:
        stream.write('{"info": {}, "images": [')
        for n in range(images):
            name = f"COCO_train2014_{n:012}.jpg"
            row = {"id": n, "file_name": name, "height": 480, "width": 640, "license": 1}
            stream.write((", " if n else "") + json.dumps(row))
        stream.write('], "annotations": [')
        for n in range(annotations):
            row = {"id": n, "image_id": n % images, "category_id": 1, "iscrowd": 0, "area": 99.5}
            row |= {"bbox": [1.0, 2.0, 3.0, 4.0], "segmentation": [outline(rng)]}
            stream.write((", " if n else "") + json.dumps(row))
        stream.write('], "categories": [{"id": 1, "name": "person"}]}')
    rows = []
    for n in range(refs):
        sentences = []
        for place in range(SENTENCES):
            tokens = rng.choices(WORDS, k=4)
            text = " ".join(tokens)
            sentences.append(
                {"sent_id": 3 * n + place, "sent": text, "raw": text.title(), "tokens": tokens}
            )
        row = {"ref_id": n, "ann_id": n, "image_id": n % images, "category_id": 1}
        row |= {"file_name": f"COCO_train2014_{n:012}_{n}.jpg", "split": "train"}
        rows.append({**row, "sent_ids": [3 * n, 3 * n + 1, 3 * n + 2], "sentences": sentences})
    (folder / "refs(unc).p").write_bytes(pickle.dumps(rows, 0))
    return refs * SENTENCES


def measure(folder: Path) -> None:
    """Convert in this process and print seconds of work and memory; made up in another one."""
    found = recognise(folder)
    assert found.queries is not None
    start, busy = time.perf_counter(), time.process_time()
    queries = found.queries(folder, "train", None, BadRecords())
    first = next(iter(queries))
    early = time.process_time() - busy
    write_queries(folder / "queries.jsonl", queries)
    busy, wall = time.process_time() - busy, time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = sum(1 for _ in (folder / "queries.jsonl").open("rb")) + (first is not None)
    print(
        f"{lines:,} queries: {busy:.1f} s of CPU ({wall:.1f} s by the clock), "
        f"first after {early:.1f} s, {memory:.0f} MB at most"
    )


def main() -> None:
    """Make up the files and measure reading them in a process of its own."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--share", type=float, default=1.0, help="of RefCOCO's size")
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.folder is not None:
        measure(given.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_up(Path(folder), given.share)
        sizes = {path.name: path.stat().st_size // 1_000_000 for path in Path(folder).iterdir()}
        print("made up:", ", ".join(f"{name} {size} MB" for name, size in sizes.items()))
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--folder", folder], check=True)


if __name__ == "__main__":
    main()
