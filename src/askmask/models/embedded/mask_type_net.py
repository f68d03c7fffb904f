"""The mask type of a sentence: upper layers of its own on the lower layers of the text tower."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.embedded.text_net import TextTower, hide
from askmask.models.pretrained import Pretrained

__all__ = ["MaskTypeNet"]


class MaskTypeNet(Pretrained):
    """Four layers that start from the tower's upper ones, attention pooling and three classes.

    Attributes:
        reads: layer of the tower whose output is the input here.
        dropout: share of features dropped before each layer and the classes, in training: the
            frames are few enough to be learnt by heart.
    """

    reads = 2
    dropout = 0.1

    def __init__(self, tower: TextTower) -> None:
        super().__init__()
        self.layers = copy.deepcopy(tower.layers[self.reads :])
        self.weigh = nn.Linear(tower.width, 1)
        self.classify = nn.Sequential(
            nn.Linear(tower.width, tower.width // 2), nn.GELU(), nn.Linear(tower.width // 2, 3)
        )

    def described(self) -> dict[str, Any]:
        """Nothing: there is one size, the tower's."""
        return {}

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """Build a network on the layers of a new tower."""
        return cls(TextTower(), **described)

    def forward(self, words: Tensor, valid: Tensor) -> Tensor:
        """Judge sentences.

        Args:
            words: (B, T, 384) float, the tower's state after layer `reads`.
            valid: (B, T) bool, False where padded.

        Returns:
            (B, 3) logits of modal, amodal and hidden.
        """
        mask = hide(valid, words.dtype)
        for layer in self.layers:
            words = layer(functional.dropout(words, self.dropout, self.training), mask)
        weight = torch.softmax(self.weigh(words) + mask[:, 0, 0, :, None], 1)  # (B, T, 1)
        pooled = functional.dropout((weight * words).sum(1), self.dropout, self.training)
        logits: Tensor = self.classify(pooled)
        return logits
