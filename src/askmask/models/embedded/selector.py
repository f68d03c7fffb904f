"""The selector at run time: candidates and a sentence -> the answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.models.deciding import calibrated, decide
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.mask_type import EmbeddedMaskTyper
from askmask.models.embedded.picture import Fit
from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.tokens import MaskTokens, make_tokens
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.models.embedded.words import EmbeddedWords, Sentence
from askmask.types import Answer, Candidates, Query

__all__ = ["EmbeddedSelector", "picture_tokens"]


def picture_tokens(
    config: EmbeddedConfig,
    picture_hw: tuple[int, int],
    appearance: NDArray[np.float32],
    modal: NDArray[np.bool_],
    amodal: NDArray[np.bool_],
    references: Sequence[NDArray[np.bool_]],
) -> MaskTokens:
    """Tokens of N candidates followed by R reference masks.

    Args:
        config: sizes of the network.
        picture_hw: size of the picture.
        appearance: (D, H/8, W/8) float32.
        modal: (N, H/4, W/4) bool in the network's frame.
        amodal: (N, H/4, W/4) bool.
        references: R masks, (H, W) bool in the picture's frame.
    """
    fit = Fit(picture_hw, config.input_hw)
    grids = [fit.coverage(mask, config.masks_hw) for mask in references]
    # A mask thinner than half a cell everywhere keeps its best cells instead of vanishing.
    pointed = [grid >= min(0.5, grid.max()) if grid.any() else grid > 0 for grid in grids]
    stack = np.stack(pointed) if pointed else np.zeros((0, *config.masks_hw), bool)
    used = (fit.used_hw[0] / 4, fit.used_hw[1] / 4)
    return make_tokens(
        appearance, np.concatenate([modal, stack]), np.concatenate([amodal, stack]), used
    )


class EmbeddedSelector:
    """`Selector` of the embedded model."""

    def __init__(
        self, weights: EmbeddedWeights, words: EmbeddedWords, typer: EmbeddedMaskTyper
    ) -> None:
        self._weights, self._words, self._typer = weights, words, typer
        self.config = weights.config

    @cached_property
    def _graph(self) -> Any:
        return open_graph(self._weights.path("selector.onnx"))

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Choose the group and its mask type.

        Args:
            image: (H, W, 3) uint8 RGB; the candidates' features already describe it.
            candidates: from the embedded proposer.
            query: the sentence; a mask type that it forces is kept.
        """
        references = list(query.references or ())[: self.config.max_references]
        tokens = picture_tokens(
            self.config,
            (image.shape[0], image.shape[1]),
            candidates.context["appearance"],
            candidates.features["modal"],
            candidates.features["amodal"],
            references,
        )
        prefix = np.r_[np.zeros(len(candidates), np.int64), 1 + np.arange(len(references))]
        sentence = self._words.read(query.text)
        probability = self._typer.of(sentence)
        select, none = self._judge(sentence, tokens, prefix)
        own = calibrated(self.config, select[: len(candidates)])
        return decide(candidates, query, own, none, probability, self.config)

    def _judge(
        self, sentence: Sentence, tokens: MaskTokens, prefix: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], float]:
        """Logits of selection (M,) and of "nothing fits"."""
        # The graph wants at least one mask; a padded one, marked as such, is not looked at.
        pad = 0 if len(prefix) else 1
        select, none = self._graph.run(
            None,
            {
                "words": sentence.upper,
                "words_valid": sentence.valid,
                "appearance": np.pad(tokens.appearance, ((0, pad), (0, 0)))[None],
                "geometry": np.pad(tokens.geometry, ((0, pad), (0, 0)))[None],
                "pairs": np.pad(tokens.pairs, ((0, pad), (0, pad), (0, 0)))[None],
                "prefix": np.pad(prefix, (0, pad))[None],
                "masks_valid": np.full((1, len(prefix) + pad), not pad),
            },
        )
        return select[0][: len(prefix)], float(none[0])
