"""What LISA, GLaMM and PixelLM learn from a sentence: to say the marks of the mask asked for."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from askmask.models.hub.loading import Where
from askmask.models.hub.published.tuned_speakers import (
    TunedGlamm,
    TunedLisa,
    TunedPixellm,
    TunedSpeaker,
)
from askmask.models.mask_decoder import mask_losses
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.training.hub_tuned import TunedLearner, fused, on_grid

__all__ = ["GlammLearner", "LisaLearner", "PixellmLearner", "SpokenLearner"]

_OF_WORDS, _OF_CELLS, _OF_SHAPE = 1.0, 2.0, 0.5
"""Weights of the losses, of all three papers: text, cross-entropy of the mask, and dice."""


class SpokenLearner(TunedLearner[TunedSpeaker]):
    """The `Learner` of a `TunedSpeaker`, which subclasses name."""

    tuned: ClassVar[type[TunedSpeaker]]

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the published checkpoint; see `TunedLearner`."""
        super().__init__(self.tuned, recipe, where)

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Cross-entropy of the answer; cross-entropy and dice of all targets as one mask."""
        told = self.model.follow(lesson.image, lesson.record.to_query())
        wanted = on_grid([fused(lesson.record)], lesson.record, told.placement, told.masks)
        drawn = told.placement.used(told.masks)
        cross, dice = mask_losses(drawn, wanted, wanted.new_ones(1))
        return {
            "text": _OF_WORDS * functional.cross_entropy(told.words.float(), told.ids),
            "bce": _OF_CELLS * cross,
            "dice": _OF_SHAPE * dice,
        }


class LisaLearner(SpokenLearner):
    """Learns LISA (arXiv 2308.00692)."""

    tuned = TunedLisa


class GlammLearner(SpokenLearner):
    """Learns GLaMM (arXiv 2311.03356)."""

    tuned = TunedGlamm


class PixellmLearner(SpokenLearner):
    """Learns PixelLM (arXiv 2312.02228); one mask has no overlaps for its refinement loss."""

    tuned = TunedPixellm
