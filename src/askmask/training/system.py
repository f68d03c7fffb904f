"""Train any of the seven systems on the same pictures and sentences, with the same settings.

First on modal masks alone (base), then, from there, on all mask types (dagger), as R2SM compares
systems before and after fine-tuning (its table 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from askmask.errors import ConfigError
from askmask.formats.files import write_json
from askmask.models.embedded.text_net import TextTower
from askmask.models.system import Bars, Reply, System, Truth, chosen_slots
from askmask.models.system_segmenter import TYPES
from askmask.models.system_weights import build_system, save_system
from askmask.models.trunk import start_from_proposer
from askmask.pantry.language.banks import Pool
from askmask.training.asked_pictures import (
    SEEDS,
    Lesson,
    StreamSettings,
    asked_picture,
    collate,
    lessons,
)
from askmask.training.budget import Budget
from askmask.training.exported import exported_proposer
from askmask.training.feed import fed, workers_for
from askmask.training.loop import fit
from askmask.training.placement import Placement
from askmask.training.run import TrainingRun, load_model
from askmask.training.samples import VALIDATION_SEEDS
from askmask.training.system_bars import best_bars, fused_iou

__all__ = ["BASE", "DAGGER", "SystemRecipe", "SystemTask", "train_system"]

BASE = ("modal",)
"""Mask types of the first training."""

DAGGER = ("modal", "amodal", "hidden")
"""Mask types of the fine-tuning."""


@dataclass(frozen=True)
class SystemRecipe:
    """Settings that are the same for every system, but for its name and options.

    Attributes:
        system: key of `SYSTEMS`.
        size: key of `trunk.SIZES`.
        options: of the design.
        types: mask types that are asked for, `BASE` or `DAGGER`.
        pictures: in a batch.
        sentences: about each picture.
        learning_rate: peak of AdamW.
        eyes_rate: peak for eyes and pixel decoder that start from a trained proposer.
        pool: model whose proposer gives candidates to the systems that want some.
        image_from: name or folder of embedded weights whose proposer gives the eyes; and the pool.
        start_from: run folder of the same system to start from.
        validation_pictures: held-out pictures, for each of the two pools of wordings.
        seed: of parameters and pictures, one of `asked_pictures.SEEDS`.
        workers: processes that compose pictures; None for what the cores allow.
        default_budget: when `--budget` is not given.
    """

    system: str
    size: str = "small"
    options: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[str, ...] = BASE
    pictures: int = 4
    sentences: int = 8
    learning_rate: float = 5e-4
    eyes_rate: float = 2e-4
    pool: str = "embedded-v1"
    image_from: str | None = None
    start_from: str | None = None
    validation_pictures: int = 60
    seed: int = 0
    workers: int | None = None
    default_budget: str = "30m"

    def __post_init__(self) -> None:
        if self.seed not in SEEDS:
            raise ConfigError(f"seed: expected 0 to {SEEDS[-1]}, got {self.seed}")


class SystemTask:
    """The `TrainingTask` of every system."""

    def __init__(self, recipe: SystemRecipe) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.seed)
        self.model: System = build_system(recipe.system, recipe.size, dict(recipe.options))
        if recipe.image_from is not None:
            _open_eyes(self.model, recipe.image_from)
        self.settings = StreamSettings(
            size=self.model.size,
            types=recipe.types,
            pictures=recipe.pictures,
            sentences=recipe.sentences,
            pool=recipe.pool if self.model.wants_pool else None,
            seed=recipe.seed,
        )

    @cached_property
    def _tower(self) -> TextTower:
        return TextTower.from_minilm().eval().requires_grad_(False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Eyes that can see already learn more slowly."""
        seeing = [each for part in self.model.seeing() for each in part.parameters()]
        known = {id(parameter) for parameter in seeing}
        rest = [each for each in self.model.parameters() if id(each) not in known]
        recipe = self.recipe
        rate = recipe.learning_rate if recipe.image_from is None else recipe.eyes_rate
        return [{"params": seeing, "lr": rate}, {"params": rest, "lr": recipe.learning_rate}]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[Lesson]:
        """The batches of these numbers."""
        del used
        window, workers = self.settings.window, self.recipe.workers
        made = partial(lessons, self.settings)
        return fed(made, numbers, workers_for(window) if workers is None else workers)

    def loss(self, batch: Lesson) -> dict[str, Tensor]:
        """The system's own losses."""
        pictures, asked, truth = self._read(batch)
        return self.model.loss(self.model.see(pictures), asked, truth)

    def _read(self, batch: Lesson) -> Any:
        device = next(self.model.parameters()).device
        return batch.to(device).read(self._tower.to(device))

    def evaluate(self) -> dict[str, float]:
        """Figures of fused masks on held-out pictures, for each pool of wordings.

        `giou.modal` and so on are mean IoUs of the sentences with targets, by mask type; `type` the
        share of right mask types; `none` and `some` the accuracy of "nothing fits" where nothing
        fits and where something does.
        """
        found: dict[str, list[float]] = {}
        for pool, batches in self._held_out.items():
            for batch in batches:
                pictures, asked, truth = self._read(batch)
                seen = self.model.see(pictures)
                judged = _judged(self.model.reply(seen, asked), truth)
                for name, values in self.model.figures(seen, asked, truth).items():
                    judged[name] = values.tolist()
                for name, each in judged.items():
                    found.setdefault(f"{name}.{pool}", []).extend(each)
        return {name: float(np.mean(values)) for name, values in found.items() if values}

    def bars(self) -> Bars:
        """Bars for the model as it is now, by held-out pictures and wordings to learn from."""
        self.model.eval()
        with torch.inference_mode():
            return best_bars(self._replies(self._held_out["train"]))

    def _replies(self, batches: Iterable[Lesson]) -> Iterator[tuple[Reply, Truth]]:
        for batch in batches:
            pictures, asked, truth = self._read(batch)
            yield self.model.reply(self.model.see(pictures), asked), truth

    @cached_property
    def _held_out(self) -> dict[Pool, list[Lesson]]:
        """Sentences of every mask type, also for a training on modal masks alone."""
        settings = replace(self.settings, types=DAGGER)
        seeds = range(VALIDATION_SEEDS, VALIDATION_SEEDS + self.recipe.validation_pictures)
        found: dict[Pool, list[Lesson]] = {}
        for pool in get_args(Pool):
            pictures = [asked_picture(seed, settings, pool) for seed in seeds]
            asked = [picture for picture in pictures if picture.questions]
            step = self.recipe.pictures
            found[pool] = [
                collate(asked[first : first + step], settings)
                for first in range(0, len(asked), step)
            ]
        return found


