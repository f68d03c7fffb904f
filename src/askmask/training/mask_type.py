"""Train the mask type on sentences alone: written frames around the phrases of cached queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.mask_type import TYPES
from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.text_net import TextTower
from askmask.pantry.language.banks import noun_entries
from askmask.pantry.language.english import roughen
from askmask.pantry.language.frames import any_frame, sentence
from askmask.training.candidates import CachedQuery
from askmask.training.loop import LoopSettings
from askmask.training.words import pad_ids, tokenizer

__all__ = ["MaskTypeRecipe", "MaskTypeTask"]

_WINDOW = 16
"""Batches whose sentences are sorted by length together."""


@dataclass(frozen=True)
class MaskTypeRecipe:
    """Settings of the mask type's training.

    Attributes:
        batch: sentences a step.
        learning_rate: peak of AdamW for the layers that start from the tower's.
        head_rate: peak for the pooling and the classes.
        framed_share: share of sentences from `any_frame`; a third of the others are rendered
            scenes' if there are any, the rest the composed scenes'.
        shares: of modal, amodal and hidden among the framed sentences.
        rough_share: share of framed sentences with slips of the fingers.
        smoothing: of the labels.
        loop: how it is trained, whatever it is.
    """

    batch: int = 64
    learning_rate: float = 1e-4
    head_rate: float = 1e-3
    framed_share: float = 0.85
    shares: tuple[float, float, float] = (0.42, 0.34, 0.24)
    rough_share: float = 0.08
    smoothing: float = 0.05
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(average=0.999))


class _Batch(NamedTuple):
    ids: Tensor  # (B, T) long
    valid: Tensor  # (B, T) bool
    mask_type: Tensor  # (B,) long


class MaskTypeTask:
    """The `TrainingTask` of the mask type."""

    def __init__(
        self,
        recipe: MaskTypeRecipe,
        config: EmbeddedConfig,
        tower: TextTower,
        learnt: Sequence[CachedQuery],
        rendered: Sequence[CachedQuery],
        held_out: Mapping[str, Sequence[CachedQuery]],
    ) -> None:
        self.recipe = recipe
        torch.manual_seed(0)
        self.model = MaskTypeNet(tower)
        self._tower = tower
        self._tokenizer = tokenizer(config.max_words)
        self._learnt, self._rendered, self._held_out = learnt, rendered, held_out
        self._phrases = [(query.phrase, query.targets > 1) for query in learnt if query.phrase]
        self._nouns = list(noun_entries())

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What starts from the tower learns more slowly than what is new."""
        new = [*self.model.weigh.parameters(), *self.model.classify.parameters()]
        return [
            {"params": list(self.model.layers.parameters()), "lr": self.recipe.learning_rate},
            {"params": new, "lr": self.recipe.head_rate},
        ]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[_Batch]:
        """Sentences of like length in a batch."""
        del used
        at = -1
        for number in numbers:
            window, slot = divmod(number, _WINDOW)
            if window != at:
                at, rng = window, np.random.default_rng([17, window])
                drawn = [self._draw(rng) for _ in range(_WINDOW * self.recipe.batch)]
                encoded = [(self._tokenizer.encode(text).ids, kind) for text, kind in drawn]
                encoded.sort(key=lambda pair: len(pair[0]))
                order = rng.permutation(_WINDOW)
            first = int(order[slot]) * self.recipe.batch
            yield _batch(encoded[first : first + self.recipe.batch])

    def _draw(self, rng: np.random.Generator) -> tuple[str, int]:
        """One sentence and the index of its mask type."""
        if rng.random() < self.recipe.framed_share:
            return self._framed(rng)
        pool = self._rendered if self._rendered and rng.random() < 1 / 3 else self._learnt
        query = pool[int(rng.integers(len(pool)))]
        return query.text, query.mask_type

    def _framed(self, rng: np.random.Generator) -> tuple[str, int]:
        """One frame around the shorter of two phrases: the frame is what there is to learn."""
        kind = int(rng.choice(len(TYPES), p=self.recipe.shares))
        places = rng.integers(len(self._phrases), size=2)
        phrase, plural = min((self._phrases[place] for place in places), key=lambda p: len(p[0]))
        frame = any_frame(TYPES[kind], "train", rng, plural=plural)
        occluder = f"the {self._nouns[int(rng.integers(len(self._nouns)))]}"
        text = sentence(frame, phrase, occluder, rng)
        return (roughen(text, rng) if rng.random() < self.recipe.rough_share else text), kind

    def loss(self, batch: _Batch) -> dict[str, Tensor]:
        """Cross entropy of one batch."""
        return {
            "type": functional.cross_entropy(
                self._logits(batch), batch.mask_type, label_smoothing=self.recipe.smoothing
            )
        }

    def _logits(self, batch: _Batch) -> Tensor:
        with torch.no_grad():
            words = self._tower.to(batch.ids.device)(batch.ids, batch.valid, MaskTypeNet.reads)[-1]
        logits: Tensor = self.model(words, batch.valid)
        return logits

    def evaluate(self) -> dict[str, float]:
        """Share of right types among the sentences of each held-out set."""
        return {f"type.{name}": self._accuracy(them) for name, them in self._held_out.items()}

    def _accuracy(self, queries: Sequence[CachedQuery]) -> float:
        encoded = [(self._tokenizer.encode(one.text).ids, one.mask_type) for one in queries]
        encoded.sort(key=lambda pair: len(pair[0]))
        right = 0
        for start in range(0, len(encoded), 64):
            batch = _batch(encoded[start : start + 64])
            right += int((self._logits(batch).argmax(1) == batch.mask_type).sum())
        return right / max(len(encoded), 1)


def _batch(encoded: Sequence[tuple[list[int], int]]) -> _Batch:
    ids, valid = pad_ids([pieces for pieces, _ in encoded])
    return _Batch(ids, valid, torch.tensor([kind for _, kind in encoded]))
