"""Epochs as budgets, the best weights instead of the last, and checkpoints of what learns alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from askmask.errors import ConfigError  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.epochs import shuffled  # noqa: E402
from askmask.training.loop import LoopSettings, fit  # noqa: E402
from askmask.training.partly import PartlyTrained  # noqa: E402
from askmask.training.run import TrainingRun  # noqa: E402
from askmask.training.schedule import share_of_peak  # noqa: E402


def test_epochs_become_steps() -> None:
    budget = Budget.parse("2.5 epochs")
    assert str(budget) == "2.5 epochs"
    assert budget.counted(10) == Budget(steps=25)
    assert Budget(steps=7).counted(10) == Budget(steps=7)
    assert Budget.parse("small", "10 epochs") == Budget(epochs=2.5)
    with pytest.raises(ConfigError, match=r"has no epochs, got 2\.5 epochs; give time or steps"):
        budget.used(0, 0)


def test_an_epoch_shows_everything_once_and_the_next_in_another_order() -> None:
    shown = [place for _, place in shuffled(range(40), 20)]
    assert sorted(shown[:20]) == sorted(shown[20:]) == list(range(20))
    assert shown[:20] != shown[20:]
    assert [place for _, place in shuffled(range(5, 40, 2), 20)] == shown[5::2]


def test_schedules() -> None:
    assert share_of_peak(0, 0.0, 10, "cosine") == pytest.approx(0.1)
    assert share_of_peak(99, 1.0, 10, "cosine") == pytest.approx(0.01)
    assert [share_of_peak(99, used, 10, "step") for used in (0.1, 0.79, 0.8)] == [1, 1, 0.1]
    with pytest.raises(ConfigError, match=r"loop\.schedule: expected cosine or step, got 'poly'"):
        LoopSettings(schedule="poly")


class Passing:
    """A weight that goes from 0 to 3 and is best near 2."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.model.weight)
        self.stop_at = stop_at

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.model.parameters()), "lr": 0.1}]

    def restarts_at(self) -> tuple[float, ...]:
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[int]:
        for number in numbers:
            if number == self.stop_at:
                raise KeyboardInterrupt
            yield number

    def loss(self, batch: int) -> dict[str, torch.Tensor]:
        return {"square": (self.model(torch.ones(1, 1)) - 3).square().mean()}

    def evaluate(self) -> dict[str, float]:
        weight = float(self.model.weight)
        return {"near": -abs(weight - 2), "weight": weight}


SETTINGS = LoopSettings(
    weight_decay=0, warmup_steps=1, log_seconds=1e9, evaluate_steps=4, best_by="near"
)


@pytest.mark.parametrize("stop_at", [None, 70])
def test_the_best_weights_are_kept_also_over_an_interruption(
    tmp_path: Path, stop_at: int | None
) -> None:
    last = fit(
        Passing(),
        TrainingRun(tmp_path / "last", {}),
        Budget(steps=80),
        replace(SETTINGS, best_by=""),
    )
    assert last["weight"] > 2.5
    if stop_at is not None:
        with pytest.raises(KeyboardInterrupt):
            fit(Passing(stop_at), TrainingRun(tmp_path / "a", {}), Budget(steps=80), SETTINGS)
    task = Passing()
    run = TrainingRun(tmp_path / "a", {}, resume=stop_at is not None)
    best = fit(task, run, Budget(steps=80), SETTINGS)
    assert best["weight"] == pytest.approx(2, abs=0.3)
    assert float(task.model.weight.detach()) == pytest.approx(best["weight"], abs=1e-4)
    assert best["best_step"] % 4 == 0
    assert best["best_step"] < 70


def test_a_measure_that_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of near, weight, got 'gIoU'"):
        fit(
            Passing(),
            TrainingRun(tmp_path, {}),
            Budget(steps=4),
            replace(SETTINGS, best_by="gIoU"),
        )


def test_checkpoints_hold_what_learns_alone() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    network[0].requires_grad_(False)
    partly = PartlyTrained(network)
    state = partly.state_dict()
    assert set(state) == {"network.1.weight", "network.1.bias"}
    assert "0.weight" in network.state_dict()  # alone it is whole
    kept = network[0].weight.clone()
    partly.load_state_dict({name: value + 1 for name, value in state.items()})
    assert torch.equal(network[0].weight, kept)
    assert float(network[1].weight[0].detach()) == 2
    del state["network.1.bias"]
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"network.1.bias\""):
        partly.load_state_dict(state)


def test_only_what_learns_drops_and_no_statistics_move() -> None:
    frozen, learning = (
        torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()) for _ in range(2)
    )
    norm = torch.nn.BatchNorm1d(2)
    frozen.requires_grad_(False)
    partly = PartlyTrained(torch.nn.ModuleList([frozen, learning, norm])).train()
    assert [part[1].training for part in (frozen, learning)] == [False, True]
    norm(torch.randn(4, 2))
    assert norm.running_mean.tolist() == [0, 0]
    assert not partly.eval().network[1][1].training
