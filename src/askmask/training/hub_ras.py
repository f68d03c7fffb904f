"""What RAS on a multimodal language model learns from a sentence: which candidates belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from askmask.errors import ConfigError
from askmask.formats.records import Entity, QueryRecord
from askmask.models.hub.loading import Where
from askmask.models.hub.ras import RasSelector
from askmask.models.pipeline import Pipeline
from askmask.models.registry import load
from askmask.rle import iou_matrix
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.types import Answer, Candidates, Masks

__all__ = ["RasLearner", "belonging"]

_MATCH = 0.5
"""Least modal IoU of a candidate with the target that it stands for (the paper gives no rule)."""

_POSITIVE = 2.0
"""Weight of candidates that belong, in the binary cross-entropy (the paper gives no number)."""


class RasLearner:
    """The `Learner` of `RasSelector`."""

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the language model, and the model that finds candidates if one does.

        Raises:
            ConfigError: when that model has no candidates.
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        self.selector = RasSelector.new(recipe.base, where, recipe.lora)
        self._finder: Pipeline | None = None
        if recipe.pool != "objects":
            finder = load(recipe.pool)
            if not isinstance(finder, Pipeline):
                raise ConfigError(f"pool: {recipe.pool} has no candidates; name another model")
            self._finder = finder

    @property
    def network(self) -> nn.Module:
        """The language model and what RAS adds to it."""
        return self.selector.network

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Binary cross-entropy of all candidates, which come in any order."""
        candidates = self._candidates(lesson)
        wanted = belonging(candidates.modal, lesson.record)
        order = np.random.default_rng((lesson.number or 0, 3)).permutation(len(wanted))
        logits = self.selector.logits(
            lesson.image, candidates.modal[order], lesson.record.to_query()
        )
        # Where targets exist but no candidate is one, there is nothing to learn about the pool.
        if not len(logits) or (lesson.record.targets and not wanted.any()):
            learnt = next(each for each in self.network.parameters() if each.requires_grad)
            return {"select": 0 * learnt.sum()}
        truth = torch.from_numpy(wanted[order]).to(logits)
        weight = logits.new_tensor(_POSITIVE)
        return {
            "select": functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weight)
        }

    def answer(self, lesson: Lesson) -> Answer:
        """Choose among the candidates of the picture."""
        query = lesson.record.to_query()
        return self.selector.select(lesson.image, self._candidates(lesson), query)

    def save_pretrained(self, folder: Path) -> None:
        """Write the selector as it is now."""
        self.selector.save_pretrained(folder)

    def _candidates(self, lesson: Lesson) -> Candidates:
        if self._finder is not None:
            return self._finder.with_image(lesson.image).candidates
        if not lesson.studied.objects:
            raise ConfigError(
                f"{lesson.studied.path}: has no annotated objects to choose among; let a model "
                "find some, e.g. --set pool=embedded-v1"
            )
        return _annotated(lesson.studied.objects, (lesson.record.height, lesson.record.width))


def _annotated(objects: tuple[Entity, ...], size_hw: tuple[int, int]) -> Candidates:
    modal = Masks.from_rles([one.modal for one in objects], size_hw)
    amodal = Masks.from_rles([one.amodal or one.modal for one in objects], size_hw)
    return Candidates(modal, amodal, np.ones(len(objects), np.float32))


def belonging(candidates: Masks, record: QueryRecord) -> NDArray[np.bool_]:
    """(N,) bool, whether the visible part of each candidate is that of a target."""
    seen = [target.modal or target.segmentation for target in record.targets]
    return np.asarray((iou_matrix(candidates.rles, seen) >= _MATCH).any(1))
