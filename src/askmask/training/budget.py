"""How long a training may take: minutes of training time or a number of steps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from askmask.errors import ConfigError

__all__ = ["Budget"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """Either `seconds` or `steps` is set.

    The learning rate follows the share of the budget that is used, so that every budget gets its
    whole schedule. Only training time counts: evaluation and interruptions are free.
    """

    seconds: float | None = None
    steps: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read "40m", "2h", "90s" or "5000 steps"."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|steps?)\s*", text.lower())
        if not match or float(match[1]) <= 0:
            raise ConfigError(
                f"--budget: expected e.g. '40m', '2h', '90s' or '5000 steps', got {text!r}"
            )
        if match[2].startswith("step"):
            return cls(steps=int(float(match[1])))
        return cls(seconds=float(match[1]) * _UNITS[match[2]])

    def used(self, seconds: float, steps: int) -> float:
        """Share of the budget that is used, in [0, 1]."""
        if self.steps is not None:
            return min(1.0, steps / self.steps)
        return min(1.0, seconds / (self.seconds or 1.0))

    def share(self, part: float) -> Budget:
        """Return `part` of this budget, e.g. for one stage of a recipe."""
        if self.steps is not None:
            return Budget(steps=max(1, round(self.steps * part)))
        return Budget(seconds=(self.seconds or 0.0) * part)

    def __str__(self) -> str:
        return f"{self.steps} steps" if self.steps is not None else f"{self.seconds:g}s"
