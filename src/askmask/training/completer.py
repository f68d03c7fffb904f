"""The completer: what it learns from, its loss, its measures on held-out scenes, and its weights.

The loss is cross-entropy on the complete shape with extra weight on the hidden region, dice on the
whole shape and on the hidden part alone, and cross-entropy between the expected IoU and the real.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from askmask.formats.files import write_json
from askmask.metrics.completion import Guess, completion_terms, judge_guess
from askmask.models.completer.config import CompleterConfig
from askmask.models.completer.crop_completer import CropCompleter
from askmask.models.completer.net import CompleterNet
from askmask.models.completer.weights import CompleterWeights
from askmask.models.completion import MaskCompleter
from askmask.training.budget import Budget
from askmask.training.completer_pictures import (
    Picture,
    areas,
    composed,
    made_strange,
    read_rendered,
)
from askmask.training.completer_samples import CropBatch, crop_batches
from askmask.training.export import export_completer
from askmask.training.loop import LoopSettings, fit
from askmask.training.placement import Placement
from askmask.training.run import TrainingRun, load_model
from askmask.training.samples import VALIDATION_SEEDS

__all__ = ["SHOWN", "CompleterRecipe", "CompleterTask", "guesses", "train_completer"]

_LEAST_VISIBLE = 20
"""Fewest visible pixels of a held-out object that is measured."""

_LEAST_HIDDEN = 8.0
"""Fewest hidden cells of a crop whose hidden part has a dice loss of its own."""

_THRESHOLDS = (0.4, 0.45, 0.5, 0.55)

SHOWN = ("amodal-IoU", "amodal-IoU-occluded", "hidden-IoU", "added-to-whole", "confidence-error")
"""Figures of `completion_terms` that a training logs."""


@dataclass(frozen=True)
class CompleterRecipe:
    """Settings of the completer's training.

    Attributes:
        scenes: composed scenes that a batch is cut from.
        crops: crops a batch.
        small_cells: height and width of crops in the first part of the budget, which cost less.
        small_share: length of that part.
        learning_rate: peak of AdamW.
        hidden_weight: weight of cells in the hidden region, beside 1 elsewhere.
        renders: benchmark folders of rendered scenes that are mixed in.
        render_share: share of scenes from them.
        validation_scenes: held-out scenes, measured as they are and made strange.
        workers: processes that make samples beside the training; None for what the cores allow.
        loop: how it is trained, whatever it is.
        start_from: run folder whose checkpoint the training starts from.
        config: sizes and thresholds.
        default_budget: when `--budget` is not given.
    """

    scenes: int = 6
    crops: int = 32
    small_cells: int = 96
    small_share: float = 0.5
    learning_rate: float = 2e-3
    hidden_weight: float = 3.0
    renders: tuple[str, ...] = ()
    render_share: float = 0.2
    validation_scenes: int = 60
    workers: int | None = None
    loop: LoopSettings = field(default_factory=LoopSettings)
    start_from: str | None = None
    config: CompleterConfig = field(default_factory=CompleterConfig)
    default_budget: str = "30m"


class CompleterTask:
    """The `TrainingTask` of the completer."""

    def __init__(self, recipe: CompleterRecipe) -> None:
        self.recipe = recipe
        torch.manual_seed(0)
        self.model = CompleterNet(recipe.config)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One group for everything."""
        return [{"params": list(self.model.parameters()), "lr": self.recipe.learning_rate}]

    def batches(self, numbers: range, used: float) -> Iterator[CropBatch]:
        """Endless crops, small ones first; the loop asks anew when `restarts_at` is passed."""
        recipe = self.recipe
        cells = recipe.small_cells if used < recipe.small_share else recipe.config.cells
        return crop_batches(
            numbers,
            scenes=recipe.scenes,
            crops=recipe.crops,
            config=replace(recipe.config, cells=cells),
            renders=[Path(folder) for folder in recipe.renders],
            render_share=recipe.render_share,
            workers=recipe.workers,
        )

    def restarts_at(self) -> tuple[float, ...]:
        """Shares of the budget at which the batches change."""
        return (self.recipe.small_share,)

    def loss(self, batch: CropBatch) -> dict[str, Tensor]:
        """Losses of the shape, of its hidden part and of the expected IoU."""
        crops = _inputs(batch)
        logits, quality = self.model(crops)
        truth, modal = batch.amodal.float(), crops[:, 3]
        hidden = truth * (1 - modal)
        weight = batch.inside * (1 + self.recipe.hidden_weight * hidden)
        cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        probability = logits.sigmoid() * batch.inside
        beyond = _dice(probability * (1 - modal), hidden)
        counted = (hidden.sum((1, 2)) >= _LEAST_HIDDEN).float()
        return {
            "cross": 4 * (cross * weight).sum() / weight.sum().clamp(min=1),
            "dice": _dice(probability, truth).mean(),
            "hidden": (beyond * counted).sum() / counted.sum().clamp(min=1),
            "quality": 0.5 * _quality_loss(quality, probability.detach(), modal, truth),
        }

    def evaluate(self) -> dict[str, float]:
        """The figures of `completion_terms` on held-out scenes, as they are and made strange."""
        completer = self.completer(self.recipe.config)
        found: dict[str, float] = {}
        for prefix, pictures in (("", self._held_out), ("strange.", self._strange)):
            terms = completion_terms(guesses(completer, pictures))
            found |= {f"{prefix}{name}": terms[name].value for name in SHOWN}
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def completer(self, config: CompleterConfig) -> CropCompleter:
        """The network as it is now, behind the interface of the exported one."""

        def judge(crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            with torch.no_grad():
                logits, quality = self.model(torch.from_numpy(crops))
            return logits.numpy(), quality.numpy()

        return CropCompleter(config, judge, "in-training")

    @cached_property
    def _held_out(self) -> list[Picture]:
        seeds = range(VALIDATION_SEEDS, VALIDATION_SEEDS + self.recipe.validation_scenes)
        return [composed(seed) for seed in seeds]

    @cached_property
    def _strange(self) -> list[Picture]:
        rng = np.random.default_rng(23)
        return [made_strange(picture, self._held_out, rng) for picture in self._held_out]

    def calibrated(self) -> CompleterConfig:
        """The configuration with threshold and confidence fitted to the held-out scenes."""
        self.model.eval()
        pictures = [*self._held_out, *self._strange]
        plain = replace(self.recipe.config, confidence_weights=(1.0, 0.0))
        best: tuple[float, CompleterConfig, list[Guess]] | None = None
        for threshold in _THRESHOLDS:
            config = replace(plain, threshold=threshold)
            judged = guesses(self.completer(config), pictures)
            terms = completion_terms(judged)
            score = terms["hidden-IoU"].value + terms["amodal-IoU"].value
            if best is None or score > best[0]:
                best = score, config, judged
        assert best is not None
        _, config, judged = best
        return replace(config, confidence_weights=_fitted(judged))


def _inputs(batch: CropBatch) -> Tensor:
    """(B, 5, S, S) as `Window.crop` makes them."""
    inside = batch.inside[:, None].float()
    # `normalise` in torch, on the training's side of the queue: bytes travel quicker.
    image = (batch.image.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.25 * inside
    crops = torch.cat([image, batch.modal[:, None].float() / 255, inside], 1)
    return crops.contiguous(memory_format=torch.channels_last)


def _dice(probability: Tensor, truth: Tensor) -> Tensor:
    """(B,) of (B, S, S)."""
    shared = (probability * truth).sum((1, 2))
    return 1 - (2 * shared + 1) / (probability.sum((1, 2)) + truth.sum((1, 2)) + 1)


def _quality_loss(quality: Tensor, probability: Tensor, modal: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy between the expected IoU, as logits (B,), and the IoU of the answer."""
    shape = (torch.maximum(probability, modal) > 0.5).float()
    iou = (shape * truth).sum((1, 2)) / torch.maximum(shape, truth).sum((1, 2)).clamp(min=1)
    return functional.binary_cross_entropy_with_logits(quality, iou)


def guesses(completer: MaskCompleter, pictures: Iterable[Picture]) -> list[Guess]:
    """Complete the objects of pictures from their exact modal masks, and judge each."""
    found = []
    for number, picture in enumerate(pictures):
        rows = np.flatnonzero(areas(picture.modal) >= _LEAST_VISIBLE)
        done = completer.complete_masks(picture.image, picture.modal[rows])
        for place, row in enumerate(rows):
            masks = picture.modal[row], picture.amodal[row], done.amodal[place]
            found.append(judge_guess(number, *masks, confidence=float(done.confidence[place])))
    return found


def _fitted(guesses: list[Guess], steps: int = 30) -> tuple[float, float]:
    """Slope and offset of the logit at which the confidence is best, by Newton's method."""
    sure = np.clip([one.confidence for one in guesses], 1e-4, 1 - 1e-4)
    right = np.array([one.amodal_iou for one in guesses])
    features = np.stack([np.log(sure / (1 - sure)), np.ones_like(sure)], 1)
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        now = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (now - right) / len(right) + 1e-3 * (weights - [1, 0])
        curve = features.T @ (features * (now * (1 - now))[:, None]) / len(right)
        weights = weights - np.linalg.solve(curve + 1e-3 * np.eye(2), slope)
    return round(float(weights[0]), 4), round(float(weights[1]), 4)


def train_completer(
    recipe: CompleterRecipe,
    out: Path,
    budget: Budget,
    resume: bool,
    place: Placement | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Path:
    """Train, calibrate and export; goes on where it stopped.

    Args:
        recipe: settings.
        out: run folder; gets `training/` with checkpoint and log, and `weights/`.
        budget: training time or steps.
        resume: go on in `out`.
        place: where the training steps compute, the CPU if None.
        say: told of each stage.

    Returns:
        The folder with the exported weights.

    Raises:
        DataError: when a folder of rendered scenes cannot be read.
        ConfigError, OutputError: for a run folder of another recipe, or a used one.
    """
    read_rendered([Path(folder) for folder in recipe.renders])  # a worker would say it worse
    task = CompleterTask(recipe)
    described = asdict(recipe)  # without the budget, which a resume may enlarge
    say(f"1/2 completer, {budget}")
    if recipe.start_from is not None:
        load_model(task.model, Path(recipe.start_from) / "training")
    run = TrainingRun(out / "training", described, resume=resume)
    measured = fit(task, run, budget, recipe.loop, place)
    say("2/2 calibration and export")
    config = task.calibrated()
    weights = out / "weights"
    weights.mkdir(exist_ok=True)
    export_completer(task.model, weights / "completer.onnx")
    task.model.save_pretrained(out / "network")
    write_json(weights / "config.json", config.to_json())
    summary = {
        "recipe": described,
        "budget": str(budget),
        "sha256": CompleterWeights(str(weights)).seal(),
        "held_out": measured,
    }
    write_json(out / "run.json", summary)
    return weights
