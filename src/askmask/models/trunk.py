"""The trunk that the seven systems share, so that designs are compared and not their pretraining.

Eyes and pixel decoder are those of the embedded model's proposer and can start from one that is
trained; words come from the same frozen text tower; designs that are language models get the same
small transformer of `causal.py`. Everything works on any device and in any batch: a sentence gets
the same answer alone as among others, however much is padded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.blocks import Residual, conv
from askmask.models.embedded.text_net import TextTower
from askmask.models.transformer import Layer, waves

__all__ = [
    "SIZES",
    "WORD_STATES",
    "Eyes",
    "PixelDecoder",
    "Reader",
    "Trunk",
    "TrunkSize",
    "Views",
    "grid_tokens",
    "plane_positions",
    "pool_masks",
    "start_from_proposer",
    "word_states",
]

WORD_STATES = (2, 4, 6)
"""Layers of the frozen text tower whose outputs, side by side, are the words of every system: the
mask type is told best by the lower ones, the object by the upper ones."""


@dataclass(frozen=True)
class TrunkSize:
    """Sizes that all seven systems share.

    Attributes:
        input_hw: pictures are scaled and padded to this height and width, multiples of 16.
        stages: channels of the encoder at 1/2, 1/4, 1/8, 1/16 and 1/32.
        pyramid: channels of the feature pyramid; half as many at 1/4.
        mask_features: channels of the map that masks are read from.
        width: of words and tokens.
        heads: of every attention; they divide `width`.
        word_layers: that a system may learn on top of the frozen tower.
        layers: of the causal transformer.
        max_words: longest sentence in word pieces; the rest is cut off.
        max_references: most reference masks of a sentence; the rest is not seen.
    """

    input_hw: tuple[int, int] = (240, 320)
    stages: tuple[int, int, int, int, int] = (16, 32, 64, 128, 192)
    pyramid: int = 64
    mask_features: int = 32
    width: int = 256
    heads: int = 8
    word_layers: int = 2
    layers: int = 6
    max_words: int = 128
    max_references: int = 8

    @property
    def masks_hw(self) -> tuple[int, int]:
        """Grid of the masks: the input at 1/4."""
        return self.input_hw[0] // 4, self.input_hw[1] // 4


def _tiny() -> TrunkSize:
    """For tests: overfits a handful of pictures in seconds."""
    return TrunkSize((48, 64), (8, 16, 16, 16, 16), 16, 16, 32, 2, 1, 2, 32, 2)


def _small() -> TrunkSize:
    """For a CPU: the eyes of the embedded model, narrow transformers."""
    return TrunkSize(width=192, heads=6, layers=4)


def _base() -> TrunkSize:
    """For a GPU: the eyes of the embedded model, wider and deeper transformers."""
    return TrunkSize()


SIZES = {"tiny": _tiny, "small": _small, "base": _base}
"""Named builders, from the quickest to the best."""


class Views(NamedTuple):
    """What the eyes see of B pictures.

    Attributes:
        fine: (B, pyramid / 2, H/4, W/4).
        middle: (B, pyramid, H/8, W/8).
        coarse: (B, pyramid, H/16, W/16).
    """

    fine: Tensor
    middle: Tensor
    coarse: Tensor

    def of(self, picture: Tensor) -> Views:
        """Views of the picture of each sentence; `picture` is (S,) long."""
        # As `view[picture]`, but quicker, backwards above all.
        return Views(*(view.index_select(0, picture) for view in self))


class Eyes(nn.Module):
    """Encoder and feature pyramid; parameters are named as in `ProposerNet`, to start from one."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        w2, w4, w8, w16, w32 = size.stages
        wide = size.pyramid
        self.stem = conv(3, w2, 2)
        self.stage4 = nn.Sequential(conv(w2, w4, 2), Residual(w4))
        self.stage8 = nn.Sequential(conv(w4, w8, 2), Residual(w8), Residual(w8))
        self.stage16 = nn.Sequential(conv(w8, w16, 2), Residual(w16), Residual(w16))
        self.stage32 = nn.Sequential(conv(w16, w32, 2), Residual(w32), Residual(w32))
        self.lateral4 = nn.Conv2d(w4, wide // 2, 1)
        self.lateral8 = nn.Conv2d(w8, wide, 1)
        self.lateral16 = nn.Conv2d(w16, wide, 1)
        self.lateral32 = nn.Conv2d(w32, wide, 1)
        self.smooth8 = conv(wide, wide)
        self.smooth16 = conv(wide, wide)

    def forward(self, images: Tensor) -> Views:
        """Encode pictures, (B, 3, H, W) float, normalised; H and W multiples of 16."""
        x4 = self.stage4(self.stem(images))
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x32 = self.stage32(x16)
        p16 = self.smooth16(self.lateral16(x16) + _to(self.lateral32(x32), x16))
        p8 = self.smooth8(self.lateral8(x8) + _to(p16, x8))
        return Views(self.lateral4(x4), p8, p16)


class PixelDecoder(nn.Module):
    """Views -> the map that masks are read from, by a dot product or a decoder of the design's."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        half = size.pyramid // 2
        self.reduce8 = conv(size.pyramid, half, kernel=1)
        self.mask_map = nn.Sequential(conv(half, half), nn.Conv2d(half, size.mask_features, 1))

    def forward(self, fine: Tensor, middle: Tensor) -> Tensor:
        """Return (B, mask_features, H/4, W/4); `middle` may have met the sentence before."""
        features: Tensor = self.mask_map(fine + _to(self.reduce8(middle), fine))
        return features


def _to(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=like.shape[-2:], mode="nearest")


class Reader(nn.Module):
    """States of the frozen tower -> words in the system's width, and which mask type they ask for.

    The same for every system: a few layers that learn on top of the tower, and a linear classifier
    on the words pooled by attention. A forced mask type is told to the words as well, so that a
    design without a choice of masks follows it too.
    """

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        tower = TextTower.width * len(WORD_STATES)
        self.adapt = nn.Sequential(nn.LayerNorm(tower), nn.Linear(tower, size.width))
        self.forced = nn.Embedding(4, size.width)
        self.layers = nn.ModuleList(Layer(size.width, size.heads) for _ in range(size.word_layers))
        self.norm = nn.LayerNorm(size.width)
        self.weigh = nn.Linear(size.width, 1)
        self.types = nn.Linear(size.width, 3)

    def forward(self, words: Tensor, valid: Tensor, forced: Tensor) -> tuple[Tensor, Tensor]:
        """Read S sentences.

        Args:
            words: (S, T, 1152) float from `word_states`.
            valid: (S, T) bool, False where padded.
            forced: (S,) long, 0 where the sentence decides, else 1 + the index of the mask type.

        Returns:
            (S, T, width) words and (S, 3) logits of modal, amodal and hidden.
        """
        x = self.adapt(words) + self.forced(forced)[:, None]
        for layer in self.layers:
            x = layer(x, valid[:, None, None])
        x = self.norm(x)
        weight = self.weigh(x).masked_fill(~valid[..., None], -torch.inf).softmax(1)
        return x, self.types((weight * x).sum(1))


def word_states(tower: TextTower, ids: Tensor, valid: Tensor) -> Tensor:
    """(S, T, 1152) states of the frozen tower; ids (S, T) long, valid (S, T) bool."""
    with torch.no_grad():
        states = tower(ids, valid, max(WORD_STATES))
    return torch.cat([states[layer] for layer in WORD_STATES], -1)


def plane_positions(like: Tensor, width: int) -> Tensor:
    """(width, h, w) waves of row and column for a map (…, h, w); half of `width` for each."""
    height, across = like.shape[-2:]
    rows = torch.linspace(0, 32, height, device=like.device)
    columns = torch.linspace(0, 32, across, device=like.device)
    down = waves(rows, width // 2).T[:, :, None].expand(-1, height, across)
    right = waves(columns, width // 2).T[:, None].expand(-1, height, across)
    return torch.cat([down, right])


def grid_tokens(features: Tensor, grid_hw: tuple[int, int]) -> Tensor:
    """Tokens of pictures for a language model: a map with its positions, averaged in a grid.

    Args:
        features: (P, h, w, C) float.
        grid_hw: rows and columns.

    Returns:
        (P, rows * columns, C).
    """
    features = features.permute(0, 3, 1, 2)
    placed = features + plane_positions(features, features.shape[1])
    return functional.adaptive_avg_pool2d(placed, grid_hw).flatten(2).mT


def pool_masks(features: Tensor, masks: Tensor) -> Tensor:
    """Average a map under masks.

    Args:
        features: (B, C, h, w) float.
        masks: (B, N, H, W) float or bool on a grid as fine or finer.

    Returns:
        (B, N, C); zero for an empty mask.
    """
    batch, count = masks.shape[:2]
    if not count:
        return features.new_zeros(batch, 0, features.shape[1])
    share = functional.adaptive_avg_pool2d(
        masks.to(features.dtype), (features.shape[2], features.shape[3])
    ).flatten(2)
    share = share / share.sum(2, keepdim=True).clamp(min=1e-3)
    return share @ features.flatten(2).transpose(1, 2)


class Trunk(nn.Module):
    """Eyes, pixel decoder and reader; the frozen text tower is not part of it."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        self.size = size
        self.eyes = Eyes(size)
        self.pixels = PixelDecoder(size)
        self.reader = Reader(size)


def start_from_proposer(parts: Iterable[nn.Module], state: Mapping[str, Tensor]) -> int:
    """Give eyes and pixel decoders the parameters of a `ProposerNet` where names and sizes agree.

    Args:
        parts: are changed in place.
        state: the state of a `ProposerNet`, or of its training, whose names begin with "net.".

    Returns:
        How many tensors were taken; 0 says that the sizes are others.
    """
    given = {name.removeprefix("net."): tensor for name, tensor in state.items()}
    taken = 0
    with torch.no_grad():
        for part in parts:
            for name, own in part.state_dict().items():
                if name in given and given[name].shape == own.shape:
                    own.copy_(given[name])
                    taken += 1
    return taken
