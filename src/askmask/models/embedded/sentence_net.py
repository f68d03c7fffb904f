"""Everything that reads the sentence, as one graph: text tower, mask type and selector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower

__all__ = ["SentenceNet", "word_states"]


def word_states(states: tuple[Tensor, ...]) -> Tensor:
    """(B, T, 768) words as the selector reads them, from the tower's states."""
    return torch.cat([states[layer] for layer in SelectorNet.reads], -1)


class SentenceNet(nn.Module):
    """The tower once, then both of its readers."""

    def __init__(self, tower: TextTower, mask_type: MaskTypeNet, selector: SelectorNet) -> None:
        super().__init__()
        self.tower, self.mask_type, self.selector = tower, mask_type, selector

    def forward(
        self,
        ids: Tensor,
        words_valid: Tensor,
        appearance: Tensor,
        geometry: Tensor,
        pairs: Tensor,
        prefix: Tensor,
        masks_valid: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of selection (B, M), mask type (B, 3) and "nothing fits" (B,).

        The arguments are those of `SelectorNet.forward`, but for `ids`, (B, T) long word pieces.
        """
        states = self.tower(ids, words_valid)
        types = self.mask_type(states[MaskTypeNet.reads], words_valid)
        judged = self.selector(
            word_states(states), words_valid, appearance, geometry, pairs, prefix, masks_valid
        )
        return judged.select, types, judged.none
