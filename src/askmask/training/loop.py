"""The training loop that every recipe shares."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from rich.console import Console
from torch import Tensor, nn

from askmask.errors import ConfigError
from askmask.training.best import BestWeights
from askmask.training.budget import Budget
from askmask.training.ema import WeightAverage
from askmask.training.placement import Placement
from askmask.training.processes import Processes
from askmask.training.run import TrainingRun
from askmask.training.schedule import SCHEDULES, Every, duration, share_of_peak

__all__ = ["FOREVER", "LoopSettings", "Training", "TrainingTask", "evaluate", "fit"]

FOREVER = 1 << 62
"""End of the range of batch numbers."""


class TrainingTask(Protocol):
    """What differs between trainings."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for AdamW; each has its own peak learning rate under "lr"."""
        ...

    def batches(self, numbers: range, used: float) -> Iterator[Any]:
        """The batches of these numbers, when the share `used` of the budget is gone.

        What a batch holds depends on its number alone, so that a resumed training sees the same.
        """
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
    """How a model is trained, whatever it is.

    Attributes:
        weight_decay: of AdamW.
        warmup_steps: until the learning rate has its peak.
        schedule: course of the learning rate after that, one of `SCHEDULES`.
        clip_norm: longest gradient.
        average: decay of the weights' running average, which then is what is evaluated, exported
            and started from by others; 0 for the last weights.
        accumulate: batches whose gradients are averaged in a step.
        log_seconds: training time between lines of the log.
        checkpoint_seconds: between checkpoints.
        evaluate_seconds: between evaluations.
        evaluate_steps: the same in steps, e.g. of an epoch; 0 to go by seconds.
        best_by: measure of the evaluation whose weights are kept in the end, the higher the better;
            "" for the last weights.
    """

    weight_decay: float = 0.02
    warmup_steps: int = 100
    schedule: str = "cosine"
    clip_norm: float = 5.0
    average: float = 0.0
    accumulate: int = 1
    log_seconds: float = 20.0
    checkpoint_seconds: float = 60.0
    evaluate_seconds: float = 300.0
    evaluate_steps: int = 0
    best_by: str = ""

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ConfigError(
                f"loop.schedule: expected {' or '.join(SCHEDULES)}, got {self.schedule!r}"
            )


def fit(
    task: TrainingTask,
    run: TrainingRun,
    budget: Budget,
    settings: LoopSettings | None = None,
    place: Placement | None = None,
) -> dict[str, float]:
    """Train until the budget is used; continue from the run's checkpoint when it has one.

    Interrupting (Ctrl-C) saves a checkpoint first. A kill loses at most the time since the last
    checkpoint. Either way a training with a budget of steps ends as an undisturbed one.

    Several processes (see `Processes`) share the batches of a step between them; they take the same
    steps as one that accumulates them all.

    Returns:
        The last evaluation, or the best one with `best_by`, whose weights the model then has; it is
        where the placement has it rest.

    Raises:
        ConfigError: when the batches of a step cannot be shared evenly between the processes.
    """
    training = Training(task, run, settings or LoopSettings(), place or Placement())
    training.restore()
    with closing(run):
        try:
            training.go_on(budget)
        finally:
            training.save()
        return training.finish()


