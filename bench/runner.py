"""Throughput and memory of folder runs with the embedded model, by number of worker processes.

    python bench/runner.py [--pictures 1000] [--workers 1 2] [--folder DIR] [--json]

Composes pictures of 320 x 240 (extra `scenes`), asks three sentences about each, and prints
pictures a second and the writer's peak memory, at the end and half way. Compare runs on one quiet
machine only. With one worker, the model runs on one thread as well (OMP_NUM_THREADS=1), so that
the ratio shows what processes bring.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SENTENCES = ("the red can", "the whole jar, also where the box covers it", "everything on the left")
SIZE_HW = (240, 320)


def compose_pictures(folder: Path, count: int) -> None:
    """Write the pictures that are not there yet."""
    from askmask.images import write_png
    from askmask.pantry.compose import compose
    from askmask.pantry.sprites import SpriteBank

    folder.mkdir(parents=True, exist_ok=True)
    bank = SpriteBank.load()
    for seed in range(count):
        path = folder / f"{seed:05d}.png"
        if not path.exists():
            write_png(path, compose(bank, seed, SIZE_HW).image)


def run(pictures: Path, out: Path, workers: int) -> None:
    """Do one run and print its figures as JSON."""
    import askmask
    from askmask.runs.asking import ask_pictures, find_pictures
    from askmask.runs.predict import Progress
    from askmask.runs.segment import segment_pictures

    peaks: list[int] = []

    def watch(at: Progress) -> None:
        if at.done == at.total // 2:
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    asked = ask_pictures(find_pictures([pictures], out), SENTENCES, out)
    model = askmask.load()
    start = time.perf_counter()
    end = segment_pictures(model, asked, out, workers=workers, progress=watch)
    seconds = time.perf_counter() - start
    figures = {
        "workers": workers,
        "pictures": end.total // len(SENTENCES),
        "failed": end.failed,
        "seconds": round(seconds, 2),
        "pictures a second": round(end.total / len(SENTENCES) / seconds, 2),
        "peak memory half way (MB)": round(peaks[0] / 1000, 1),
        "peak memory (MB)": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1),
    }
    print(json.dumps(figures))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path, help="keep the pictures here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--one", nargs=3, metavar=("PICTURES", "OUT", "WORKERS"), help="used inside"
    )
    arguments = parser.parse_args()
    if arguments.one:
        run(Path(arguments.one[0]), Path(arguments.one[1]), int(arguments.one[2]))
        return
    rows = []
    with tempfile.TemporaryDirectory() as workspace:
        folder = arguments.folder or Path(workspace) / "pictures"
        compose_pictures(folder, arguments.pictures)
        for workers in arguments.workers:
            out = Path(workspace) / f"run-{workers}"
            command = [sys.executable, __file__, "--one", str(folder), str(out), str(workers)]
            done = subprocess.run(
                command,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                check=True,
                capture_output=True,
                text=True,
            )
            rows.append(json.loads(done.stdout))
            shutil.rmtree(out)
    if arguments.json:
        print(json.dumps(rows))
        return
    for row in rows:
        ratio = rows[0]["seconds"] / row["seconds"]
        print(", ".join(f"{name} {value}" for name, value in row.items()), f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
