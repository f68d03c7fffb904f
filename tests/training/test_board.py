"""What TensorBoard shows is what the log holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("tensorboard")

from askmask.training.board import Board
from askmask.training.run import TrainingRun


def shown(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, round(event.value, 4)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def log(run: TrainingRun, steps: range) -> None:
    for step in steps:
        run.log({"step": step, "seconds": 2.0 * step, "mask": 1 / step})
    run.log({"step": steps[-1], "seconds": 9.0, "evaluation": 1, "iou": 0.5})


def test_a_killed_run_shows_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = TrainingRun(folder, {"recipe": "x"})
    log(run, range(1, 4))
    run.save({})
    log(run, range(4, 6))  # lost with the kill
    again = TrainingRun(folder, {"recipe": "x"}, resume=True)
    again.load()
    log(again, range(4, 8))
    again.close()
    assert shown(folder / "tensorboard") == {
        "training/mask": [(step, round(1 / step, 4)) for step in range(1, 8)],
        "held out/iou": [(3, 0.5), (7, 0.5)],
    }
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 3, 4, 5, 6, 7, 7]


def test_without_tensorboard_there_is_the_log_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    board = Board(tmp_path / "board")
    board.show({"step": 1, "mask": 1.0})
    board.close()
    assert not (tmp_path / "board").exists()
