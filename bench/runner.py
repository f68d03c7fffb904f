"""Runs over folders: killed again and again, or in several processes, they write the same files.

    python bench/runner.py [--pictures 1000] [--kills 20] [--workers 2] [--engine ray] [--json]

Composes pictures of 320 x 240 (extra `scenes`), spoils two of them, asks three sentences about each
with `askmask segment --masks`, and does so three times: in one process that nobody disturbs, in
`--workers` processes of `--engine`, and in one or `--workers` processes that are killed with
SIGKILL at random moments and started again with --resume. Each process computes on one thread.

Prints pictures a second from the first answer to the last, the memory of all processes of the run
together as the highest of each quarter of that time, and which files differ. Exits with 1 when any
does, when fewer kills came in time, or when the last quarter takes a tenth more memory than the
second. Compare speeds on one quiet machine only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

SENTENCES = ("the red can", "the whole jar, also where the box covers it", "everything on the left")
SIZE_HW = (240, 320)
MOST_GROWTH = 1.1
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def compose_pictures(folder: Path, count: int) -> None:
    """Write the pictures that are not there yet; the first two cannot be read, or only begun."""
    from askmask.images import write_png
    from askmask.pantry.compose import compose
    from askmask.pantry.sprites import SpriteBank

    folder.mkdir(parents=True, exist_ok=True)
    bank = SpriteBank.load()
    for seed in range(count):
        path = folder / f"{seed:05d}.png"
        if not path.exists():
            write_png(path, compose(bank, seed, SIZE_HW).image)
            if seed < 2:
                path.write_bytes(path.read_bytes()[: (10, 5_000)[seed]])


@dataclass(frozen=True)
class Crew:
    """Who answers: one process here, or several."""

    workers: int = 1
    engine: str = "processes"


ALONE = Crew()


def start(pictures: Path, run: Path, crew: Crew) -> subprocess.Popen[bytes]:
    """Begin a run, or go on with it."""
    asked = [word for text in SENTENCES for word in ("--text", text)]
    workers = ["--workers", str(crew.workers), "--engine", crew.engine]
    options = ["--out", str(run), *workers, "--masks", "--resume"]
    command = [sys.executable, "-m", "askmask", "segment", str(pictures), *asked, *options]
    return subprocess.Popen(
        command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )


def memory_mb(process: int) -> float:
    """Resident memory of a process and those that it started; 0 for one that has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(memory_mb(int(one)) for one in children)


@dataclass(frozen=True)
class Watched:
    """A run that nobody disturbed.

    Attributes:
        until_first: seconds from the start of the command to the first answer.
        seconds: from then to the end.
        memory_mb: the highest in each quarter of these.
    """

    until_first: float
    seconds: float
    memory_mb: tuple[float, ...]


def watch(pictures: Path, run: Path, crew: Crew) -> Watched:
    """Do one run and look at it."""
    answers = run / "predictions.jsonl"
    begin, first, memory = time.monotonic(), 0.0, []
    process = start(pictures, run, crew)
    while process.poll() is None:
        if not first and answers.exists() and answers.stat().st_size:
            first = time.monotonic()
        if first:
            memory.append(memory_mb(process.pid))
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"the run ended with {process.returncode}")
    ends = [len(memory) * quarter // 4 for quarter in range(5)]
    peaks = tuple(
        round(max(memory[low:high], default=float("nan"))) for low, high in pairwise(ends)
    )
    return Watched(first - begin, time.monotonic() - first, peaks)


def disturb(pictures: Path, run: Path, crews: dict[Crew, Watched], kills: int) -> int:
    """Kill a run of each crew in turn, then let it end; return how often it was killed."""
    chance = random.Random(0)
    for number in range(kills):
        crew, calm = list(crews.items())[number % len(crews)]
        process = start(pictures, run, crew)
        try:
            # Long enough that answers come between kills; so short that all of them come in time.
            process.wait(chance.uniform(0, calm.until_first + calm.seconds / kills))
            return number
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if start(pictures, run, ALONE).wait():
        sys.exit("the run that was killed did not end well")
    return kills


def content(run: Path, name: Path) -> Any:
    """What a file of a run says, but for times, the order of lines and the run's own name."""
    path = run / name
    if path.name == "run.json":
        record = json.loads(path.read_text())
        return {
            key: record[key]
            for key in ("model", "inputs", "versions", "queries", "failed", "shard")
        }
    if path.suffix == ".jsonl":
        text = path.read_text().replace(str(run), "RUN")  # where messages name a picture
        lines = [json.loads(line) for line in text.splitlines()]
        return sorted(json.dumps({**line, "seconds": None}, sort_keys=True) for line in lines)
    return path.read_bytes()


def differences(one: Path, other: Path) -> list[str]:
    """Names of files that are in one run only, or say something else."""
    names = {
        path.relative_to(run) for run in (one, other) for path in run.rglob("*") if path.is_file()
    }
    return [
        str(name)
        for name in sorted(names)
        if not ((one / name).exists() and (other / name).exists())
        or content(one, name) != content(other, name)
    ]


def measure(folder: Path, workspace: Path, pictures: int, kills: int, crew: Crew) -> dict[str, Any]:
    """Do the three runs."""
    compose_pictures(folder, pictures)
    runs = {name: workspace / name for name in ("calm", "together", "killed")}
    calm = watch(folder, runs["calm"], ALONE)
    together = watch(folder, runs["together"], crew)
    killed = disturb(folder, runs["killed"], {ALONE: calm, crew: together}, kills)
    return {
        "pictures": pictures,
        "one process": asdict(calm),
        f"{crew.workers} {crew.engine}": asdict(together),
        "pictures a second": [
            round(pictures / calm.seconds, 2),
            round(pictures / together.seconds, 2),
        ],
        "ratio": round(calm.seconds / together.seconds, 2),
        "kills": killed,
        "files": sum(path.is_file() for path in runs["calm"].rglob("*")),
        "differ": [
            f"{name}/{path}"
            for name in ("together", "killed")
            for path in differences(runs["calm"], runs[name])
        ],
        "memory grows": any(
            run.memory_mb[3] > MOST_GROWTH * run.memory_mb[1] for run in (calm, together)
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", default="processes", choices=("processes", "ray"))
    parser.add_argument("--folder", type=Path, help="keep the pictures here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as workspace:
        folder = options.folder or Path(workspace) / "pictures"
        figures = measure(
            folder,
            Path(workspace),
            options.pictures,
            options.kills,
            Crew(options.workers, options.engine),
        )
    if options.json:
        print(json.dumps(figures))
    else:
        print(*(f"{name}: {value}" for name, value in figures.items()), sep="\n")
    if figures["differ"] or figures["memory grows"] or figures["kills"] < options.kills:
        sys.exit(1)


if __name__ == "__main__":
    main()
