"""Fine-tune a published model on sentences and masks, as R2SM does (its appendix A).

What learns is the learner's to say: mostly low-rank adapters in the language model and the parts
that segment and project, while the vision encoders and the rest of the language model stay. An
epoch shows every sentence once, and the epoch that is best by gIoU on held-out sentences is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.errors import DataError
from askmask.formats.prediction import prediction_from_answer
from askmask.formats.records import QueryRecord
from askmask.metrics.counts import Wanted, count
from askmask.metrics.iou import ciou, giou
from askmask.metrics.mask_type import mask_type_accuracy
from askmask.models.by_name import class_at
from askmask.models.hub.loading import Where
from askmask.models.hub.lora import LoraSettings
from askmask.training.epochs import shuffled
from askmask.training.loop import LoopSettings
from askmask.training.partly import PartlyTrained
from askmask.training.placement import Placement
from askmask.training.studied import Studied, with_held_out
from askmask.types import Answer

__all__ = ["Learner", "Lesson", "TuneRecipe", "TuneTask"]


@dataclass(frozen=True)
class TuneRecipe:
    """Settings of a fine-tuning.

    Attributes:
        learner: "module:Class" of the `Learner`.
        base: published model that it starts from, a hub repository, folder or file; for some with
            options after commas.
        data: data sets to learn from, of any format that `askmask data` knows.
        images: folder of their pictures, where they lie elsewhere.
        validate: data set to measure on; None holds pictures back.
        pool: where designs that choose among candidates have them from: "objects", the annotated
            objects of a picture, or a model that finds some.
        learning_rate: peak of AdamW.
        lora: adapters in the language model; of rank 0 for none.
        start_from: run folder whose checkpoint the training starts from.
        validation_pictures: most pictures whose sentences are measured.
        loop: how it is trained, whatever it is; a batch is one sentence.
        default_budget: when `--budget` is not given.
    """

    learner: str
    base: str
    data: tuple[str, ...] = ()
    images: str | None = None
    validate: str | None = None
    pool: str = "objects"
    learning_rate: float = 3e-4
    lora: LoraSettings = field(default_factory=LoraSettings)
    start_from: str | None = None
    validation_pictures: int = 100
    loop: LoopSettings = field(
        default_factory=lambda: LoopSettings(
            weight_decay=0.0, clip_norm=1.0, accumulate=2, best_by="gIoU"
        )
    )
    default_budget: str = "10 epochs"


class Lesson(NamedTuple):
    """A sentence about a picture, and what it asks for.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        record: the sentence and its targets.
        studied: all that is known of the picture.
        number: of the batch, for what is drawn at random; None where nothing is.
    """

    image: NDArray[np.uint8]
    record: QueryRecord
    studied: Studied
    number: int | None


class Learner(Protocol):
    """A published model that can be fine-tuned; the class is called with a recipe and a place."""

    def __init__(self, recipe: TuneRecipe, where: Where) -> None:
        """Load the model; afterwards only what learns requires gradients."""

    @property
    def network(self) -> nn.Module:
        """Everything that computes."""
        ...

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """Parts of the loss; their sum is minimised."""
        ...

    def answer(self, lesson: Lesson) -> Answer:
        """What the model answers as it is now."""
        ...

    def save_pretrained(self, folder: Path) -> None:
        """Write what was learnt, as the model's class loads it."""
        ...


class TuneTask:
    """The `EpochTask` of every `Learner`."""

    def __init__(self, recipe: TuneRecipe, place: Placement) -> None:
        """Load the model and list the sentences.

        Raises:
            ConfigError, DataError, WeightsError: when data or model cannot be used.
        """
        self.recipe = recipe
        learnt, held_out = with_held_out(
            recipe.data, recipe.images, recipe.validate, recipe.validation_pictures
        )
        self._learnt, self._held_out = _asked(learnt), _asked(held_out)
        if not self._learnt:
            raise DataError(f"{', '.join(recipe.data)}: holds no sentences to learn from")
        torch.manual_seed(0)
        self.learner: Learner = class_at(recipe.learner)(recipe, Where(place.device.type))
        self.model = PartlyTrained(self.learner.network)
        self.epoch, self.measured = len(self._learnt), bool(self._held_out)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All that learns."""
        learnt = [each for each in self.model.parameters() if each.requires_grad]
        return [{"params": learnt, "lr": self.recipe.learning_rate}]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[Lesson]:
        """The batches of these numbers; each epoch has an order of its own."""
        del used
        for number, place in shuffled(numbers, self.epoch):
            studied, record = self._learnt[place]
            yield Lesson(studied.image(), record, studied, number)

    def loss(self, batch: Lesson) -> dict[str, Tensor]:
        """The learner's own."""
        return self.learner.loss(batch)

    def evaluate(self) -> dict[str, float]:
        """IoUs of fused masks, and the share of right mask types, where they are known."""
        if not self._held_out:
            return {}
        records = [record for _, record in self._held_out]
        predictions = [
            prediction_from_answer(
                record.id, self.learner.answer(Lesson(studied.image(), record, studied, None))
            )
            for studied, record in self._held_out
        ]
        plain = Wanted(instances=False, pairs=False, rims=False, twins=False)
        counts = count(records, predictions, plain)
        terms = {
            "gIoU": giou(counts),
            "cIoU": ciou(counts),
            "mask-type": mask_type_accuracy(counts),
        }
        found = {name: one.value for name, one in terms.items()}
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def save_pretrained(self, folder: Path) -> None:
        """Write what was learnt, as the model's class loads it."""
        self.learner.save_pretrained(folder)


def _asked(pictures: list[Studied]) -> list[tuple[Studied, QueryRecord]]:
    return [(studied, record) for studied in pictures for record in studied.queries]
