"""Systems whose answer lists targets one by one, each with tokens that prompt a mask of its own.

Targets are listed from left to right: any order that can be seen will do, but with one that cannot,
a slot could only learn all targets at once.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from askmask.models.mask_decoder import mask_losses
from askmask.models.speaker import Heard, Speaker, margin, places
from askmask.models.system import Asked, Reply, System, Truth, type_loss

__all__ = ["Lister", "Listing", "left_to_right"]

_OUTSIDE = -8.0
"""Logit everywhere of a mask that was not drawn."""


class Listing:
    """Answers that list targets: "it is", the same few tokens for each target, the end.

    Where nothing fits, the answer is "it is absent". Most tokens of a target follow its first one
    in any case; so a list of K targets is read in one pass, and greedy speaking is to look up to
    which target another one is likelier than the end. Only what is chosen is learnt.

    Attributes:
        words: that every vocabulary of such answers begins with.
        tokens: of a target.
        most: targets of an answer that is spoken.
    """

    words = ("<end>", "it", "is", "absent")
    _absent, _before = 3, 2

    def __init__(self, tokens: int, most: int, chosen: tuple[int, ...] = (0,)) -> None:
        self.tokens, self.most, self._chosen = tokens, most, chosen

    def told(self, groups: Tensor, counts: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Answers to learn.

        Args:
            groups: (S, tokens) long, the tokens of a target.
            counts: (S,) long, how many targets there are, at most `most`.
            most: targets that the longest answer has room for, at least 1.

        Returns:
            (S, A) long answers, and (S, A) bool, True for the words that are chosen.
        """
        answers = torch.cat([self.endless(groups, most), torch.zeros_like(groups[:, :1])], 1)
        place = torch.arange(answers.shape[1], device=answers.device) - self._before
        end = counts * self.tokens
        absent = (counts == 0)[:, None] & (place == 0)
        answers = answers.scatter(1, (self._before + end)[:, None], 0)
        chosen = torch.zeros_like(place, dtype=torch.bool)
        for offset in self._chosen:
            chosen |= place % self.tokens == offset
        chosen = chosen & (place >= 0) & (place <= end[:, None])
        return answers.masked_fill(absent, self._absent), chosen

    def endless(self, groups: Tensor, most: int) -> Tensor:
        """(S, 2 + most * tokens) long answers of `most` targets without an end."""
        start = torch.tensor([1, 2], device=groups.device).expand(len(groups), -1)
        return torch.cat([start, groups.repeat(1, most)], 1)

    def choices(self, states: Tensor, most: int) -> Tensor:
        """(S, most, width) states at which each target, or the end, is chosen; see `follow`."""
        return states[:, self._before :: self.tokens][:, :most]

    def targets(self, states: Tensor) -> Tensor:
        """(S, K, tokens, width) states of the tokens of each target that there is room for."""
        first = 1 + self._before
        most = (states.shape[1] - first) // self.tokens
        inner = states[:, first : first + most * self.tokens]
        return inner.reshape(len(states), most, self.tokens, -1)