class Training:
    """Everything that changes while a task is trained."""

    def __init__(
        self, task: TrainingTask, run: TrainingRun, settings: LoopSettings, place: Placement
    ) -> None:
        self.task, self.run, self.settings, self.place = task, run, settings, place
        self.processes = Processes()
        if settings.accumulate % self.processes.count:
            raise ConfigError(
                f"{self.processes.count} processes cannot share {settings.accumulate} batches a "
                "step evenly: accumulate a multiple"
            )
        task.model.to(place.device)
        self.optimiser = torch.optim.AdamW(
            task.parameter_groups(), weight_decay=settings.weight_decay, fused=True
        )
        self.peaks = [group["lr"] for group in self.optimiser.param_groups]
        self.average = WeightAverage(task.model, settings.average)
        self.best = BestWeights(run.folder, settings.best_by)
        self.console = Console(file=sys.stderr)
        self.step, self.seconds = 0, 0.0
        self.measured: tuple[int, dict[str, float]] | None = None
        self.sums: dict[str, Tensor] = {}
        self.summed = 0

    def go_on(self, budget: Budget) -> None:
        """Take steps until the budget is used."""
        settings = self.settings
        log = Every(settings.log_seconds, self.seconds)
        save = Every(settings.checkpoint_seconds, self.seconds)
        by_steps = settings.evaluate_steps > 0
        evaluation = (
            Every(settings.evaluate_steps, self.step - self.step % settings.evaluate_steps)
            if by_steps
            else Every(settings.evaluate_seconds, self.seconds)
        )
        used = budget.used(self.seconds, self.step)
        batches = self._batches(used)
        restarts = [share for share in self.task.restarts_at() if share > used]
        self.task.model.train()
        while (used := budget.used(self.seconds, self.step)) < 1.0:
            if restarts and used >= restarts[0]:
                batches = self._batches(used)
                restarts.pop(0)
            started = time.monotonic()
            self.take_step(batches, used)
            self.seconds += self.processes.of_first(time.monotonic() - started)
            if log.is_due(self.seconds):
                self._log(budget)
            if evaluation.is_due(self.step if by_steps else self.seconds):
                with self.average.in_place():
                    self._evaluate()
                self.task.model.to(self.place.device)
            if save.is_due(self.seconds):
                self.save()

    def _batches(self, used: float) -> Iterator[Any]:
        numbers = range(self.step * self.settings.accumulate, FOREVER)
        return self.task.batches(numbers[self.processes.rank :: self.processes.count], used)

    def take_step(self, batches: Iterator[Any], used: float) -> None:
        """Learn from the next batches when the share `used` of the budget is gone."""
        rate = share_of_peak(self.step, used, self.settings.warmup_steps, self.settings.schedule)
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate
        self.optimiser.zero_grad(set_to_none=True)
        mine = range(
            self.step * self.settings.accumulate, (self.step + 1) * self.settings.accumulate
        )
        mine = mine[self.processes.rank :: self.processes.count]
        for number in mine:
            self.place.seed(number)  # dropout too depends on the batch's number only
            batch = self.place.put(next(batches))
            with self.place.computing():
                parts = self.task.loss(batch)
            total = torch.stack(list(parts.values())).sum() / len(mine)
            total.backward()  # type: ignore[no-untyped-call]
            for name, value in parts.items():
                self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value.detach()
            self.summed += 1
        self.processes.average_gradients(self.task.model)
        nn.utils.clip_grad_norm_(self.task.model.parameters(), self.settings.clip_norm)
        self.optimiser.step()
        self.processes.average_buffers(self.task.model)
        self.average.update(self.step)
        self.step += 1

    def _log(self, budget: Budget) -> None:
        sums = zip(self.sums, self.processes.average(self.sums.values()), strict=True)
        means = {name: round(float(value) / self.summed, 4) for name, value in sums}
        self.sums, self.summed = {}, 0
        if not self.processes.first:
            return
        self.run.log({"step": self.step, "seconds": round(self.seconds, 1), **means})
        self.console.print(
            f"{100 * budget.used(self.seconds, self.step):5.1f}%  step {self.step}  "
            f"{self.seconds:.0f}s of {budget}  "
            f"{duration(budget.left(self.seconds, self.step))} left  "
            + "  ".join(f"{name} {value:.3f}" for name, value in means.items()),
            highlight=False,
        )

    def _evaluate(self) -> dict[str, float]:
        self.task.model.to(self.place.rest)
        measured = evaluate(self.task)
        self.measured = self.step, measured
        if not self.processes.first:
            return measured
        self.best.offer(self.task.model, measured, self.step)
        at = {"step": self.step, "seconds": round(self.seconds, 1)}
        self.run.log({**at, "evaluation": 1, **measured})
        self.console.print(f"step {self.step}: {measured}", highlight=False)
        return measured

    def save(self) -> None:
        """Write the checkpoint: "model" is the average, "live" what is trained if it differs."""
        model = self.task.model
        if not self.processes.first:
            return
        state = {
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        if self.average.decay:
            state["live"] = copy.deepcopy(model.state_dict())
        with self.average.in_place():
            self.run.save({"model": model.state_dict(), **state})

    def restore(self) -> None:
        """Go back to the checkpoint, if there is one."""
        state = self.run.load()
        if state is None:
            return
        self.task.model.load_state_dict(state["model"])
        self.average.restart()
        self.task.model.load_state_dict(state.get("live", state["model"]))
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def finish(self) -> dict[str, float]:
        """Leave the average as the model, and measure it; or go back to the best weights."""
        self.average.swap()
        if self.measured is None or self.measured[0] < self.step:
            self._evaluate()
        assert self.measured is not None
        best = self.best.put_back(self.task.model.to(self.place.rest))
        return best or self.measured[1]


def evaluate(task: TrainingTask) -> dict[str, float]:
    """Measure a task on its held-out data; its model is ready to be trained afterwards."""
    task.model.eval()
    with torch.no_grad():
        measured = task.evaluate()
    task.model.train()
    return {name: round(value, 4) for name, value in measured.items()}
