"""What the learners of published systems have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from askmask import rle
from askmask.errors import ConfigError
from askmask.formats.records import QueryRecord
from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.tuned import Tuned
from askmask.rle import RLE
from askmask.training.hub_tune import Lesson, TuneRecipe
from askmask.types import Answer

__all__ = ["TunedLearner", "fused", "on_grid"]

T = TypeVar("T", bound=Tuned)


class TunedLearner(ABC, Generic[T]):
    """The `Learner` of a published system; subclasses say what it learns from a sentence.

    Attributes:
        model: the system.
    """

    def __init__(self, tuned: type[T], recipe: TuneRecipe, where: Where) -> None:
        """Load the published checkpoint.

        Raises:
            ConfigError: without one.
            ConfigError, WeightsError: see `Tuned.new`.
        """
        if not recipe.base:
            raise ConfigError(
                f"--base: {tuned.system} is on no hub; name the file that its authors published"
            )
        self.model: T = tuned.new(recipe.base, where, recipe.lora)

    @property
    def network(self) -> nn.Module:
        """Everything that computes."""
        return self.model.network

    @abstractmethod
    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Parts of the paper's loss; their sum is minimised."""

    def answer(self, lesson: Lesson) -> Answer:
        """What the system answers as it is now."""
        self.model.set_image(lesson.image)
        return self.model.answer(lesson.record.to_query())

    def save_pretrained(self, folder: Path) -> None:
        """Write the system as it is now."""
        self.model.save_pretrained(folder)


def fused(record: QueryRecord) -> RLE:
    """All targets of a sentence as one mask, empty where there are none."""
    targets = [target.segmentation for target in record.targets]
    return rle.union(targets, (record.height, record.width))


def on_grid(
    codes: Sequence[RLE], record: QueryRecord, placement: Placement, like: Tensor
) -> Tensor:
    """Masks as a system draws them.

    Args:
        codes: N masks in the picture's size; N may be 0.
        record: tells that size.
        placement: where the picture lies in the input.
        like: (…, h, w) what was drawn, on a grid over the input.

    Returns:
        (N, rows, columns) float 0 and 1, of the part of the grid that the picture covers.
    """
    dense = np.zeros((len(codes), record.height, record.width), np.float32)
    for number, code in enumerate(codes):
        dense[number] = rle.decode(code)
    if not len(codes):
        return placement.used(like.new_zeros(0, *like.shape[-2:]))
    grid = placement.grids(torch.from_numpy(dense), (like.shape[-2], like.shape[-1]))
    return (placement.used(grid) > 0.5).float().to(like.device)
