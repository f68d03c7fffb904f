"""The embedded model as a `Segmenter`."""

from __future__ import annotations

from collections.abc import Sequence

from askmask.models.embedded.mask_type import EmbeddedMaskTyper
from askmask.models.embedded.proposer import EmbeddedProposer
from askmask.models.embedded.selector import EmbeddedSelector
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.models.embedded.words import EmbeddedWords
from askmask.models.pipeline import Pipeline
from askmask.types import MaskType

__all__ = ["EmbeddedSegmenter"]


class EmbeddedSegmenter(Pipeline):
    """Proposer, completer and selector of the embedded model, behind `askmask.load()`.

    The completer is the proposer's second head, so the pipeline has none of its own.
    """

    def __init__(self, name: str) -> None:
        weights = EmbeddedWeights(name)
        words = EmbeddedWords(weights)
        self._typer = EmbeddedMaskTyper(weights, words)
        super().__init__(
            EmbeddedProposer(weights),
            None,
            EmbeddedSelector(weights, words, self._typer),
            model_id=name,
            weights_hash=weights.written_sha256,
        )

    @classmethod
    def load(cls, name: str) -> EmbeddedSegmenter:
        """Open the weights called `name`, or in the folder `name`."""
        return cls(name)

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        """Probability of each mask type for each sentence, without a picture."""
        return self._typer.mask_types(texts)
