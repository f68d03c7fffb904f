"""What LISA learns from a sentence: to say [SEG], and the fused mask that is asked for."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask import rle
from askmask.models.hub.loading import Where
from askmask.models.hub.published.tuned_lisa import TunedLisa
from askmask.models.mask_decoder import mask_losses
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.types import Answer

__all__ = ["LisaLearner"]

_OF_WORDS, _OF_CELLS, _OF_SHAPE = 1.0, 2.0, 0.5
"""Weights of the losses, of the paper: text, cross-entropy of the mask, and dice."""


class LisaLearner:
    """The `Learner` of `TunedLisa`."""

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the published checkpoint.

        Raises:
            ConfigError, WeightsError: see `PublishedLisa.load` and `add_lora`.
        """
        self.lisa = TunedLisa.new(recipe.base, where, recipe.lora)

    @property
    def network(self) -> nn.Module:
        """The language model with its adapters, and SAM."""
        return self.lisa.network

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Cross-entropy of the answer; cross-entropy and dice of all targets as one mask."""
        self.lisa.set_image(lesson.image)
        told = self.lisa.follow(lesson.record.to_query())
        record, placement = lesson.record, told.placement
        targets = [target.segmentation for target in record.targets]
        union = rle.decode(rle.union(targets, (record.height, record.width)))
        _, rows, columns = told.masks.shape
        grid = placement.grids(torch.from_numpy(union)[None].float(), (rows, columns))
        wanted = (placement.used(grid) > 0.5).float().to(told.masks.device)
        cross, dice = mask_losses(placement.used(told.masks), wanted, wanted.new_ones(1))
        return {
            "text": _OF_WORDS * functional.cross_entropy(told.words.float(), told.ids),
            "bce": _OF_CELLS * cross,
            "dice": _OF_SHAPE * dice,
        }

    def answer(self, lesson: Lesson) -> Answer:
        """Draw what is asked for."""
        self.lisa.set_image(lesson.image)
        return self.lisa.answer(lesson.record.to_query())

    def save_pretrained(self, folder: Path) -> None:
        """Write LISA as it is now."""
        self.lisa.save_pretrained(folder)
