"""Sentences at run time: text -> word states, for the mask type and for the selector."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.weights import EmbeddedWeights

__all__ = ["EmbeddedWords", "Sentence", "open_tokenizer"]


def open_tokenizer(path: Path, max_words: int) -> Any:
    """Return the `tokenizers.Tokenizer` in `path`, cutting sentences off at `max_words` pieces."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_words)
    tokenizer.no_padding()
    return tokenizer


class Sentence(NamedTuple):
    """A sentence of T word pieces as the text tower sees it.

    Attributes:
        lower: (1, T, 384) float32, see `words_net.WordStates`.
        upper: (1, T, 768) float32.
    """

    lower: NDArray[np.float32]
    upper: NDArray[np.float32]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(1, T) all true: a single sentence has no padding."""
        return np.ones(self.lower.shape[:2], bool)


class EmbeddedWords:
    """Tokenizer and text tower of the embedded model."""

    def __init__(self, weights: EmbeddedWeights) -> None:
        self._weights = weights

    @cached_property
    def _graph(self) -> Any:
        return open_graph(self._weights.path("words.onnx"))

    @cached_property
    def _tokenizer(self) -> Any:
        path = self._weights.path("tokenizer.json")
        return open_tokenizer(path, self._weights.config.max_words)

    def read(self, text: str) -> Sentence:
        """Encode one sentence; beyond `max_words` word pieces it is cut off."""
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        return Sentence(*self._graph.run(None, {"ids": ids, "valid": np.ones(ids.shape, bool)}))
