"""The numbers that the completer's network, its training and its runtime share."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from askmask.errors import ConfigError

__all__ = ["CHANNELS", "CompleterConfig"]

CHANNELS = 5
"""Of a crop: red, green, blue, the modal mask, and where there is picture at all."""


@dataclass(frozen=True)
class CompleterConfig:
    """Sizes and thresholds; saved as `config.json` beside the weights.

    Attributes:
        cells: height and width of a crop as the network sees it, a multiple of 16.
        widths: channels of the network at 1/2, 1/4, 1/8 and 1/16 of a crop.
        reach: side of a crop, in longer sides of the box around the modal mask.
        far_reach: the same for the second look at a shape that reaches the border of its crop.
        least_side: smallest side of a crop, in pixels of the picture.
        threshold: least probability of a pixel of the complete shape.
        confidence_weights: the confidence is the sigmoid of the network's own logit times the
            first, plus the second.
    """

    cells: int = 128
    widths: tuple[int, int, int, int] = (24, 48, 64, 96)
    reach: float = 2.4
    far_reach: float = 4.8
    least_side: float = 32.0
    threshold: float = 0.5
    confidence_weights: tuple[float, float] = (1.0, 0.0)

    def __post_init__(self) -> None:
        if self.cells < 16 or self.cells % 16 or not 0 < self.threshold < 1:
            raise ConfigError(
                "completer: expected cells in multiples of 16 and a threshold between 0 and 1, got "
                f"{self.cells} and {self.threshold}"
            )

    @property
    def cut(self) -> float:
        """The threshold as a logit."""
        return math.log(self.threshold / (1 - self.threshold))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> CompleterConfig:
        """Read saved values; unknown keys are refused."""
        if not isinstance(values, dict):
            raise ConfigError(f"completer: expected an object, got {type(values).__name__}")
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigError(f"completer: unknown configuration keys {sorted(unknown)}")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})
