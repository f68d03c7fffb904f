"""The proposer and completer at run time: picture -> candidates with modal and amodal masks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.models.embedded.decode import Proposals, decode_proposals
from askmask.models.embedded.picture import Fit, normalise
from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.types import Candidates, Masks

__all__ = ["EmbeddedProposer"]


class EmbeddedProposer:
    """`Proposer` of the embedded model; its candidates come with amodal masks."""

    def __init__(self, weights: EmbeddedWeights) -> None:
        self._weights = weights
        self.config = weights.config

    @cached_property
    def _graph(self) -> Any:
        return open_graph(self._weights.path("image.onnx"))

    def proposals(self, image: NDArray[np.uint8]) -> tuple[Proposals, Fit]:
        """Candidates in the network's frame, and how the picture lies in it.

        Args:
            image: (H, W, 3) uint8 RGB.
        """
        fit = Fit((image.shape[0], image.shape[1]), self.config.input_hw)
        inputs = normalise(fit.image(image)[None])
        outputs = self._graph.run(None, {"images": inputs})
        return decode_proposals(self.config, *(output[0] for output in outputs)), fit

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find candidates in `image`, (H, W, 3) uint8 RGB, best first; there may be none."""
        found, fit = self.proposals(image)
        modal = fit.masks(found.logits[:, 0])
        amodal = fit.masks(found.logits[:, 1])
        amodal |= modal  # in place: these stacks are the most memory that a large picture takes
        return Candidates(
            modal=Masks.from_dense(modal),
            amodal=Masks.from_dense(amodal),
            score=found.score,
            features={"modal": found.modal, "amodal": found.amodal},
            context={"appearance": found.appearance},
        )
