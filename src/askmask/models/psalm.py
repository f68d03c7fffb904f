"""PSALM: mask tokens read picture, task and condition; the condition picks what they become.

Zhang et al., "PSALM: Pixelwise SegmentAtion with Large Multi-Modal Model", ECCV 2024
(arXiv 2403.14598): abstract and introduction, and the authors' code (zamling/PSALM at 94b2d33:
`llava_phi.py`, `mask2former_transformer_decoder.py`, `pretrain_criterion.py`, `eval_grefcoco.py`).
Sections and equations of the method are not cited, as their text was not at hand. The sequence is

    [picture] [task instruction] [condition: words, regions, [SEG]] [mask token x Q]

The language model writes nothing: its outputs at the mask tokens go to the mask generator, its
outputs at the condition are averaged into one embedding, and a proposal's class is its likeness to
that. Targets are matched to proposals by masks alone; a proposal's score is its class times the
mean probability inside its mask; those above 0.6 are the answer, as for gRefCOCO in the code.

What differs from the paper, for every system alike: small eyes instead of Swin-B, a small causal
transformer instead of Phi-1.5, words from the frozen tower. There is one task, so the instruction
is a few learned tokens. Fewer queries and decoder layers; masks are compared on all cells of their
small grid instead of sampled points; losses of the layers are averaged instead of added. Where no
proposal passes, nothing fits: the authors' code then takes the best, and was never trained on
sentences without a target. Regions, the paper's visual prompts, are the sentence's references.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.causal import CausalTransformer, Memory
from askmask.models.mask_generator import MaskGenerator, Matches, Proposals, Sources, match
from askmask.models.system import Asked, Pictures, Reply, System, Truth, dice_loss, type_loss
from askmask.models.trunk import SIZES, Trunk, TrunkSize, Views, plane_positions, pool_masks

__all__ = ["Psalm", "PsalmOptions", "proposal_losses"]

_LEAST = 1e-4
"""Smallest probability of a proposal, so that logits stay finite."""


@dataclass(frozen=True)
class PsalmOptions:
    """Choices of the design.

    Attributes:
        grid_hw: rows and columns of the picture's own tokens.
        queries: mask tokens; the paper has 100.
        instruction: learned tokens of the task instruction.
        decoder_layers: of the mask generator; 0 reads masks from the language model's outputs.
        condition_first: whether mask tokens come after the condition, as in the paper; the ablation
            puts them before it, so that proposals depend on the picture alone and the condition's
            embedding alone picks among them.
        threshold: least score of what belongs to the answer.
        class_weight: of the loss on what a proposal is.
        cross_weight: of the binary cross-entropy of matched masks.
        dice_weight: of their dice loss.
    """

    grid_hw: tuple[int, int] = (6, 8)
    queries: int = 16
    instruction: int = 4
    decoder_layers: int = 2
    condition_first: bool = True
    threshold: float = 0.6
    class_weight: float = 2.0
    cross_weight: float = 5.0
    dice_weight: float = 5.0


class _Seen(NamedTuple):
    """What depends on P pictures alone.

    Attributes:
        views: their views, which regions are pooled from.
        picture: what the language model keeps of the picture's tokens and the instruction.
        sources: what the mask generator looks at.
    """

    views: Views
    picture: Memory
    sources: Sources


class _Read(NamedTuple):
    """What the language model makes of S sentences.

    Attributes:
        tokens: (S, Q, width) outputs at the mask tokens.
        condition: (S, width) embedding of the condition.
        types: (S, 3) logits of the mask type.
    """

    tokens: Tensor
    condition: Tensor
    types: Tensor


class Psalm(System):
    """Mask tokens are inputs of a language model; its outputs are compared with the condition."""

    name = "psalm"

    def __init__(self, size: TrunkSize, options: PsalmOptions) -> None:
        super().__init__()
        self._options = options
        width = size.width
        scale = width**-0.5
        self.trunk = Trunk(size)
        self.picture = nn.Linear(size.pyramid, width)
        self.instruction = nn.Parameter(scale * torch.randn(options.instruction, width))
        self.region = nn.Linear(size.pyramid, width)
        self.which_region = nn.Parameter(scale * torch.randn(size.max_references, width))
        self.segment = nn.Parameter(scale * torch.randn(width))  # [SEG] ends the condition
        self.mask_tokens = nn.Parameter(scale * torch.randn(options.queries, width))
        self.language = CausalTransformer(size)
        self.to_token = nn.Linear(width, width)
        self.to_condition = nn.Linear(width, width)
        self.generator = MaskGenerator(size, options.decoder_layers)
        self.likeness = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    @classmethod
    def named(cls, size: str, **options: Any) -> Psalm:
        """Build one of a size of `trunk.SIZES`; options are those of `PsalmOptions`."""
        if "grid_hw" in options:
            options["grid_hw"] = tuple(options["grid_hw"])
        return cls(SIZES[size](), PsalmOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> _Seen:
        """Tokens of the pictures, and what their masks will be read from."""
        views: Views = self.trunk.eyes(pictures.images)
        middle = self.picture(views.middle.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        middle = middle + plane_positions(middle, middle.shape[1])
        tokens = functional.adaptive_avg_pool2d(middle, self._options.grid_hw).flatten(2).mT
        pixels = self.trunk.pixels(views.fine, views.middle)
        begun = torch.cat([tokens, self._every(self.instruction, len(tokens))], 1)
        return _Seen(views, self.language.begin(begun), self.generator.look(views, pixels))

    def reply(self, seen: _Seen, asked: Asked) -> Reply:
        """A slot for each mask token; nothing fits when no proposal passes."""
        read = self.read(seen, asked)
        proposals = self.propose(seen, asked, read)[-1]
        scores = self._scores(proposals.masks, self.fit(proposals.tokens, read.condition))
        return Reply(proposals.masks, scores, -scores.amax(1), read.types)

    def read(self, seen: _Seen, asked: Asked) -> _Read:
        """Run the language model."""
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        condition, known = self._condition(seen, asked, words)
        masks = self._every(self.mask_tokens, len(words))
        parts = [(condition, known), (masks, known.new_ones(masks.shape[:2]))]
        if not self._options.condition_first:
            parts.reverse()
        read = (torch.cat(each, 1) for each in zip(*parts, strict=True))
        states, _ = self.language(*read, seen.picture.of(asked.picture))
        outputs = states.split([part.shape[1] for part, _ in parts], 1)
        told, tokens = outputs if self._options.condition_first else outputs[::-1]
        weight = known[..., None].float()
        pooled = (told * weight).sum(1) / weight.sum(1)
        return _Read(self.to_token(tokens), self.to_condition(pooled), types)

    def propose(self, seen: _Seen, asked: Asked, read: _Read) -> list[Proposals]:
        """Proposals of each layer of the mask generator, the best last."""
        found: list[Proposals] = self.generator(read.tokens, seen.sources, asked.picture)
        return found

    def fit(self, tokens: Tensor, condition: Tensor) -> Tensor:
        """(S, Q) logits of what proposals are, by the likeness of their tokens to (S, width)."""
        # The authors take the plain product; the root keeps wide products from saturating.
        alike = self.likeness(tokens) @ condition[..., None] / tokens.shape[2] ** 0.5
        logits: Tensor = alike[..., 0]
        return logits

    def loss(self, seen: _Seen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Losses of matched masks and of classes, of all layers' proposals, and of the type."""
        read, options = self.read(seen, asked), self._options
        layers = [
            proposal_losses(
                one.masks,
                self.fit(one.tokens, read.condition),
                truth.masks,
                truth.counted,
                class_weight=options.class_weight,
                cross_weight=options.cross_weight,
                dice_weight=options.dice_weight,
            )
            for one in self.propose(seen, asked, read)
        ]
        parts = {name: torch.stack([one[name] for one in layers]).mean() for name in layers[0]}
        return {**parts, "type": type_loss(read.types, asked, truth)}

    def _condition(self, seen: _Seen, asked: Asked, words: Tensor) -> tuple[Tensor, Tensor]:
        """The condition's tokens, (S, L, width), and (S, L) bool of which are there."""
        given = asked.references.shape[1]
        pooled = pool_masks(seen.views.of(asked.picture).middle, asked.references)
        regions = self.region(pooled) + self.which_region[:given]
        end = self._every(self.segment[None], len(words))
        valid = [asked.valid, asked.spots >= 0, asked.valid.new_ones(len(words), 1)]
        return torch.cat([words, regions, end], 1), torch.cat(valid, 1)

    @staticmethod
    def _every(tokens: Tensor, count: int) -> Tensor:
        """The same (L, width) tokens for each of `count` sentences."""
        return tokens.expand(count, -1, -1)

    def _scores(self, masks: Tensor, fits: Tensor) -> Tensor:
        """(S, Q) logits, 0 at the threshold: class times the mean probability inside the mask."""
        probability, inside = masks.sigmoid(), (masks > 0).float()
        quality = (probability * inside).sum((2, 3)) / inside.sum((2, 3)).clamp(min=1)
        score = (fits.sigmoid() * quality).clamp(_LEAST, 1 - _LEAST)
        threshold = self._options.threshold
        return score.logit() - math.log(threshold / (1 - threshold))


