"""What PSALM learns from a sentence: proposals that match its targets, and which of them it means.

The loss of the authors' code (`pretrain_criterion.py`), that of Mask2Former but for the class: at
every layer of the decoder targets are matched to proposals by their masks alone, and what was
matched fits the sentence. Masks are compared on all cells instead of sampled ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from askmask.models.hub.loading import Where
from askmask.models.hub.published.tuned_psalm import TunedPsalm
from askmask.models.psalm import proposal_losses
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.training.hub_tuned import TunedLearner, on_grid

__all__ = ["PsalmLearner"]

_OF_CLASS, _OF_CELLS, _OF_SHAPE = 2.0, 5.0, 5.0
"""Weights of the losses: fitting, cross-entropy of matched masks, and dice."""


class PsalmLearner(TunedLearner[TunedPsalm]):
    """The `Learner` of `TunedPsalm`."""

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the published checkpoint; see `TunedLearner`."""
        super().__init__(TunedPsalm, recipe, where)

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Losses of matched masks and of fitting, added over the layers of the decoder."""
        record = lesson.record
        found = self.model.follow(lesson.image, record.to_query())
        codes = [target.segmentation for target in record.targets]
        wanted = on_grid(codes, record, found.placement, found.layers[0][0])
        counted = torch.ones(1, len(wanted), dtype=torch.bool)
        layers = [
            proposal_losses(
                found.placement.used(masks)[None],
                meant[None],
                wanted[None],
                counted,
                class_weight=_OF_CLASS,
                cross_weight=_OF_CELLS,
                dice_weight=_OF_SHAPE,
            )
            for masks, meant in found.layers
        ]
        return {name: torch.stack([one[name] for one in layers]).sum() for name in layers[0]}
