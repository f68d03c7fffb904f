"""Runs in several processes: the same answers as one, and nothing lost or left behind by a kill."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake import FakeSegmenter, load_slow
from PIL import Image

from askmask.errors import AskmaskError
from askmask.formats.askmask import QueryRecord, write_queries
from askmask.runs.predict import predict

FAKE = Path(__file__).with_name("fake.py")


def ask(folder: Path, pictures: int, *texts: str) -> Path:
    """Write pictures and a queries file that asks every text about each."""
    records = []
    for number in range(pictures):
        pixels = np.full((6, 8, 3), number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        records += [
            QueryRecord(f"{number}-{text}", f"{number}.png", 6, 8, text, ()) for text in texts
        ]
    write_queries(folder / "queries.jsonl", records)
    return folder / "queries.jsonl"


def lines(run: Path) -> list[str]:
    return sorted((run / "predictions.jsonl").read_text().splitlines())


def test_two_processes_answer_as_one_does(tmp_path: Path) -> None:
    queries = ask(tmp_path, 5, "mug", "crash", "cup")
    one, two = tmp_path / "one", tmp_path / "two"
    alone = predict(FakeSegmenter(), queries, one)
    together = predict(FakeSegmenter(), queries, two, workers=2, load=load_slow)
    assert together == alone
    assert lines(two) == lines(one)
    assert sorted((two / "errors.jsonl").read_text()) == sorted((one / "errors.jsonl").read_text())


def test_a_killed_process_ends_the_run_which_can_go_on(tmp_path: Path) -> None:
    queries = ask(tmp_path, 2, "mug", "die")
    with pytest.raises(AskmaskError, match=r"one of 2 worker processes ended.*--resume"):
        predict(FakeSegmenter(), queries, tmp_path / "run", workers=2, load=load_slow)
    assert json.loads((tmp_path / "run" / "run.json").read_text()).get("finished") is None


def test_kills_at_random_moments_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = ask(tmp_path, 12, "mug", "cup", "box")
    calm, run, workers = tmp_path / "calm", tmp_path / "run", tmp_path / "workers"
    workers.mkdir()
    monkeypatch.setenv("FAKE_WORKERS", str(workers))
    predict(FakeSegmenter(), queries, calm)
    moments = random.Random(7)
    seen: list[str] = []
    for count in (2, 1, 2):
        command = [sys.executable, FAKE, queries, run, count, len(seen) + moments.randint(1, 9)]
        assert subprocess.run([str(word) for word in command]).returncode == -signal.SIGKILL
        now = (run / "predictions.jsonl").read_text().splitlines()
        assert now[: len(seen)] == seen
        assert len(seen) < len(now) < 36
        seen = now
    end = predict(FakeSegmenter(), queries, run, resume=True)
    assert (end.done, end.total) == (36, 36)
    assert lines(run) == lines(calm)
    assert len(list(workers.iterdir())) >= 2
    assert wait_until(lambda: not any(alive(int(path.name)) for path in workers.iterdir()))


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 90
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def alive(process: int) -> bool:
    """Whether the process runs; one that nobody has buried yet does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
