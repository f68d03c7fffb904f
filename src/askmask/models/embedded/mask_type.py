"""The mask type at run time: sentence -> probability of modal, amodal and hidden."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.models.embedded.words import EmbeddedWords, Sentence
from askmask.types import MaskType

__all__ = ["TYPES", "EmbeddedMaskTyper"]

TYPES = (MaskType.MODAL, MaskType.AMODAL, MaskType.HIDDEN)
"""Order of the mask-type logits."""


class EmbeddedMaskTyper:
    """`MaskTyper` of the embedded model; it needs no picture."""

    def __init__(self, weights: EmbeddedWeights, words: EmbeddedWords) -> None:
        self._weights, self._words = weights, words

    @cached_property
    def _graph(self) -> Any:
        return open_graph(self._weights.path("mask_type.onnx"))

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        """Probability of each mask type for each sentence."""
        return [self.of(self._words.read(text)) for text in texts]

    def of(self, sentence: Sentence) -> dict[MaskType, float]:
        """Probability of each mask type for one encoded sentence."""
        given = {"words": sentence.lower, "valid": sentence.valid}
        logits: NDArray[np.float32] = self._graph.run(None, given)[0][0]
        odds = np.exp(logits - logits.max())
        return dict(zip(TYPES, (odds / odds.sum()).tolist(), strict=True))
