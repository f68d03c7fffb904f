"""Teach the mask decoder of a published SAM whole shapes, as SAMEO does.

The image encoder and the prompt encoder stay as they were published. Each object is prompted by the
box of its visible part or of its whole shape, one time in two each: the first is what is known when
it is used, the second teaches the decoder to fill a box. The loss is focal and dice on the shape,
and the distance of the IoU that the model expects from the real one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from askmask.errors import DataError
from askmask.metrics.completion import completion_terms
from askmask.models.hub.amodal_sam import AmodalSam
from askmask.models.hub.loading import Where
from askmask.models.hub.prompts import Prompts, boxes_of
from askmask.models.hub.sam import Decoded, Sam
from askmask.rle import RLE, area, decode
from askmask.training.completer import SHOWN, guesses
from askmask.training.completer_pictures import Picture
from askmask.training.epochs import shuffled
from askmask.training.loop import LoopSettings
from askmask.training.partly import PartlyTrained
from askmask.training.placement import Placement
from askmask.training.studied import Studied, with_held_out

__all__ = ["AmodalSamRecipe", "AmodalSamTask"]

_LEAST_VISIBLE = 20
"""Fewest visible pixels of an object that is learnt."""


@dataclass(frozen=True)
class AmodalSamRecipe:
    """Settings of the training.

    Attributes:
        base: published SAM of any generation, a hub repository or a folder.
        data: data sets with amodal masks to learn from.
        images: folder of their pictures, where they lie elsewhere.
        validate: data set to measure on; None holds pictures back.
        masks: of a picture in a batch.
        learning_rate: peak of AdamW.
        amodal_boxes: share of objects that are prompted by the box of the whole shape.
        focal_weight: of the focal loss beside the dice loss, as SAM itself was trained.
        iou_weight: of the distance between expected and real IoU.
        start_from: run folder whose checkpoint the training starts from.
        validation_pictures: most pictures that are measured.
        loop: how it is trained, whatever it is; a batch is one picture.
        default_budget: when `--budget` is not given.
    """

    base: str = "facebook/sam-vit-base"
    data: tuple[str, ...] = ()
    images: str | None = None
    validate: str | None = None
    masks: int = 16
    learning_rate: float = 1e-4
    amodal_boxes: float = 0.5
    focal_weight: float = 20.0
    iou_weight: float = 0.05
    start_from: str | None = None
    validation_pictures: int = 200
    loop: LoopSettings = field(
        default_factory=lambda: LoopSettings(accumulate=4, clip_norm=1.0, best_by="amodal-IoU")
    )
    default_budget: str = "10 epochs"


class _Objects(NamedTuple):
    """Objects of one picture.

    Attributes:
        pixels: (1, 3, S, S) float32, the model's input.
        prompts: arguments of the model for the boxes.
        shapes: (M, h, w) float32, share of each cell of the decoder's grid inside the whole shape.
        used: (h, w) float32, 1 where the grid shows the picture.
    """

    pixels: Tensor
    prompts: dict[str, Tensor]
    shapes: Tensor
    used: Tensor


class AmodalSamTask:
    """The `EpochTask`; a batch is some objects of one picture."""

    def __init__(self, recipe: AmodalSamRecipe, place: Placement) -> None:
        """Load the model and list the pictures.

        Raises:
            ConfigError, DataError, WeightsError: see `with_held_out` and `Sam.load`.
        """
        self.recipe = recipe
        learnt, self._held_out = with_held_out(
            recipe.data, recipe.images, recipe.validate, recipe.validation_pictures
        )
        self._learnt = [one for one in learnt if _masks(one)]
        if not self._learnt:
            raise DataError(f"{', '.join(recipe.data)}: holds no amodal masks to learn from")
        where = Where(place.device.type)
        self.completer = AmodalSam(Sam.load(recipe.base, where), "in-training")
        network = self.completer.sam.model.requires_grad_(False)
        network.mask_decoder.requires_grad_(True)
        self.model = PartlyTrained(network)
        self.epoch, self.measured = len(self._learnt), bool(self._held_out)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The mask decoder."""
        learnt = [each for each in self.model.parameters() if each.requires_grad]
        return [{"params": learnt, "lr": self.recipe.learning_rate}]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[_Objects]:
        """The batches of these numbers; each epoch has an order of its own."""
        del used
        for number, place in shuffled(numbers, self.epoch):
            yield self._objects(self._learnt[place], np.random.default_rng((number, 2)))

    def _objects(self, studied: Studied, rng: np.random.Generator) -> _Objects:
        picture = _picture(studied)
        rows = rng.permutation(len(picture.modal))[: self.recipe.masks]
        modal, amodal = picture.modal[rows], picture.amodal[rows]
        whole = rng.random(len(rows)) < self.recipe.amodal_boxes
        prompted = np.where(whole[:, None, None], amodal, modal)
        sam = self.completer.sam
        placement = sam.placement(picture.image)
        used = torch.zeros(sam.grid_hw)
        placement.used(used)[:] = 1
        return _Objects(
            sam.preprocessing.pixels(picture.image, placement.input_hw[0]),
            sam.inputs(Prompts(boxes_xyxy=boxes_of(prompted)), placement),
            placement.grids(torch.from_numpy(amodal).float(), sam.grid_hw),
            used,
        )

    def loss(self, batch: _Objects) -> dict[str, Tensor]:
        """Focal and dice of the shapes, and the distance of the expected IoU."""
        logits, expected = (each[:, 0] for each in self._drawn(batch))
        wanted = (batch.shapes > 0.5).float()
        probability = logits.sigmoid() * batch.used
        shared = (probability * wanted).sum((1, 2))
        dice = 1 - (2 * shared + 1) / (probability.sum((1, 2)) + wanted.sum((1, 2)) + 1)
        inside = (logits > 0) * batch.used
        either = torch.maximum(inside, wanted).sum((1, 2)).clamp(min=1)
        real = (inside * wanted).sum((1, 2)) / either
        focal = (_focal(logits, wanted) * batch.used).sum((1, 2)) / batch.used.sum()
        return {
            "focal": self.recipe.focal_weight * focal.mean(),
            "dice": dice.mean(),
            "iou": self.recipe.iou_weight * (expected - real).abs().mean(),
        }

    def _drawn(self, batch: _Objects) -> Decoded:
        sam = self.completer.sam
        with torch.no_grad():
            seen = sam.model.get_image_embeddings(batch.pixels)
        # As where it is used: half precision cannot tell a pixel of 1024 from its neighbours.
        with torch.autocast(batch.pixels.device.type, enabled=False):
            return sam.ask(seen, batch.prompts, several=False)

    def evaluate(self) -> dict[str, float]:
        """The figures of `completion_terms` on the held-out pictures, from modal masks."""
        if not self._held_out:
            return {}
        terms = completion_terms(guesses(self.completer, map(_picture, self._held_out)))
        found = {name: terms[name].value for name in SHOWN}
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def save_pretrained(self, folder: Path) -> None:
        """Write the SAM as it is now."""
        self.completer.save_pretrained(folder)


def _masks(studied: Studied) -> list[tuple[RLE, RLE]]:
    """Modal and amodal masks of the objects that both are known of and that are seen at all."""
    return [
        (one.modal, one.amodal)
        for one in studied.objects
        if one.amodal is not None and area(one.modal) >= _LEAST_VISIBLE
    ]


def _picture(studied: Studied) -> Picture:
    """The picture with these objects."""
    image = studied.image()
    known = _masks(studied)
    modal, amodal = np.zeros((2, len(known), *image.shape[:2]), bool)
    for row, codes in enumerate(known):
        modal[row], amodal[row] = map(decode, codes)
    return Picture(image, modal, amodal | modal)


def _focal(logits: Tensor, wanted: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Cross-entropy that fades where the answer is right already (Lin et al. 2017), per cell."""
    cross = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    balance = alpha * wanted + (1 - alpha) * (1 - wanted)
    # exp(-cross) is the probability that was given to what is true.
    return balance * (1 - (-cross).exp()) ** gamma * cross
