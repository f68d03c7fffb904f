"""The running average of the weights, and what the loop makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from askmask.training.budget import Budget  # noqa: E402
from askmask.training.ema import WeightAverage  # noqa: E402
from askmask.training.loop import LoopSettings, evaluate, fit  # noqa: E402
from askmask.training.run import TrainingRun, load_model  # noqa: E402


class Blobs:
    """Tell two clouds apart, with batch norm, dropout and a few wrong labels."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
        )
        self.stop_at = stop_at

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.model.parameters()), "lr": 0.05}]

    def restarts_at(self) -> tuple[float, ...]:
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[tuple[Tensor, Tensor]]:
        for number in numbers:
            if number == self.stop_at:
                raise KeyboardInterrupt
            yield clouds(number)

    def loss(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        points, labels = batch
        logits = self.model(points)[:, 0]
        return {"cross": functional.binary_cross_entropy_with_logits(logits, labels)}

    def evaluate(self) -> dict[str, float]:
        return {"loss": float(self.loss(clouds(10**6))["cross"])}


def clouds(number: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(number)
    labels = torch.randint(2, (32,), generator=generator).float()
    points = torch.randn(32, 4, generator=generator) + labels[:, None]
    return points, labels


SETTINGS = LoopSettings(warmup_steps=3, average=0.9, log_seconds=0)


def test_the_average_is_what_the_formula_says() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, 0.5)
    with torch.no_grad():
        model.weight.fill_(1)
    average.restart()
    expected = 1.0
    for step, value in enumerate([3.0, -2.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]):
        with torch.no_grad():
            model.weight.fill_(value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    with average.in_place():
        assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 4.0


def test_what_others_load_and_what_is_evaluated_is_the_average(tmp_path: Path) -> None:
    task = Blobs()
    run = TrainingRun(tmp_path / "run", {"name": "blobs"})
    measured = fit(task, run, Budget(steps=20), SETTINGS)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert not torch.equal(state["model"]["0.weight"], state["live"]["0.weight"])
    torch.testing.assert_close(state["model"], dict(task.model.state_dict()), rtol=0, atol=0)
    for name in ("1.running_mean", "1.num_batches_tracked"):
        assert torch.equal(state["model"][name], state["live"][name])
    other = Blobs()
    load_model(other.model, tmp_path / "run")
    assert evaluate(other) == measured


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_killed_run_ends_bit_for_bit_as_an_undisturbed_one(
    tmp_path: Path, average: float
) -> None:
    settings = LoopSettings(warmup_steps=3, average=average, checkpoint_seconds=1e9)
    budget, ends = Budget(steps=25), []
    for name, stops in (("whole", [None]), ("killed", [7, 19, None])):
        for stop in stops:
            run = TrainingRun(tmp_path / name, {"name": "blobs"}, resume=stop != stops[0])
            try:
                fit(Blobs(stop), run, budget, settings)
            except KeyboardInterrupt:
                assert stop is not None
        ends.append(torch.load(tmp_path / name / "checkpoint.pt", weights_only=True))
    for end in ends:
        del end["seconds"], end["metrics_bytes"]
    torch.testing.assert_close(*ends, rtol=0, atol=0)
