"""Where a training computes, CPU or GPU, and whether in bfloat16 where that is enough.

The one place that knows. Tasks make what they need where their batch is; outside of the training
steps every model rests on the CPU, where it is measured, exported and used, unless it is too large.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from askmask.errors import ConfigError

__all__ = ["DEVICES", "PRECISIONS", "Placement"]

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")

T = TypeVar("T")


@dataclass(frozen=True)
class Placement:
    """Where a model is.

    Attributes:
        device: of the training steps.
        rest: of the model outside of them.
        half: whether what tolerates bfloat16 computes in it.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rest: torch.device = field(default_factory=lambda: torch.device("cpu"))
    half: bool = False

    @classmethod
    def named(cls, name: str, precision: str = "auto") -> Placement:
        """Choose by names.

        Args:
            name: one of `DEVICES`; "auto" takes a GPU when there is one.
            precision: one of `PRECISIONS`; "auto" is bfloat16 on a GPU only, as most CPUs compute
                slower in it.

        Raises:
            ConfigError: for another name, or without a GPU where one is asked for.
        """
        there = torch.cuda.is_available()
        if name not in DEVICES:
            raise ConfigError(f"--device: expected one of {', '.join(DEVICES)}, got {name!r}")
        if precision not in PRECISIONS:
            raise ConfigError(
                f"--precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}"
            )
        if name == "cuda" and not there:
            raise ConfigError(
                "--device cuda: torch finds no GPU (torch.cuda.is_available() is False); "
                "use --device cpu, or install a torch built for your GPU"
            )
        if name == "cpu" or not there:
            return cls(half=precision == "bfloat16")
        torch.backends.cudnn.benchmark = True  # pictures come in two sizes only
        torch.set_float32_matmul_precision("high")
        return cls(torch.device("cuda"), half=precision != "float32")

    def staying(self) -> Placement:
        """The same for a model that is too large to be measured on the CPU."""
        return replace(self, rest=self.device)

    def computing(self) -> AbstractContextManager[object]:
        """In it, what tolerates bfloat16 computes in it, if it shall."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)

    def seed(self, number: int) -> None:
        """Let random numbers of the device start from `number`."""
        torch.default_generator.manual_seed(number)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(number)

    def put(self, batch: T) -> T:
        """Copy the tensors in a batch, of named tuples, tuples and dicts, to the device."""
        if self.device.type == "cpu":
            return batch
        copied: T = _each(batch, self._sent)
        return copied

    def _sent(self, tensor: Tensor) -> Tensor:
        if tensor.device.type == self.device.type:
            return tensor
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)


def _each(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A copy of a nest of containers with changed tensors; everything else stays."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, dict):
        return {key: _each(value, change) for key, value in batch.items()}
    if isinstance(batch, tuple):
        changed = [_each(value, change) for value in batch]
        return type(batch)(*changed) if hasattr(batch, "_fields") else tuple(changed)
    return batch