def proposal_losses(
    masks: Tensor,
    fits: Tensor,
    wanted: Tensor,
    counted: Tensor,
    *,
    class_weight: float,
    cross_weight: float,
    dice_weight: float,
) -> dict[str, Tensor]:
    """Losses of the proposals that targets are matched to, and of which proposals fit.

    Args:
        masks: (S, Q, h, w) logits of proposals.
        fits: (S, Q) logits of belonging to the answer.
        wanted: (S, N, h, w) targets, bool or 0 and 1.
        counted: (S, N) bool, False where padded.
        class_weight: of the loss on what a proposal is.
        cross_weight: of the binary cross-entropy of matched masks.
        dice_weight: of their dice loss.
    """
    pairs = match(masks, wanted, counted, cross_weight, dice_weight)
    ours = masks[pairs.sentence, pairs.proposal]
    theirs = wanted[pairs.sentence, pairs.target].float()
    count = max(1, len(theirs))
    cross = functional.binary_cross_entropy_with_logits(ours, theirs, reduction="none")
    return {
        "mask": cross_weight * cross.mean((1, 2)).sum() / count,
        "dice": dice_weight * dice_loss(ours, theirs).sum() / count,
        "class": class_weight * _class_loss(fits, pairs),
    }


def _class_loss(fits: Tensor, pairs: Matches) -> Tensor:
    """Cross-entropy of fitting; matched and other proposals weigh the same, as in the code."""
    wanted = torch.zeros_like(fits)
    wanted[pairs.sentence, pairs.proposal] = 1
    positive = wanted.sum().clamp(min=1)
    balance = (wanted.numel() - positive) / positive
    return functional.binary_cross_entropy_with_logits(fits, wanted, pos_weight=balance)
