"""ReLA: regions that find themselves, talk to each other and to the words, and vote for a mask.

Liu, Ding, Jiang, "GRES: Generalized Referring Expression Segmentation", CVPR 2023
(arXiv 2306.00968), section 4 and figures 4 and 5; equation numbers below are the paper's.

What differs from the paper, for every system alike: small eyes instead of Swin, and a frozen MiniLM
with a few layers on top instead of BERT. Words meet pixels early by a gated pixel-word attention,
as the authors' encoder does (LAVT, Yang et al., CVPR 2022, section 3); masks of regions can thereby
follow a sentence that asks for complete shapes. The fused mask is the only one, so there are no
instances; reference masks have no input in this design and are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.system import Asked, Pictures, Reply, System, Truth, type_loss
from askmask.models.transformer import Attention
from askmask.models.trunk import (
    SIZES,
    Trunk,
    TrunkSize,
    Views,
    plane_positions,
)

__all__ = ["Rela", "RelaOptions"]


@dataclass(frozen=True)
class RelaOptions:
    """Choices of the design.

    Attributes:
        grid: P; there are P x P regions.
        early_words: whether pixels attend to words before regions are found.
        dynamic: whether regions are collected by attention; else by a hard split of the picture,
            the paper's ablation of region-image cross-attention.
        relations: whether regions attend to each other and to the words; the paper's ablation of
            region-language cross-attention.
        minimap_weight: of the loss on the regions' votes.
        no_target_weight: of the loss on "nothing fits".
    """

    grid: int = 10
    early_words: bool = True
    dynamic: bool = True
    relations: bool = True
    minimap_weight: float = 0.3
    no_target_weight: float = 0.3


class _PixelWords(nn.Module):
    """Pixels attend to words; what they learn passes a gate (LAVT, section 3.2)."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        self.widen = nn.Linear(size.pyramid, size.width)
        self.attention = Attention(size.width, size.heads)
        self.narrow = nn.Linear(size.width, size.pyramid)
        self.gate = nn.Sequential(
            nn.Linear(size.pyramid, size.pyramid), nn.ReLU(), nn.Linear(size.pyramid, size.pyramid)
        )

    def forward(self, view: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        pixels = view.flatten(2).transpose(1, 2)  # (S, hw, C)
        pixels = self.widen(pixels)
        told = self.narrow(pixels * self.attention(pixels, words, valid[:, None, None]))
        told = told * self.gate(told).tanh()
        met: Tensor = view + told.transpose(1, 2).reshape(view.shape)
        return met


class _RegionImage(nn.Module):
    """Region-image cross-attention: P x P queries collect what belongs to their regions."""

    def __init__(self, size: TrunkSize, options: RelaOptions) -> None:
        super().__init__()
        width = size.width
        self.grid, self.dynamic = options.grid, options.dynamic
        self.queries = nn.Parameter(torch.randn(options.grid**2, width) / width**0.5)
        self.enter = nn.Linear(size.pyramid, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, view: Tensor) -> Tensor:
        """Features F_r', (S, P * P, width), of regions of a view (S, C, h, w)."""
        image = self.enter(view.flatten(2).transpose(1, 2))
        placed = image + plane_positions(view, image.shape[2]).flatten(1).T
        value = functional.gelu(self.value(placed))
        if not self.dynamic:
            spread = value.transpose(1, 2).reshape(len(view), -1, *view.shape[2:])
            return functional.adaptive_avg_pool2d(spread, self.grid).flatten(2).transpose(1, 2)
        key = functional.gelu(self.key(placed))
        attention = (self.queries @ key.transpose(1, 2)).softmax(-1)  # equation (2), (S, P*P, hw)
        return attention @ value  # equation (3)


class _RegionLanguage(nn.Module):
    """Region-language cross-attention: relations of regions, and of regions and words."""

    def __init__(self, size: TrunkSize, options: RelaOptions) -> None:
        super().__init__()
        width = size.width
        self.relations = options.relations
        self.norm = nn.LayerNorm(width)
        self.regions = Attention(width, size.heads)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.fuse = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, regions: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """Features F_r, (S, P * P, width)."""
        if self.relations:
            regions = regions + self._related(regions, words, valid)
        fused: Tensor = self.fuse(regions)
        return fused

    def _related(self, regions: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """F_r1 + F_r2."""
        normed = self.norm(regions)
        everywhere = valid.new_ones(1, 1, 1, 1)
        related: Tensor = self.regions(normed, normed, everywhere)  # F_r1
        scores = functional.gelu(self.query(normed)) @ functional.gelu(self.key(words)).mT
        scores = scores / words.shape[2] ** 0.5  # not in the paper: wide features saturate without
        attention = scores.masked_fill(~valid[:, None], -torch.inf).softmax(-1)  # equation (4)
        told: Tensor = attention @ words  # F_r2
        return related + told


class _Judgement(NamedTuple):
    """What regions say of S sentences.

    Attributes:
        mask: (S, h, w) logits of the fused mask, equation (1).
        votes: (S, P * P) logits that a region holds targets, the minimap.
        none: (S,) logits of "nothing fits".
        types: (S, 3) logits of the mask type.
    """

    mask: Tensor
    votes: Tensor
    none: Tensor
    types: Tensor


class Rela(System):
    """Regions vote for masks of their own; the answer is their weighted sum."""

    name = "rela"

    def __init__(self, size: TrunkSize, options: RelaOptions) -> None:
        super().__init__()
        self._options = options
        width = size.width
        self.trunk = Trunk(size)
        self.early = _PixelWords(size) if options.early_words else None
        self.collect = _RegionImage(size, options)
        self.relate = _RegionLanguage(size, options)
        self.filters = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, size.mask_features),
        )
        self.vote = nn.Linear(width, 1)
        self.nothing = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        # One channel instead of the authors' two: what no region votes for must be outside.
        self.outside = nn.Parameter(torch.tensor(-2.0))
        # Few regions hold targets: start from a low vote, or a hundred masks add up to noise.
        nn.init.constant_(self.vote.bias, -3.0)

    @classmethod
    def named(cls, size: str, **options: Any) -> Rela:
        """Build one of a size of `trunk.SIZES`; options are those of `RelaOptions`."""
        return cls(SIZES[size](), RelaOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> Views:
        """Views of the pictures."""
        views: Views = self.trunk.eyes(pictures.images)
        return views

    def judge(self, seen: Views, asked: Asked) -> _Judgement:
        """Let the regions judge sentences."""
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        views = seen.of(asked.picture)
        middle = views.middle
        if self.early is not None:
            middle = self.early(middle, words, asked.valid)
        pixels = self.trunk.pixels(views.fine, middle)  # F_m
        found = self.collect(middle)  # F_r'
        masks = torch.einsum("sqc,schw->sqhw", self.filters(found), pixels)  # M_r, by F_f
        regions = self.relate(found, words, asked.valid)  # F_r
        votes = self.vote(regions)[..., 0]
        mask = torch.einsum("sq,sqhw->shw", votes.sigmoid(), masks) + self.outside  # equation (1)
        return _Judgement(mask, votes, self.nothing(regions.mean(1))[:, 0], types)

    def reply(self, seen: Views, asked: Asked) -> Reply:
        """One fused mask a sentence."""
        judged = self.judge(seen, asked)
        return Reply(judged.mask[:, None], -judged.none[:, None], judged.none, judged.types)

    def loss(self, seen: Views, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Cross-entropies of mask, minimap and "nothing fits" (section 4.1), and of the type."""
        judged = self.judge(seen, asked)
        wanted = truth.union
        minimap = functional.adaptive_avg_pool2d(wanted, self._options.grid).flatten(1)
        cross = functional.binary_cross_entropy_with_logits
        return {
            "mask": 4 * cross(judged.mask, wanted),
            "minimap": self._options.minimap_weight * cross(judged.votes, minimap),
            "none": self._options.no_target_weight * cross(judged.none, truth.none),
            "type": type_loss(judged.types, asked, truth),
        }
