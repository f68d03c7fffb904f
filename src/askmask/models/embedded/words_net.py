"""The text tower as its two readers see it: the mask type a low layer, the selector higher ones."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower

__all__ = ["WordStates", "WordsNet"]


class WordStates(NamedTuple):
    """States of B sentences of T word pieces.

    Attributes:
        lower: (B, T, 384) float, what `MaskTypeNet` reads.
        upper: (B, T, 768) float, what `SelectorNet` reads.
    """

    lower: Tensor
    upper: Tensor


class WordsNet(nn.Module):
    """The tower, run once for both."""

    def __init__(self, tower: TextTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, ids: Tensor, valid: Tensor) -> WordStates:
        """Encode sentences: ids (B, T) long, valid (B, T) bool, False where padded."""
        states = self.tower(ids, valid)
        upper = torch.cat([states[layer] for layer in SelectorNet.reads], -1)
        return WordStates(states[MaskTypeNet.reads], upper)
