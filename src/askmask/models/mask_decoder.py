"""Prompts and pictures look at each other, and a mask comes out: the decoder of SAM in small.

Kirillov et al., "Segment Anything", ICCV 2023 (arXiv 2304.02643), the lightweight mask decoder:
attention of the tokens to each other, from tokens to the picture, and back; then what a learned
mask token has found out is a filter on the enlarged picture. Enlarging is left to the trunk's pixel
decoder, which knows finer views than SAM's transposed convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.system import dice_loss
from askmask.models.transformer import Attention
from askmask.models.trunk import PixelDecoder, TrunkSize, Views, plane_positions

__all__ = ["PromptDecoder", "TwoWay", "filters", "mask_losses", "projection"]

_HEADS = 4
_LAYERS = 2


class _TwoWayLayer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = Attention(width, _HEADS)
        self.look = Attention(width, _HEADS)
        self.tell = Attention(width, _HEADS)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.inner = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )

    def forward(self, tokens: Tensor, image: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        everywhere = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=tokens.device)
        normed = self.norms[0](tokens)
        tokens = tokens + self.own(normed, normed, everywhere)
        tokens = tokens + self.look(self.norms[1](tokens), image + place, everywhere)
        tokens = tokens + self.inner(tokens)
        return tokens, image + self.tell(self.norms[2](image + place), tokens, everywhere)


class TwoWay(nn.Module):
    """Tokens look at a picture, and it looks at them, twice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_TwoWayLayer(width) for _ in range(_LAYERS))

    def forward(self, tokens: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) tokens and (B, C, h, w) -> the same shapes, each having seen the other."""
        image = view.flatten(2).mT
        place = plane_positions(view, view.shape[1]).flatten(1).T
        for layer in self.layers:
            tokens, image = layer(tokens, image, place)
        return tokens, image.mT.reshape(view.shape)


class PromptDecoder(nn.Module):
    """One prompt, one mask."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        self.mask_token = nn.Parameter(torch.randn(size.pyramid) / size.pyramid**0.5)
        self.meet = TwoWay(size.pyramid)
        self.filters = filters(size)

    def forward(self, prompts: Tensor, views: Views, pixels: PixelDecoder) -> Tensor:
        """Draw masks.

        Args:
            prompts: (B, pyramid) float.
            views: of the picture of each prompt.
            pixels: the trunk's.

        Returns:
            (B, h, w) logits at 1/4.
        """
        tokens = torch.stack([self.mask_token.expand_as(prompts), prompts], 1)
        tokens, middle = self.meet(tokens, views.middle)
        features = pixels(views.fine, middle)
        return torch.einsum("bc,bchw->bhw", self.filters(tokens[:, 0]), features)


def filters(size: TrunkSize) -> nn.Sequential:
    """Mask token -> the filter on the map that masks are read from."""
    width = size.pyramid
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, size.mask_features),
    )


def projection(size: TrunkSize) -> nn.Sequential:
    """Hidden state of the language model -> prompt of the decoder, by an MLP of two layers."""
    return nn.Sequential(
        nn.Linear(size.width, size.width), nn.ReLU(), nn.Linear(size.width, size.pyramid)
    )


def mask_losses(
    logits: Tensor, wanted: Tensor, counted: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice, averaged over masks.

    Args:
        logits: (B, h, w).
        wanted: (B, h, w) float.
        counted: (B,) float or bool, 0 for a mask that is not averaged over; may be so for all.
        weights: (B, h, w) of pixels in the cross-entropy, or None for 1 everywhere.
    """
    cross = functional.binary_cross_entropy_with_logits(logits, wanted, weights, reduction="none")
    each = torch.stack([cross.mean((1, 2)), dice_loss(logits, wanted)])
    bce, dice = (each * counted).sum(1) / counted.sum().clamp(min=1)
    return bce, dice
