"""Several processes that train one model together, each on its share of the batches.

Started by `torchrun`, which sets RANK and WORLD_SIZE. Every process holds the whole model and takes
the same steps; the first one writes.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn

__all__ = ["Processes"]


class Processes:
    """This process among those that train together; alone where none was started.

    Attributes:
        rank: number of this process, from 0.
        count: how many there are.
    """

    def __init__(self) -> None:
        together = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if together else 0
        self.count = distributed.get_world_size() if together else 1

    @property
    def first(self) -> bool:
        """Whether this process writes for all."""
        return self.rank == 0

    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over the processes."""
        self._average(p.grad for p in model.parameters() if p.grad is not None)

    def average_buffers(self, model: nn.Module) -> None:
        """Replace what batch norm has seen by its mean over the processes."""
        self._average(buffer for buffer in model.buffers() if buffer.is_floating_point())

    def average(self, values: Iterable[Tensor]) -> list[Tensor]:
        """Means over the processes of scalars that all have."""
        copies = [value.detach().clone() for value in values]
        self._average(copies)
        return copies

    def of_first(self, seconds: float) -> float:
        """What the first process measured: all must agree when the budget is used."""
        if self.count == 1:
            return seconds
        shared = torch.tensor([seconds], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared)

    def _average(self, tensors: Iterable[Tensor]) -> None:
        """In place, in one message."""
        if self.count == 1:
            return
        listed = list(tensors)
        if not listed:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in listed])
        distributed.all_reduce(flat)
        flat /= self.count
        parts = torch.split(flat, [tensor.numel() for tensor in listed])
        for tensor, part in zip(listed, parts, strict=True):
            tensor.detach().copy_(part.view_as(tensor))
