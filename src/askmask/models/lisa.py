"""LISA: a language model answers with a [SEG] token, whose hidden state prompts a mask decoder.

Lai et al., "LISA: Reasoning Segmentation via Large Language Model", CVPR 2024 (arXiv 2308.00692),
section 4.1 and figure 3: the language model answers in text (equation 1); the vocabulary gets a new
token [SEG], and where the answer holds it, its last-layer hidden state is projected by an MLP and
prompts the mask decoder, "embedding as mask" (equation 2). The loss is the weighted sum of the
answer's and the mask's (equation 3): cross-entropy, and binary cross-entropy and dice (equation 4),
with the weights 1.0, 2.0 and 0.5 (section 5.1). Checked against the authors' public code
(`model/LISA.py`, `train_ds.py`): the projection of two layers with a ReLU, and answers such as
"It is [SEG].". The code takes the hidden state that [SEG] is predicted from, one place before it;
here it is the state of [SEG] itself, as the paper says.

What differs from the paper, for every system alike: small eyes, the same for the language model and
the decoder, instead of CLIP and SAM; a small causal transformer that learns from nothing instead of
LLaVA with LoRA; words from the frozen tower, and answers in a vocabulary of five. One [SEG] an
answer, so that several targets are one fused mask; where nothing fits, the answer says so without
[SEG], which the authors do not train. Reference masks have no input in this design and are not
looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from askmask.models.causal import Memory
from askmask.models.mask_decoder import PromptDecoder, mask_losses, projection
from askmask.models.speaker import Heard, Speaker, margin
from askmask.models.system import Asked, Pictures, Reply, System, Truth, type_loss
from askmask.models.trunk import SIZES, Trunk, TrunkSize, Views

__all__ = ["Lisa", "LisaOptions", "LisaSeen"]

_VOCABULARY = ("<end>", "it", "is", "[SEG]", "absent")
_FOUND = "it is [SEG] <end>"
_NOTHING = "it is absent <end>"


@dataclass(frozen=True)
class LisaOptions:
    """Choices of the design.

    Attributes:
        grid_hw: rows and columns of the picture's tokens.
        text_weight: of the cross-entropy of answers.
        bce_weight: of the cross-entropy of masks.
        dice_weight: of their dice loss.
    """

    grid_hw: tuple[int, int] = (6, 8)
    text_weight: float = 1.0
    bce_weight: float = 2.0
    dice_weight: float = 0.5


class LisaSeen(NamedTuple):
    """What depends on P pictures alone.

    Attributes:
        views: that masks are drawn from.
        tokens: (P, G, width) picture tokens of the language model.
        picture: what the language model keeps of them, for all sentences.
    """

    views: Views
    tokens: Tensor
    picture: Memory


class Lisa(System):
    """One [SEG], one fused mask."""

    name = "lisa"

    def __init__(self, size: TrunkSize, options: LisaOptions) -> None:
        super().__init__()
        self._options = options
        self.trunk = Trunk(size)
        self.speaker = Speaker(size, _VOCABULARY, options.grid_hw)
        self.project = projection(size)
        self.decoder = PromptDecoder(size)
        found, nothing = self.speaker.ids(_FOUND), self.speaker.ids(_NOTHING)
        self._answers: Tensor
        self.register_buffer("_answers", torch.tensor([found, nothing]), persistent=False)
        self._seg = self.speaker.vocabulary.index("[SEG]")

    @classmethod
    def named(cls, size: str, **options: Any) -> Lisa:
        """Build one of a size of `trunk.SIZES`; options are those of `LisaOptions`."""
        if "grid_hw" in options:
            options["grid_hw"] = tuple(options["grid_hw"])
        return cls(SIZES[size](), LisaOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> LisaSeen:
        """Views of the pictures, and their tokens, which the language model has read."""
        views: Views = self.trunk.eyes(pictures.images)
        tokens = self.speaker.tokens(views.middle)
        return LisaSeen(views, tokens, self.speaker.language.begin(tokens))

    def reply(self, seen: LisaSeen, asked: Asked) -> Reply:
        """Speak, and draw what [SEG] says.

        Without a [SEG], nothing fits; the mask is that of one where it was likeliest, for replies
        with other mask types to the same sentence.
        """
        heard, types = self._hear(seen, asked)
        answers, best, place = self._answer(heard)
        states = self.speaker.follow(heard, answers.scatter(1, place[:, None], self._seg))
        rows = torch.arange(len(place), device=place.device)
        masks = self._draw(seen, asked, states[rows, 1 + place])
        scores = best.masked_fill(best <= 0, -torch.inf)
        return Reply(masks[:, None], scores[:, None], -best, types)

    def loss(self, seen: LisaSeen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """The weighted sum of text and mask losses, and the loss of the mask type."""
        heard, types = self._hear(seen, asked)
        answers = self._answers[truth.none.long()]
        states = self.speaker.follow(heard, answers)
        place = 1 + self.speaker.ids(_FOUND).index(self._seg)
        logits = self._draw(seen, asked, states[:, place])
        cross, dice = mask_losses(logits, truth.union, 1 - truth.none)
        options = self._options
        return {
            "text": options.text_weight
            * self.speaker.loss(states, answers, torch.ones_like(answers)),
            "bce": options.bce_weight * cross,
            "dice": options.dice_weight * dice,
            "type": type_loss(types, asked, truth),
        }

    def figures(self, seen: LisaSeen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """`missing`: whether [SEG] is missing, of the sentences that have targets."""
        _, best, _ = self._answer(self._hear(seen, asked)[0])
        return {"missing": (best <= 0)[truth.none == 0].float()}

    def _hear(self, seen: LisaSeen, asked: Asked) -> tuple[Heard, Tensor]:
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        return self.speaker.hear(seen.picture.of(asked.picture), words, asked.valid), types

    def _answer(self, heard: Heard) -> tuple[Tensor, Tensor, Tensor]:
        """Answers (S, A); how surely [SEG] is spoken, (S,), above 0 if it is; and where, (S,)."""
        answers, logits = self.speaker.speak(heard, self._answers.shape[1])
        best, place = margin(logits, self._seg).max(1)
        return answers, best, place

    def _draw(self, seen: LisaSeen, asked: Asked, states: Tensor) -> Tensor:
        """(S, h, w) logits of the masks that hidden states (S, width) of [SEG] ask for."""
        prompts = self.project(states)
        masks: Tensor = self.decoder(prompts, seen.views.of(asked.picture), self.trunk.pixels)
        return masks
