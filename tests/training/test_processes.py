"""Batches that share a step: in one process one after the other, in two at the same time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from test_ema import Blobs  # noqa: E402
from torch import distributed, multiprocessing  # noqa: E402

from askmask.errors import ConfigError  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.loop import LoopSettings, fit  # noqa: E402
from askmask.training.run import TrainingRun  # noqa: E402

SETTINGS = LoopSettings(warmup_steps=3, average=0.9, accumulate=2, log_seconds=0)
BUDGET = Budget(steps=12)


def curve(folder: Path) -> list[float]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["cross"] for line in lines if "cross" in line]


def together(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    task = Blobs()
    measured = fit(task, TrainingRun(folder / "two", {}), BUDGET, SETTINGS)
    (folder / f"measured{rank}.json").write_text(json.dumps(measured))
    torch.save(task.model.state_dict(), folder / f"model{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_have_the_loss_curve_of_one(tmp_path: Path) -> None:
    fit(Blobs(), TrainingRun(tmp_path / "one", {}), BUDGET, SETTINGS)
    multiprocessing.spawn(together, (tmp_path,), nprocs=2)
    alone, shared = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert len(alone) == len(shared) == 12  # one line a step: only one process writes
    assert shared == pytest.approx(alone, abs=2e-4)
    models = [torch.load(tmp_path / f"model{rank}.pt", weights_only=True) for rank in (0, 1)]
    torch.testing.assert_close(*models, rtol=0, atol=0)


def test_accumulated_batches_count_as_one(tmp_path: Path) -> None:
    class Doubled(Blobs):
        """Both batches of a step in one, without what depends on the batch."""

        def batches(self, numbers: range, used: float):  # type: ignore[no-untyped-def]
            single = super().batches(range(2 * numbers.start, numbers.stop), used)
            for first, second in zip(single, single, strict=False):
                yield tuple(map(torch.cat, zip(first, second, strict=True)))

    ends = []
    for number, (task, accumulate) in enumerate([(Blobs(), 2), (Doubled(), 1)]):
        task.model = torch.nn.Linear(4, 1)
        torch.nn.init.zeros_(task.model.weight)
        torch.nn.init.zeros_(task.model.bias)
        settings = LoopSettings(warmup_steps=3, accumulate=accumulate)
        fit(task, TrainingRun(tmp_path / str(number), {}), BUDGET, settings)
        ends.append(task.model.weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-5)


def test_batches_that_cannot_be_shared_evenly_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    with pytest.raises(ConfigError, match="2 processes cannot share 1 batches"):
        fit(Blobs(), TrainingRun(tmp_path / "run", {}), BUDGET)
