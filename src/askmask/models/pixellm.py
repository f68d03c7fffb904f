"""PixelLM: a codebook of segmentation tokens, several a target, and a light decoder at two scales.

Ren et al., "PixelLM: Pixel Reasoning with Large Multimodal Model", CVPR 2024 (arXiv 2312.02228).
The codebook has N tokens for each of L scales of the picture; where the answer names a target, all
of them follow each other, and their last-layer hidden states h are the target's. Token fusion makes
one state a scale of N. From the coarsest scale to the finest, an attention block draws a mask from
state and features, and the features of the next scale are multiplied by sigmoid(mask) + 1; the mask
is the weighted sum of those of all scales, with learned weights. The target refinement loss is a
cross-entropy in which pixels that several targets of an answer claim count alpha times.

Checked against the project's page (codebook, tokens of the scales, projections) and the authors'
public code (`model/PixelLM.py`, `mask_decoder_multi_scale.py`): the modulation, learned scalars for
the fusion of tokens and of scales that start at 1 / N and 1 / L, three tokens and two scales, and
the weights 1.0, 2.0 and 0.5. In the code the overlap's weight stays 1; readers' notes on the paper
have alpha = 2. Equation numbers are not cited, as the paper's own pages were not at hand. The code
takes each hidden state from one place before its token; here it is the token's own, as the page
says.

What differs from the paper, for every system alike: small eyes instead of CLIP, whose scales are
the trunk's at 1/16 and 1/8; the finest mask is read from the trunk's pixel decoder; a small causal
transformer that learns from nothing; words from the frozen tower, and answers in a vocabulary of a
few words. Targets come from left to right. Reference masks have no input in this design and are not
looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.errors import ConfigError
from askmask.models.causal import Memory
from askmask.models.listing import Lister, Listing
from askmask.models.mask_decoder import TwoWay, filters, projection
from askmask.models.speaker import Heard, Speaker
from askmask.models.system import Asked, Pictures
from askmask.models.trunk import SIZES, PixelDecoder, Trunk, TrunkSize, Views

__all__ = ["Pixellm", "PixellmOptions", "refinement_weights"]


@dataclass(frozen=True)
class PixellmOptions:
    """Choices of the design.

    Attributes:
        grid_hw: rows and columns of the picture's tokens.
        tokens: N, of a scale; the ablation of token fusion has 1.
        scales: L, 2 or, as the paper's ablation, 1.
        overlap: alpha, the weight of pixels that several targets claim; 1 is the ablation of target
            refinement.
        max_targets: most targets of an answer; further ones are not learnt.
        text_weight: of the cross-entropy of answers.
        refinement_weight: of the cross-entropy of masks.
        dice_weight: of their dice loss.
    """

    grid_hw: tuple[int, int] = (6, 8)
    tokens: int = 3
    scales: int = 2
    overlap: float = 2.0
    max_targets: int = 8
    text_weight: float = 1.0
    refinement_weight: float = 2.0
    dice_weight: float = 0.5


class _Seen(NamedTuple):
    """What depends on P pictures alone: their views, and what the language model keeps of them."""

    views: Views
    picture: Memory


class _ScaleDecoder(nn.Module):
    """The light pixel decoder: a mask at each scale, each telling the next where to look."""

    def __init__(self, size: TrunkSize, scales: int) -> None:
        super().__init__()
        width = size.pyramid
        self.mask_tokens = nn.Parameter(torch.randn(scales, width) / width**0.5)
        self.blocks = nn.ModuleList(TwoWay(width) for _ in range(scales))
        self.coarse = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.fine = filters(size)
        self.weights = nn.Parameter(torch.full((scales,), 1 / scales))

    def forward(self, prompts: Tensor, views: Views, pixels: PixelDecoder) -> Tensor:
        """(B, h, w) logits of prompts (B, L, pyramid), coarsest scale first."""
        scales = len(self.blocks)
        mask = prompts.new_zeros(())
        fused: Tensor = mask
        for level, view in enumerate((views.coarse, views.middle)[-scales:]):
            if level:
                sure = functional.interpolate(mask[:, None], view.shape[2:], mode="bilinear")
                view = view * (sure.sigmoid() + 1)
            prompt = prompts[:, level]
            tokens = torch.stack([self.mask_tokens[level].expand_as(prompt), prompt], 1)
            tokens, view = self.blocks[level](tokens, view)
            if level == scales - 1:
                kernel, features = self.fine(tokens[:, 0]), pixels(views.fine, view)
            else:
                kernel, features = self.coarse(tokens[:, 0]), view
            mask = torch.einsum("bc,bchw->bhw", kernel, features)
            whole = functional.interpolate(mask[:, None], views.fine.shape[2:], mode="bilinear")
            fused = fused + self.weights[level] * whole[:, 0]
        return fused


class Pixellm(Lister):
    """The tokens of a target are the whole codebook."""

    name = "pixellm"

    def __init__(self, size: TrunkSize, options: PixellmOptions) -> None:
        super().__init__()
        if options.scales not in (1, 2):
            raise ConfigError(f"pixellm: scales: expected 1 or 2, got {options.scales}")
        self._options = options
        self.loss_weights = (options.text_weight, options.refinement_weight, options.dice_weight)
        codebook = options.scales * options.tokens
        self.listing = Listing(codebook, options.max_targets)
        vocabulary = (*Listing.words, *(f"[SEG{index}]" for index in range(codebook)))
        self.trunk = Trunk(size)
        self.speaker = Speaker(size, vocabulary, options.grid_hw)
        self.project = projection(size)
        self.fusion = nn.Parameter(torch.full((options.tokens,), 1 / options.tokens))
        self.decoder = _ScaleDecoder(size, options.scales)

    @classmethod
    def named(cls, size: str, **options: Any) -> Pixellm:
        """Build one of a size of `trunk.SIZES`; options are those of `PixellmOptions`."""
        if "grid_hw" in options:
            options["grid_hw"] = tuple(options["grid_hw"])
        return cls(SIZES[size](), PixellmOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> _Seen:
        """Views of the pictures, which the language model has read."""
        views: Views = self.trunk.eyes(pictures.images)
        return _Seen(views, self.speaker.look(views.middle))

    def hear(self, seen: _Seen, asked: Asked) -> tuple[Heard, Tensor]:
        """Read picture and sentence."""
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        return self.speaker.hear(seen.picture.of(asked.picture), words, asked.valid), types

    def tokens_of(self, heard: Heard, types: Tensor | None) -> Tensor:
        """The codebook, scale by scale, the coarsest first."""
        del types
        first = len(Listing.words)
        codes = torch.arange(first, first + self.listing.tokens, device=heard.state.device)
        return codes.expand(len(heard.state), -1)

    def draw(self, seen: _Seen, picture: Tensor, states: Tensor) -> Tensor:
        """Fuse the tokens of each scale, and decode scale after scale."""
        options = self._options
        states = states.reshape(len(states), options.scales, options.tokens, -1)
        prompts = torch.einsum("blnc,n->blc", self.project(states), self.fusion)
        masks: Tensor = self.decoder(prompts, seen.views.of(picture), self.trunk.pixels)
        return masks

    def pixel_weights(self, masks: Tensor) -> Tensor:
        """Of target refinement."""
        return refinement_weights(masks, self._options.overlap)


def refinement_weights(masks: Tensor, overlap: float) -> Tensor:
    """Weights of pixels in the target refinement loss.

    Args:
        masks: (S, K, h, w) logits of the targets of S answers.
        overlap: alpha.

    Returns:
        (S, h, w): alpha where at least two masks of an answer are, else 1.
    """
    several = (masks > 0).sum(1) >= 2
    return torch.where(several, overlap, 1.0)
