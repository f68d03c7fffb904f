"""The running average of a model's weights, which generalises better than the last ones.

Exponential moving average after Polyak and Juditsky (1992) with the warm-up that is customary since
TensorFlow's: early weights are soon forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """Average of the parameters of `model`; buffers (of batch norm) are the model's as they are.

    Args:
        model: what is trained, where it is trained.
        decay: share of the average that a step keeps, below 1; 0 for no average, when the
            parameters themselves stand for it.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._parameters = list(model.parameters()) if decay else []
        self._means = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def restart(self) -> None:
        """Begin anew at the model's parameters."""
        for mean, parameter in zip(self._means, self._parameters, strict=True):
            mean.copy_(parameter)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the parameters after step number `step`, from 0."""
        rate = 1 - min(self.decay, (1 + step) / (10 + step))
        for mean, parameter in zip(self._means, self._parameters, strict=True):
            mean.lerp_(parameter, rate)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's parameters and the average."""
        for mean, parameter in zip(self._means, self._parameters, strict=True):
            held = parameter.clone()
            parameter.copy_(mean)
            mean.copy_(held)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model be the average for a while."""
        self.swap()
        try:
            yield
        finally:
            self.swap()
