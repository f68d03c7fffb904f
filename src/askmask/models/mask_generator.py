"""Tokens -> masks, refined layer by layer, and the matching of masks to targets.

A small decoder after Mask2Former (Cheng et al., CVPR 2022): tokens look at the picture inside the
mask that they have so far, and at each other, and give a better mask; a mask is the dot product of
its token with the map of pixels. What a mask shows is left to the systems.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.metrics.assignment import assign
from askmask.models.transformer import Attention, Layer
from askmask.models.trunk import TrunkSize, Views, plane_positions

__all__ = ["MaskGenerator", "Matches", "Proposals", "Sources", "match"]


class Sources(NamedTuple):
    """What the decoder looks at in P pictures.

    Attributes:
        pixels: (P, mask_features, h, w), the map that masks are read from.
        keys: for each layer, (P, heads, H * W, width / heads) of the view that it looks at.
        values: likewise.
        grids: for each layer, H and W of its view.
    """

    pixels: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    grids: tuple[tuple[int, int], ...]


class Proposals(NamedTuple):
    """Q proposals for each of S sentences.

    Attributes:
        masks: (S, Q, h, w) logits.
        tokens: (S, Q, width), normed, to tell what a mask shows.
    """

    masks: Tensor
    tokens: Tensor


class Matches(NamedTuple):
    """M pairs of a proposal and a target: sentence, proposal and target, (M,) long each."""

    sentence: Tensor
    proposal: Tensor
    target: Tensor


class _Refine(nn.Module):
    """Masked attention to a view, attention of tokens to each other, and an inner layer."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        self.enter = nn.Linear(size.pyramid, size.width)
        self.norm = nn.LayerNorm(size.width)
        self.look = Attention(size.width, size.heads)
        self.talk = Layer(size.width, size.heads)

    def source(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a view (P, pyramid, H, W)."""
        image = self.enter(view.flatten(2).mT)
        placed = image + plane_positions(view, image.shape[2]).flatten(1).T
        return self.look.split(self.look.key(placed)), self.look.split(self.look.value(image))

    def forward(self, tokens: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Refine (S, Q, width) tokens that look at the cells `inside`, (S, Q, H * W) bool."""
        seen = inside | ~inside.any(2, keepdim=True)  # an empty mask looks everywhere
        tokens = tokens + self.look.mix(self.norm(tokens), keys, values, seen[:, None])
        everyone = seen.new_ones(1, 1, 1, 1)
        refined: Tensor = self.talk(tokens, everyone)
        return refined


class MaskGenerator(nn.Module):
    """Proposals from tokens and pixels."""

    def __init__(self, size: TrunkSize, layers: int) -> None:
        super().__init__()
        width = size.width
        self.layers = nn.ModuleList(_Refine(size) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.filters = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, size.mask_features)
        )

    @property
    def _stack(self) -> list[_Refine]:
        return cast("list[_Refine]", list(self.layers))

    def look(self, views: Views, pixels: Tensor) -> Sources:
        """Prepare P pictures; layers look at the coarse view and the middle one in turn."""
        turns = [(views.coarse, views.middle)[place % 2] for place in range(len(self.layers))]
        pairs = [layer.source(view) for layer, view in zip(self._stack, turns, strict=True)]
        return Sources(
            pixels,
            tuple(keys for keys, _ in pairs),
            tuple(values for _, values in pairs),
            tuple((view.shape[2], view.shape[3]) for view in turns),
        )

    def forward(self, tokens: Tensor, sources: Sources, picture: Tensor) -> list[Proposals]:
        """Propose masks.

        Args:
            tokens: (S, Q, width), Q at least 1.
            sources: of P pictures.
            picture: (S,) long, which picture each sentence is about.

        Returns:
            Proposals of the tokens as they come and after each layer; the last are the best.
        """
        pixels = sources.pixels.index_select(0, picture)  # quicker than [picture]
        found = [self._read(tokens, pixels)]
        for place, layer in enumerate(self._stack):
            near = functional.adaptive_avg_pool2d(found[-1].masks.detach(), sources.grids[place])
            keys = sources.keys[place].index_select(0, picture)
            values = sources.values[place].index_select(0, picture)
            tokens = layer(tokens, keys, values, near.flatten(2) > 0)
            found.append(self._read(tokens, pixels))
        return found

    def _read(self, tokens: Tensor, pixels: Tensor) -> Proposals:
        normed = self.norm(tokens)
        return Proposals(torch.einsum("sqc,schw->sqhw", self.filters(normed), pixels), normed)


@torch.no_grad()
def match(
    masks: Tensor, wanted: Tensor, counted: Tensor, cross_weight: float, dice_weight: float
) -> Matches:
    """Assign targets to proposals one to one, at the least cost of their masks in all.

    Args:
        masks: (S, Q, h, w) logits.
        wanted: (S, N, h, w) bool, targets; N may be 0; where they are more than Q, some stay alone.
        counted: (S, N) bool, False where padded.
        cross_weight: of the binary cross-entropy of a pair.
        dice_weight: of its dice loss.
    """
    logits, wanted = masks.flatten(2), wanted.flatten(2).to(masks.dtype)
    cells = logits.shape[2]
    inside = functional.softplus(-logits) @ wanted.mT
    outside = functional.softplus(logits) @ (1 - wanted).mT
    probability = logits.sigmoid()
    shared = probability @ wanted.mT
    both = probability.sum(2)[..., None] + wanted.sum(2)[:, None]
    dice = 1 - (2 * shared + 1) / (both + 1)
    cost = cross_weight * (inside + outside) / cells + dice_weight * dice
    most = cost.max() if cost.numel() else 0
    return Matches(*_assigned(1 + most - cost, counted).unbind(1))


def _assigned(worth: Tensor, counted: Tensor) -> Tensor:
    """(M, 3) sentence, proposal and target of each pair; (S, Q, N) positive and (S, N) bool."""
    offers = worth.double().cpu().numpy()
    places = [row.nonzero()[0] for row in counted.cpu().numpy()]
    triples = [
        (row, proposal, int(targets[column]))
        for row, targets in enumerate(places)
        for proposal, column in assign(offers[row][:, targets])
    ]
    return torch.tensor(triples, dtype=torch.long, device=worth.device).reshape(-1, 3)
