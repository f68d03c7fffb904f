"""Budgets, run folders and the loop, on a model with one weight."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from askmask.errors import ConfigError, OutputError  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.loop import LoopSettings, fit  # noqa: E402
from askmask.training.run import TrainingRun, load_model  # noqa: E402


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40m", Budget(seconds=2400)),
        ("1.5h", Budget(seconds=5400)),
        ("90 s", Budget(seconds=90)),
        ("5000 steps", Budget(steps=5000)),
    ],
)
def test_budget_is_read(text: str, expected: Budget) -> None:
    assert Budget.parse(text) == expected


@pytest.mark.parametrize("text", ["", "40", "0m", "-3m", "ten minutes", "4 days"])
def test_budget_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--budget: expected"):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("small", Budget(seconds=600)),
        ("base", Budget(seconds=2400)),
        ("Large", Budget(seconds=9600)),
        ("90s", Budget(seconds=90)),
    ],
)
def test_budgets_named_after_the_recipes_own(text: str, expected: Budget) -> None:
    assert Budget.parse(text, "40m") == expected


def test_a_named_budget_needs_a_recipe() -> None:
    with pytest.raises(ConfigError, match="expected small, base, large or"):
        Budget.parse("small")


def test_seconds_left() -> None:
    assert Budget(seconds=100).left(30, 7) == 70
    assert Budget(steps=40).left(30, 10) == 90
    assert Budget(steps=40).left(30, 50) == 0


def test_used_share() -> None:
    assert Budget(steps=10).used(1e9, 5) == 0.5
    assert Budget(seconds=10).used(5, 10**9) == 0.5
    assert Budget(seconds=100).share(0.25) == Budget(seconds=25)


class Line:
    """Fit y = 3 x; the batches depend on their number only, as the loop demands."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(1, 1, bias=False)
        self.stop_at, self.seen = stop_at, []  # type: ignore[var-annotated]

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.model.parameters()), "lr": 0.2}]

    def restarts_at(self) -> tuple[float, ...]:
        return (0.5,)

    def batches(self, numbers: range, used: float) -> Iterator[int]:
        for number in numbers:
            if number == self.stop_at:
                raise KeyboardInterrupt
            self.seen.append(number)
            yield number

    def loss(self, batch: int) -> dict[str, torch.Tensor]:
        x = torch.tensor([[float(batch % 5 + 1)]])
        return {"square": (self.model(x) - 3 * x).square().mean()}

    def evaluate(self) -> dict[str, float]:
        return {"weight": float(self.model.weight)}


SETTINGS = LoopSettings(weight_decay=0, warmup_steps=5, checkpoint_seconds=1e9, log_seconds=0)


def test_loop_learns_and_an_interrupted_run_ends_the_same(tmp_path: Path) -> None:
    recipe = {"name": "line"}
    whole = fit(Line(), TrainingRun(tmp_path / "a", recipe), Budget(steps=80), SETTINGS)
    assert whole["weight"] == pytest.approx(3, abs=0.05)
    with pytest.raises(KeyboardInterrupt):
        fit(Line(stop_at=33), TrainingRun(tmp_path / "b", recipe), Budget(steps=80), SETTINGS)
    task = Line()
    rest = fit(task, TrainingRun(tmp_path / "b", recipe, resume=True), Budget(steps=80), SETTINGS)
    assert task.seen[0] == 33
    assert rest == whole
    lines = (tmp_path / "b" / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines if "evaluation" not in json.loads(line)]
    assert steps == sorted(set(steps))  # nothing lost or doubled


def test_a_used_folder_is_refused_without_resume_or_with_another_recipe(tmp_path: Path) -> None:
    TrainingRun(tmp_path / "run", {"rate": 1})
    with pytest.raises(OutputError, match="holds a run already"):
        TrainingRun(tmp_path / "run", {"rate": 1})
    with pytest.raises(ConfigError, match="other values of \\['rate'\\]"):
        TrainingRun(tmp_path / "run", {"rate": 2}, resume=True)


def test_a_model_starts_from_another_run(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run", {"name": "line"})
    run.save({"model": {"weight": torch.full((1, 1), 3.0)}})
    task = Line()
    load_model(task.model, tmp_path / "run")
    assert task.model.weight.item() == 3.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such checkpoint; name the --out folder"),
        (b"", "expected a checkpoint of the same recipe"),
        (b"cos\nsystem\n(S'true'\ntR.", "expected a checkpoint of the same recipe"),
        ({"step": 3}, "expected a checkpoint of the same recipe"),
        ({"model": {"weight": torch.zeros(2, 2)}}, "expected a checkpoint of the same recipe"),
    ],
)
def test_other_files_are_refused_as_a_start(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "checkpoint.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ConfigError, match=message):
        load_model(Line().model, tmp_path)
