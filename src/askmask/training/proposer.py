"""Train the proposer: centres, modal and amodal masks, and an appearance that tells objects apart.

Dense assignment after CondInst and FCOS centre sampling: the cells nearest to the centroid of an
object's visible part are its positives. Focal loss on centres (Lin et al. 2017), dice and weighted
cross-entropy on both masks with extra weight on the hidden region, and two auxiliary losses on
the pooled appearance (category, colours) so that mask tokens carry what sentences talk about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.decode import decode_proposals
from askmask.models.embedded.picture import normalise
from askmask.models.embedded.proposer_net import ProposerNet, dynamic_masks
from askmask.pantry.colours import COLOURS
from askmask.training.loop import LoopSettings
from askmask.training.proposer_batches import ProposerBatch, proposer_batches
from askmask.training.samples import (
    VALIDATION_SEEDS,
    Sample,
    categories,
    read_renders,
    scene_sample,
)

__all__ = ["ProposerRecipe", "ProposerTask", "best_candidates"]


@dataclass(frozen=True)
class ProposerRecipe:
    """Settings of the proposer's training.

    Attributes:
        small_hw: input for the first part of the budget, which costs less.
        small_share: length of that part.
        batch: pictures a step.
        positives: most candidates a step that the mask head is trained on.
        learning_rate: peak of AdamW.
        hidden_weight: weight of pixels in the hidden region, beside 1 elsewhere.
        auxiliary_weight: weight of the category and colour losses.
        renders: benchmark folders of rendered scenes that are mixed in.
        render_share: share of samples from them.
        validation_scenes: composed scenes that the evaluation uses.
        looks: times that a composed scene comes.
        loop: how it is trained, whatever it is.
    """

    small_hw: tuple[int, int] = (192, 256)
    small_share: float = 0.6
    batch: int = 12
    positives: int = 140
    learning_rate: float = 2e-3
    hidden_weight: float = 3.0
    auxiliary_weight: float = 0.3
    renders: tuple[str, ...] = ()
    render_share: float = 0.08
    validation_scenes: int = 100
    looks: int = 2
    loop: LoopSettings = field(default_factory=LoopSettings)


class _Trained(nn.Module):
    """The network with the heads that only training needs."""

    def __init__(self, config: EmbeddedConfig) -> None:
        super().__init__()
        self.net = ProposerNet(config)
        self.category = nn.Linear(config.appearance, len(categories()))
        self.colours = nn.Linear(config.appearance, len(COLOURS))


class ProposerTask:
    """The `TrainingTask` of the proposer."""

    def __init__(
        self,
        recipe: ProposerRecipe,
        config: EmbeddedConfig | None = None,
        validate: str | None = None,
    ) -> None:
        self.recipe, self.validate = recipe, validate
        self.config = config or EmbeddedConfig()
        torch.manual_seed(0)
        self.model = _Trained(self.config)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._held_out: dict[str, list[Sample]] = {}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One group for everything."""
        return [{"params": list(self.model.parameters()), "lr": self.recipe.learning_rate}]

    def batches(self, numbers: range, used: float) -> Iterator[ProposerBatch]:
        """Small pictures first; the loop asks anew when `restarts_at` is passed."""
        recipe = self.recipe
        return proposer_batches(
            numbers,
            size=recipe.batch,
            positives=recipe.positives,
            input_hw=recipe.small_hw if used < recipe.small_share else self.config.input_hw,
            looks=recipe.looks,
            renders=[Path(folder) for folder in recipe.renders],
            render_share=recipe.render_share,
        )

    def restarts_at(self) -> tuple[float, ...]:
        """Shares of the budget at which the batches change."""
        return (self.recipe.small_share,)

    def loss(self, batch: ProposerBatch) -> dict[str, Tensor]:
        """Centre, mask, category and colour losses of one batch."""
        # `normalise` in torch: bytes travel quicker.
        images = (batch.image.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.25
        images = images.contiguous(memory_format=torch.channels_last)
        maps = self.model.net(images)
        with torch.autocast(images.device.type, enabled=False):  # masks are drawn by fractions
            centre, parameters, masks, appearance = (one.float() for one in maps)
            picture, cells = batch.picture, batch.cells
            logits = dynamic_masks(
                self.config, masks, parameters[picture, :, cells[:, 0], cells[:, 1]], picture, cells
            )
            truth = batch.masks.float()
            hidden = (truth[:, 1] - truth[:, 0]).clamp(min=0)[:, None]
            weight = 1 + self.recipe.hidden_weight * hidden
            cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
            return {
                "centre": _focal(centre, batch.centre.float()),
                "mask": 2 * _dice(logits, truth).mean() + 4 * (cross * weight).mean(),
                **self._auxiliary(batch, appearance),
            }

    def _auxiliary(self, batch: ProposerBatch, appearance: Tensor) -> dict[str, Tensor]:
        coverage = functional.adaptive_avg_pool2d(
            batch.visible.float(), (appearance.shape[2], appearance.shape[3])
        ).flatten(1)
        coverage = coverage / coverage.sum(1, keepdim=True).clamp(min=1e-3)
        features = appearance.flatten(2).transpose(1, 2)  # (B, h * w, D)
        parts = zip(torch.split(coverage, list(batch.counts)), features, strict=True)
        tokens = torch.cat([part @ seen for part, seen in parts])
        named = functional.cross_entropy(
            self.model.category(tokens), batch.category, ignore_index=-1, label_smoothing=0.05
        )
        # Weights rather than a choice of rows, whose number a GPU would have to be waited for.
        known = (~batch.colours[:, :1].isnan()).float()
        painted = functional.binary_cross_entropy_with_logits(
            self.model.colours(tokens), (batch.colours > 0.25).float(), reduction="none"
        )
        painted = (painted * known).mean(1).sum() / known.sum().clamp(min=1)
        weight = self.recipe.auxiliary_weight
        return {"category": weight * named, "colours": 3 * weight * painted}

    def evaluate(self) -> dict[str, float]:
        """Best candidate of each object on composed, and ".val" rendered, held-out scenes."""
        if not self._held_out:
            count, hw = self.recipe.validation_scenes, self.config.input_hw
            seeds = range(VALIDATION_SEEDS, VALIDATION_SEEDS + count)
            self._held_out[""] = [scene_sample(seed, hw) for seed in seeds]
            if self.validate is not None:
                self._held_out[".val"] = list(
                    islice(read_renders([Path(self.validate)], hw), count)
                )
        return {
            measure + name: value
            for name, samples in self._held_out.items()
            for measure, value in best_candidates(self.model.net, self.config, samples).items()
        }


def _focal(logits: Tensor, truth: Tensor) -> Tensor:
    cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    probability = logits.sigmoid()
    right = probability * truth + (1 - probability) * (1 - truth)
    balance = 0.25 * truth + 0.75 * (1 - truth)
    return (balance * (1 - right) ** 2 * cross).sum() / truth.sum().clamp(min=1)


def _dice(logits: Tensor, truth: Tensor) -> Tensor:
    probability, wanted = logits.sigmoid().flatten(2), truth.flatten(2)
    shared = (probability * wanted).sum(-1)
    return 1 - (2 * shared + 1) / (probability.sum(-1) + wanted.sum(-1) + 1)


def best_candidates(
    net: ProposerNet, config: EmbeddedConfig, held_out: list[Sample]
) -> dict[str, float]:
    """Mean IoU of the best candidate of each object with at least four mask pixels.

    The candidate with the highest modal IoU is taken for all three masks. `hidden` is over
    objects hidden by 0.1 to 0.85; `amodal_of_modal` scores their modal mask as if it were amodal.
    """
    found: dict[str, list[float]] = {
        name: [] for name in ("modal", "amodal", "hidden", "amodal_of_modal", "candidates")
    }
    for sample in held_out:
        outputs = net(torch.from_numpy(normalise(sample.image[None])))
        proposals = decode_proposals(config, *(output[0].float().numpy() for output in outputs))
        found["candidates"].append(len(proposals.score))
        for index in range(len(sample.modal)):
            modal, amodal = sample.modal[index], sample.amodal[index]
            if modal.sum() < 4:
                continue
            overlaps = _ious(proposals.modal, modal)
            if not len(overlaps):
                for name in ("modal", "amodal"):
                    found[name].append(0.0)
                continue
            best = int(overlaps.argmax())
            seen, whole = proposals.modal[best], proposals.amodal[best]
            found["modal"].append(float(overlaps[best]))
            found["amodal"].append(float(_ious(whole[None], amodal)[0]))
            if 0.1 < sample.occlusion[index] < 0.85:
                found["hidden"].append(float(_ious((whole & ~seen)[None], amodal & ~modal)[0]))
                found["amodal_of_modal"].append(float(_ious(seen[None], amodal)[0]))
    result = {name: float(np.mean(values)) if values else 0.0 for name, values in found.items()}
    result["recall50"] = float(np.mean(np.array(found["modal"]) > 0.5))
    return result


def _ious(masks: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    shared = (masks & truth).sum((1, 2))
    result: NDArray[np.float64] = shared / np.maximum((masks | truth).sum((1, 2)), 1)
    return result
