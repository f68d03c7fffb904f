"""What ReLA learns from a sentence: the fused mask, which regions hold it, and whether it is none.

The loss of the authors' code (`criterion.py`): three cross-entropies of two classes each. A region
holds a target where its middle does.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from askmask.models.hub.loading import Where
from askmask.models.hub.published.tuned_rela import TunedRela
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.training.hub_tuned import TunedLearner, fused, on_grid

__all__ = ["RelaLearner"]

_OF_REGIONS, _OF_NONE = 0.1, 0.1
"""Weights of the losses beside that of the mask."""

_BALANCE = (0.9, 1.1)
"""Weights of the classes: not meant and meant, something and nothing."""


class RelaLearner(TunedLearner[TunedRela]):
    """The `Learner` of `TunedRela`."""

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the published checkpoint; see `TunedLearner`."""
        super().__init__(TunedRela, recipe, where)

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Cross-entropies of the mask in the input's size, of regions, and of "nothing fits"."""
        record = lesson.record
        voted, placement = self.model.follow(lesson.image, record.to_query())
        large = functional.interpolate(voted.masks[None], placement.input_hw, mode="bilinear")
        wanted = on_grid([fused(record)], record, placement, large)
        side = math.isqrt(len(voted.votes))
        held = functional.interpolate(wanted[None], (side, side), mode="bilinear")
        none = torch.tensor([not record.targets], device=large.device)
        balance = large.new_tensor(_BALANCE)

        def cross(logits: Tensor, classes: Tensor) -> Tensor:
            return functional.cross_entropy(logits, classes.long(), balance)

        return {
            "mask": cross(large, wanted),
            "minimap": _OF_REGIONS * cross(voted.votes, held.flatten()),
            "none": _OF_NONE * cross(voted.absent[None], none),
        }
