"""Train the proposer: centres, modal and amodal masks, and an appearance that tells objects apart.

Dense assignment after CondInst and FCOS centre sampling: the cells nearest to the centroid of an
object's visible part are its positives. Focal loss on centres (Lin et al. 2017), dice and weighted
cross-entropy on both masks with extra weight on the hidden region, and two auxiliary losses on
the pooled appearance (category, colours) so that mask tokens carry what sentences talk about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from askmask.training.samples import (
    VALIDATION_SEEDS,
    Sample,
    categories,
    samples,
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


class _Trained(nn.Module):
    """The network with the heads that only training needs."""

    def __init__(self, config: EmbeddedConfig) -> None:
        super().__init__()
        self.net = ProposerNet(config)
        self.category = nn.Linear(config.appearance, len(categories()))
        self.colours = nn.Linear(config.appearance, len(COLOURS))


class ProposerTask:
    """The `TrainingTask` of the proposer."""

    def __init__(self, recipe: ProposerRecipe, config: EmbeddedConfig | None = None) -> None:
        self.recipe = recipe
        self.config = config or EmbeddedConfig()
        torch.manual_seed(0)
        self.model = _Trained(self.config)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._rng = np.random.default_rng(0)
        self._validation: list[Sample] = []

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One group for everything."""
        return [{"params": list(self.model.parameters()), "lr": self.recipe.learning_rate}]

    def batches(self, start: int, used: float) -> Iterator[list[Sample]]:
        """Small pictures first; the loop asks anew when `restarts_at` is passed."""
        hw = self.recipe.small_hw if used < self.recipe.small_share else self.config.input_hw
        folders = [Path(folder) for folder in self.recipe.renders]
        return samples(start, self.recipe.batch, hw, folders, self.recipe.render_share)

    def restarts_at(self) -> tuple[float, ...]:
        """Shares of the budget at which the batches change."""
        return (self.recipe.small_share,)

    def loss(self, batch: list[Sample]) -> dict[str, Tensor]:
        """Centre, mask, category and colour losses of one batch."""
        images = torch.from_numpy(normalise(np.stack([sample.image for sample in batch])))
        images = images.contiguous(memory_format=torch.channels_last)
        centre, parameters, masks, appearance = self.model.net(images)
        hw = (centre.shape[1], centre.shape[2])
        owners = np.stack([_owners(sample.modal, hw) for sample in batch])
        positive = torch.from_numpy(owners > 0).float()
        chosen = np.argwhere(owners)
        if len(chosen) > self.recipe.positives:
            chosen = chosen[self._rng.permutation(len(chosen))[: self.recipe.positives]]
        picture, cells = torch.from_numpy(chosen[:, 0]), torch.from_numpy(chosen[:, 1:])
        logits = dynamic_masks(
            self.config, masks, parameters[picture, :, cells[:, 0], cells[:, 1]], picture, cells
        )
        truth = torch.from_numpy(
            np.stack(
                [
                    np.stack([batch[b].modal[k], batch[b].amodal[k]])
                    for b, k in zip(chosen[:, 0], owners[tuple(chosen.T)] - 1, strict=True)
                ]
            )
        ).float()
        hidden = (truth[:, 1] - truth[:, 0]).clamp(min=0)[:, None]
        weight = 1 + self.recipe.hidden_weight * hidden
        cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        return {
            "centre": _focal(centre, positive),
            "mask": 2 * _dice(logits, truth).mean() + 4 * (cross * weight).mean(),
            **self._auxiliary(batch, appearance),
        }

    def _auxiliary(self, batch: list[Sample], appearance: Tensor) -> dict[str, Tensor]:
        pooled, category, colours = [], [], []
        for sample, features in zip(batch, appearance, strict=True):
            coverage = functional.adaptive_avg_pool2d(
                torch.from_numpy(sample.modal).float(), features.shape[1:]
            ).flatten(1)
            coverage = coverage / coverage.sum(1, keepdim=True).clamp(min=1e-3)
            pooled.append(coverage @ features.flatten(1).T)
            category.append(torch.from_numpy(sample.category))
            colours.append(torch.from_numpy(sample.colours))
        tokens, known = torch.cat(pooled), torch.cat(category)
        shares = torch.cat(colours)
        coloured = ~shares[:, 0].isnan()
        named = functional.cross_entropy(
            self.model.category(tokens), known, ignore_index=-1, label_smoothing=0.05
        )
        painted = functional.binary_cross_entropy_with_logits(
            self.model.colours(tokens)[coloured], (shares[coloured] > 0.25).float()
        )
        weight = self.recipe.auxiliary_weight
        return {"category": weight * named, "colours": 3 * weight * painted}

    def evaluate(self) -> dict[str, float]:
        """Best candidate of each object on composed scenes that training never sees."""
        if not self._validation:
            seeds = range(VALIDATION_SEEDS, VALIDATION_SEEDS + self.recipe.validation_scenes)
            self._validation = [scene_sample(seed, self.config.input_hw) for seed in seeds]
        return best_candidates(self.model.net, self.config, self._validation)


def _owners(modal: NDArray[np.bool_], hw: tuple[int, int]) -> NDArray[np.int64]:
    """Assign cells to objects.

    Args:
        modal: (N, 2h, 2w) bool.
        hw: h and w of the cells.

    Returns:
        (h, w) int64, 1-based object that the cell is a centre of, else 0. The nearest visible
        pixels to an object's centroid decide, so that a centre always lies on the object; small
        objects come last and win shared cells.
    """
    owners = np.zeros(hw, np.int64)
    for index in np.argsort(-modal.reshape(len(modal), -1).sum(1)):
        rows, columns = np.nonzero(modal[index])
        if not len(rows):
            continue
        distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        near = np.argsort(distance)[: max(1, min(12, len(rows) // 3))]
        owners[
            np.minimum(rows[near] // 2, hw[0] - 1), np.minimum(columns[near] // 2, hw[1] - 1)
        ] = index + 1
    return owners


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