def _open_eyes(system: System, weights: str) -> None:
    proposer = exported_proposer(weights)
    if not start_from_proposer(system.seeing(), proposer.state_dict()):
        raise ConfigError(
            f"--image-from: the proposer of {weights} has other sizes than the system"
        )


def _judged(reply: Reply, truth: Truth) -> dict[str, list[float]]:
    chosen = chosen_slots(reply)
    iou = fused_iou(reply, chosen, truth).tolist()
    empty = (~chosen.any(1)).tolist()
    right = (reply.types.argmax(1) == truth.types).float().tolist()
    found: dict[str, list[float]] = {"type": right, "none": [], "some": []}
    for row, nothing in enumerate((truth.none > 0).tolist()):
        found["none" if nothing else "some"].append(float(empty[row] == nothing))
        if not nothing:
            found.setdefault(f"giou.{TYPES[int(truth.types[row])]}", []).append(iou[row])
    return found


def train_system(
    recipe: SystemRecipe,
    out: Path,
    budget: Budget,
    resume: bool,
    place: Placement | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Path:
    """Train and save; goes on where it stopped.

    Args:
        recipe: settings.
        out: run folder; gets `training/` with checkpoint and log, and `weights/`.
        budget: training time or steps.
        resume: go on in `out`.
        place: where the training steps compute; None for the CPU.
        say: told of each stage.

    Returns:
        The folder with the weights.

    Raises:
        ConfigError, OutputError: for a run folder of another recipe, or a used one.
    """
    task = SystemTask(recipe)
    described = asdict(recipe)  # without the budget, which a resume may enlarge
    count = sum(parameter.numel() for parameter in task.model.parameters())
    say(f"1/2 {recipe.system} of {count:,} parameters, {' + '.join(recipe.types)}, {budget}")
    if recipe.start_from is not None:
        load_model(task.model, Path(recipe.start_from) / "training")
    measured = fit(
        task, TrainingRun(out / "training", described, resume=resume), budget, place=place
    )
    say("2/2 bars and weights")
    task.model.bars = task.bars()
    weights = out / "weights"
    weights.mkdir(exist_ok=True)
    pool = recipe.pool if task.model.wants_pool else None
    digest = save_system(task.model, recipe.size, weights, pool)
    summary = {
        "recipe": described,
        "budget": str(budget),
        "parameters": count,
        "sha256": digest,
        "held_out": measured,
    }
    write_json(out / "run.json", summary)
    return weights
