"""Trainings on a data set of limited size: epochs, the best of which is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from askmask.formats.files import write_json
from askmask.training.budget import Budget
from askmask.training.loop import LoopSettings, TrainingTask, fit
from askmask.training.placement import Placement
from askmask.training.run import TrainingRun, load_model

__all__ = ["EpochTask", "shuffled", "train_epochs"]


class EpochTask(TrainingTask, Protocol):
    """A task whose batches come again in every epoch.

    Attributes:
        epoch: batches that show everything once.
        measured: whether there is something to measure on.
    """

    epoch: int
    measured: bool

    def save_pretrained(self, folder: Path) -> None:
        """Write what was learnt, as the model's class loads it."""


def shuffled(numbers: range, epoch: int) -> Iterator[tuple[int, int]]:
    """Numbers of batches, and which of `epoch` things each shows; every epoch has its order."""
    for number in numbers:
        turn, at = divmod(number, epoch)
        yield number, int(np.random.default_rng((turn, 1)).permutation(epoch)[at])


def train_epochs(
    task: EpochTask,
    recipe: Any,
    out: Path,
    budget: Budget,
    resume: bool,
    place: Placement,
    say: Callable[[str], None] = lambda message: None,
) -> Path:
    """Train, measuring after each epoch or as the loop says, and save; goes on where it stopped.

    Args:
        task: what is trained.
        recipe: dataclass of its settings, `loop`, `base` and `start_from` among them.
        out: run folder; gets `training/` with checkpoint and log, and `weights/`.
        budget: epochs, training time or steps.
        resume: go on in `out`.
        place: where the model computes, and is measured.
        say: told of each stage.

    Returns:
        The folder with the weights.

    Raises:
        ConfigError, OutputError: for a run folder of another recipe, or a used one.
    """
    loop: LoopSettings = recipe.loop
    steps = math.ceil(task.epoch / loop.accumulate)
    loop = replace(
        loop,
        evaluate_steps=loop.evaluate_steps or steps,
        best_by=loop.best_by if task.measured else "",
    )
    learnt = sum(each.numel() for group in task.parameter_groups() for each in group["params"])
    say(f"1/2 {learnt:,} parameters of {recipe.base}, {steps} steps an epoch, {budget}")
    if recipe.start_from is not None:
        load_model(task.model, Path(recipe.start_from) / "training")
    described = asdict(recipe)  # without the budget, which a resume may enlarge
    run = TrainingRun(out / "training", described, resume=resume)
    measured = fit(task, run, budget.counted(steps), loop, place)
    say("2/2 weights")
    weights = out / "weights"
    task.save_pretrained(weights)
    summary = {"recipe": described, "budget": str(budget), "held_out": measured}
    write_json(out / "run.json", summary)
    return weights
