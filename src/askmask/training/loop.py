"""The training loop that every recipe shares."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from rich.console import Console
from torch import Tensor, nn

from askmask.training.budget import Budget
from askmask.training.run import TrainingRun

__all__ = ["LoopSettings", "TrainingTask", "evaluate", "fit"]


class TrainingTask(Protocol):
    """What differs between trainings."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for AdamW; each has its own peak learning rate under "lr"."""
        ...

    def batches(self, start: int, used: float) -> Iterator[Any]:
        """Endless batches from number `start` on, when the share `used` of the budget is gone."""
        ...

    def restarts_at(self) -> tuple[float, ...]:
        """Shares of the budget at which `batches` is asked anew."""
        ...

    def loss(self, batch: Any) -> dict[str, Tensor]:
        """Parts of the loss; their sum is minimised."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Measures on held-out data, for the log."""
        ...


@dataclass(frozen=True)
class LoopSettings:
    """Seconds between checkpoints and evaluations, and the optimiser's settings."""

    weight_decay: float = 0.02
    warmup_steps: int = 100
    clip_norm: float = 5.0
    log_seconds: float = 20.0
    checkpoint_seconds: float = 60.0
    evaluate_seconds: float = 300.0


def fit(
    task: TrainingTask, run: TrainingRun, budget: Budget, settings: LoopSettings | None = None
) -> dict[str, float]:
    """Train until the budget is used; continue from the run's checkpoint when it has one.

    Interrupting (Ctrl-C) saves a checkpoint first. A kill loses at most the time since the last
    checkpoint.

    Returns:
        The last evaluation.
    """
    settings = settings or LoopSettings()
    console = Console(file=sys.stderr)
    optimiser = torch.optim.AdamW(task.parameter_groups(), weight_decay=settings.weight_decay)
    peaks = [group["lr"] for group in optimiser.param_groups]
    step, seconds = _restore(task, optimiser, run)
    used = budget.used(seconds, step)
    batches = task.batches(step, used)
    restarts = [share for share in task.restarts_at() if share > used]
    last_log = last_save = last_evaluation = seconds
    sums: dict[str, float] = {}
    count = 0
    task.model.train()
    try:
        while (used := budget.used(seconds, step)) < 1.0:
            if restarts and used >= restarts[0]:
                batches = task.batches(step, used)
                restarts.pop(0)
            started = time.monotonic()
            rate = _rate(step, used, settings.warmup_steps)
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * rate
            parts = task.loss(next(batches))
            total = torch.stack(list(parts.values())).sum()
            optimiser.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(task.model.parameters(), settings.clip_norm)
            optimiser.step()
            step += 1
            seconds += time.monotonic() - started
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            count += 1
            if seconds - last_log >= settings.log_seconds:
                means = {name: round(value / count, 4) for name, value in sums.items()}
                run.log({"step": step, "seconds": round(seconds, 1), **means})
                console.print(
                    f"{100 * used:5.1f}%  step {step}  {seconds:.0f}s of {budget}  "
                    + "  ".join(f"{name} {value:.3f}" for name, value in means.items()),
                    highlight=False,
                )
                sums, count, last_log = {}, 0, seconds
            if seconds - last_evaluation >= settings.evaluate_seconds:
                _evaluate(task, run, step, seconds, console)
                last_evaluation = seconds
            if seconds - last_save >= settings.checkpoint_seconds:
                _save(task, optimiser, run, step, seconds)
                last_save = seconds
    finally:
        _save(task, optimiser, run, step, seconds)
    return _evaluate(task, run, step, seconds, console)


def _rate(step: int, used: float, warmup_steps: int) -> float:
    """Linear warm-up, then a cosine over the budget down to 1 % of the peak."""
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * used))
    return min(1.0, (step + 1) / warmup_steps) * cosine


def evaluate(task: TrainingTask) -> dict[str, float]:
    """Measure a task on its held-out data; its model is ready to be trained afterwards."""
    task.model.eval()
    with torch.no_grad():
        measured = task.evaluate()
    task.model.train()
    return {name: round(value, 4) for name, value in measured.items()}


def _evaluate(
    task: TrainingTask, run: TrainingRun, step: int, seconds: float, console: Console
) -> dict[str, float]:
    measured = evaluate(task)
    run.log({"step": step, "seconds": round(seconds, 1), "evaluation": 1, **measured})
    console.print(f"step {step}: {measured}", highlight=False)
    return measured


def _save(
    task: TrainingTask,
    optimiser: torch.optim.Optimizer,
    run: TrainingRun,
    step: int,
    seconds: float,
) -> None:
    run.save(
        {
            "model": task.model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "seconds": seconds,
        }
    )


def _restore(
    task: TrainingTask, optimiser: torch.optim.Optimizer, run: TrainingRun
) -> tuple[int, float]:
    state = run.load()
    if state is None:
        return 0, 0.0
    task.model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["seconds"])