class Lister(System):
    """PixelLM and GLaMM: a slot for each target that the answer names.

    Attributes:
        speaker: its vocabulary begins with `Listing.words`; the first token of a target follows.
        listing: how answers are made.
        loss_weights: of the text, of the cross-entropy of masks and of their dice loss.
    """

    speaker: Speaker
    listing: Listing
    loss_weights: tuple[float, float, float]

    @abstractmethod
    def hear(self, seen: Any, asked: Asked) -> tuple[Heard, Tensor]:
        """Read sentences; also returns the logits (S, 3) of the mask type."""

    @abstractmethod
    def tokens_of(self, heard: Heard, types: Tensor | None) -> Tensor:
        """Tokens of a target.

        Args:
            heard: S sentences.
            types: (S,) long, the mask types to learn, or None to speak.

        Returns:
            (S, tokens) long.
        """

    @abstractmethod
    def draw(self, seen: Any, picture: Tensor, states: Tensor) -> Tensor:
        """Draw targets.

        Args:
            seen: from `see`.
            picture: (B,) long, the picture of each target.
            states: (B, tokens, width), hidden states of the tokens of each.

        Returns:
            (B, h, w) logits.
        """

    def pixel_weights(self, masks: Tensor) -> Tensor | None:
        """(S, h, w) weights of pixels in the loss, from logits (S, K, h, w) of all targets."""
        del masks
        return None

    def reply(self, seen: Any, asked: Asked) -> Reply:
        """Speak, and draw the targets that the answer names.

        The first one is always drawn, for replies with other mask types to the same sentence.
        """
        states, types, margins = self._speak(seen, asked)
        scores = _until_end(margins)
        drawn = scores > -torch.inf
        first = torch.arange(drawn.shape[1], device=drawn.device) == 0
        rows, slots = places(drawn | first)
        masks = self.draw(seen, asked.picture[rows], self.listing.targets(states)[rows, slots])
        grid = masks.new_full((*drawn.shape, *masks.shape[1:]), _OUTSIDE)
        return Reply(grid.index_put((rows, slots), masks), scores, -margins[:, 0], types)

    def loss(self, seen: Any, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Losses of the text, of the masks and of the mask type."""
        heard, types = self.hear(seen, asked)
        truth = left_to_right(truth)
        counted = truth.counted[:, : self.listing.most]
        tokens = self.tokens_of(heard, truth.types)
        answers, chosen = self.listing.told(tokens, counted.sum(1), counted.shape[1])
        states = self.speaker.follow(heard, answers)
        drawn = counted.clone()
        drawn[0, 0] = True  # batch norm wants something to look at
        rows, slots = places(drawn)
        masks = self.draw(seen, asked.picture[rows], self.listing.targets(states)[rows, slots])
        grid = masks.new_full((*counted.shape, *masks.shape[1:]), _OUTSIDE)
        weights = self.pixel_weights(grid.index_put((rows, slots), masks.detach()))
        cross, dice = mask_losses(
            masks,
            truth.masks[rows, slots].float(),
            counted[rows, slots],
            None if weights is None else weights[rows],
        )
        of_text, of_cross, of_dice = self.loss_weights
        return {
            "text": of_text * self.speaker.loss(states, answers, chosen),
            "bce": of_cross * cross,
            "dice": of_dice * dice,
            "type": type_loss(types, asked, truth),
        }

    def figures(self, seen: Any, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Whether tokens are missing where there are targets; whether their number is right."""
        _, _, margins = self._speak(seen, asked)
        named, wanted = (margins > 0).cumprod(1).sum(1), truth.counted.sum(1)
        return {
            "missing": (named == 0)[wanted > 0].float(),
            "count": (named == wanted).float(),
        }

    def _speak(self, seen: Any, asked: Asked) -> tuple[Tensor, Tensor, Tensor]:
        """Speak without an end.

        Returns:
            States of the answer, see `Speaker.follow`; (S, 3) logits of the mask type; and (S, K)
            by how much each further target is likelier than anything else.
        """
        heard, types = self.hear(seen, asked)
        most = self.listing.most
        states = self.speaker.follow(heard, self.listing.endless(self.tokens_of(heard, None), most))
        chances = self.speaker.head(self.listing.choices(states, most))
        return states, types, margin(chances, len(Listing.words))


def _until_end(margins: Tensor) -> Tensor:
    """Scores of targets: -inf from where the end is likelier."""
    spoken = (margins > 0).cumprod(1).bool()
    return margins.masked_fill(~spoken, -torch.inf)


def left_to_right(truth: Truth) -> Truth:
    """Targets in the order of the centres of their visible parts; what is padded comes last."""
    columns = truth.modal.sum(2).float()
    place = torch.arange(columns.shape[2], device=columns.device)
    centre = (columns * place).sum(2) / columns.sum(2).clamp(min=1)
    order = centre.masked_fill(~truth.counted, torch.inf).argsort(dim=1, stable=True)
    row = torch.arange(len(order), device=order.device)[:, None]
    return Truth(
        truth.masks[row, order], truth.modal[row, order], truth.counted[row, order], truth.types
    )
