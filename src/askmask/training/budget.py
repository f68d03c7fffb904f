"""How long a training may take: minutes of training time, or a number of steps or epochs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from askmask.errors import ConfigError

__all__ = ["Budget"]

_NAMED = {"small": 0.25, "base": 1.0, "large": 4.0}
"""Multiples of what a recipe takes by itself."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """One of `seconds`, `steps` and `epochs` is set.

    Epochs become steps by `counted`, once it is known how many steps one has.
    The learning rate follows the share of the budget that is used, so that every budget gets its
    whole schedule. Only training time counts: evaluation and interruptions are free.
    """

    seconds: float | None = None
    steps: int | None = None
    epochs: float | None = None

    @classmethod
    def parse(cls, text: str, base: str | None = None) -> Budget:
        """Read "40m", "2h", "90s", "5000 steps", "10 epochs", or one named after the recipe's own.

        Args:
            text: what was asked for.
            base: the recipe's own; a quarter of it is "small", it is "base", four times "large".
        """
        if base is not None and (factor := _NAMED.get(text.strip().lower())) is not None:
            return cls.parse(base).share(factor)
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|steps?|epochs?)\s*", text.lower())
        if not match or float(match[1]) <= 0:
            raise ConfigError(
                "--budget: expected small, base, large or e.g. '40m', '2h', '90s', '5000 steps', "
                f"'10 epochs'; got {text!r}"
            )
        if match[2].startswith("step"):
            return cls(steps=int(float(match[1])))
        if match[2].startswith("epoch"):
            return cls(epochs=float(match[1]))
        return cls(seconds=float(match[1]) * _UNITS[match[2]])

    def counted(self, epoch_steps: int) -> Budget:
        """The same with epochs as steps, of which each has `epoch_steps`."""
        if self.epochs is None:
            return self
        return Budget(steps=max(1, round(self.epochs * epoch_steps)))

    def used(self, seconds: float, steps: int) -> float:
        """Share of the budget that is used, in [0, 1].

        Raises:
            ConfigError: for epochs, where batches are made without end.
        """
        if self.epochs is not None:
            raise ConfigError(
                f"--budget: this recipe makes its data without end and has no epochs, got {self}; "
                "give time or steps"
            )
        if self.steps is not None:
            return min(1.0, steps / self.steps)
        return min(1.0, seconds / (self.seconds or 1.0))

    def left(self, seconds: float, steps: int) -> float:
        """Seconds until it is used, at the pace of the steps so far."""
        if self.steps is not None:
            return seconds / max(steps, 1) * max(self.steps - steps, 0)
        return max((self.seconds or 0.0) - seconds, 0.0)

    def share(self, part: float) -> Budget:
        """Return `part` of this budget, e.g. for one stage of a recipe."""
        if self.steps is not None:
            return Budget(steps=max(1, round(self.steps * part)))
        if self.epochs is not None:
            return Budget(epochs=self.epochs * part)
        return Budget(seconds=(self.seconds or 0.0) * part)

    def __str__(self) -> str:
        if self.steps is not None:
            return f"{self.steps} steps"
        return f"{self.seconds:g}s" if self.epochs is None else f"{self.epochs:g} epochs"
