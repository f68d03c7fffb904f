"""The completer at run time: crops around masks through one ONNX graph, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.models.completer.config import CompleterConfig
from askmask.models.completer.weights import CompleterWeights
from askmask.models.completer.window import Window, window_around
from askmask.models.completion import MaskCompleter
from askmask.models.embedded.runtime import open_graph

__all__ = ["CropCompleter", "Judge"]

_BATCH = 16
"""Crops that the network sees at a time; bounds the memory."""

Floats = NDArray[np.float32]

Judge = Callable[[Floats], tuple[Floats, Floats]]
"""Crops (B, 5, S, S) -> logits of the shapes (B, S, S) and of their IoU (B,)."""


class CropCompleter(MaskCompleter):
    """Looks at each mask in a crop of its own, from farther away where the shape goes on."""

    def __init__(
        self,
        config: CompleterConfig,
        judge: Judge,
        model_id: str,
        weights_hash: str | None = None,
    ) -> None:
        """Use a network of any kind; `load` opens exported weights."""
        self.config, self._judge = config, judge
        self.model_id, self.weights_hash = model_id, weights_hash

    @classmethod
    def load(cls, name: str) -> CropCompleter:
        """Open the weights called `name`, or in the folder `name`.

        Raises:
            WeightsError: when there are none, or they cannot be run.
        """
        weights = CompleterWeights(name)
        config, graph = weights.config, open_graph(weights.graph)

        def judge(crops: Floats) -> tuple[Floats, Floats]:
            logits, quality = graph.run(None, {"crops": crops})
            return logits, quality

        return cls(config, judge, name, weights.written_sha256)

    def _guess(
        self, image: NDArray[np.uint8], modal: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Floats]:
        amodal = modal.copy()
        confidence = np.zeros(len(modal), np.float32)
        asked = [index for index, mask in enumerate(modal) if mask.any()]
        for reach in (self.config.reach, self.config.far_reach):
            goes_on = []
            for start in range(0, len(asked), _BATCH):
                some = asked[start : start + _BATCH]
                windows = [self._window(modal[index], reach) for index in some]
                logits, sure = self._look(image, modal[some], windows)
                for place, (index, window) in enumerate(zip(some, windows, strict=True)):
                    amodal[index] = window.paste(logits[place], self.config.cut)
                    confidence[index] = sure[place]
                    if window.reaches_border(logits[place] > self.config.cut):
                        goes_on.append(index)
            asked = goes_on
        return amodal, confidence

    def _window(self, mask: NDArray[np.bool_], reach: float) -> Window:
        return window_around(
            mask, reach=reach, least_side=self.config.least_side, cells=self.config.cells
        )

    def _look(
        self, image: NDArray[np.uint8], modal: NDArray[np.bool_], windows: Sequence[Window]
    ) -> tuple[Floats, Floats]:
        """Logits (N, S, S) and confidences (N,) of masks in their windows."""
        pairs = zip(windows, modal, strict=True)
        logits, quality = self._judge(np.stack([one.crop(image, mask) for one, mask in pairs]))
        slope, offset = self.config.confidence_weights
        sure = 1 / (1 + np.exp(-np.clip(slope * quality + offset, -30, 30)))
        return logits, sure.astype(np.float32)
