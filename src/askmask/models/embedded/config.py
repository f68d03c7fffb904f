"""The numbers that the networks, the training and the runtime of the embedded model share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from askmask.errors import ConfigError

__all__ = ["EmbeddedConfig"]


@dataclass(frozen=True)
class EmbeddedConfig:
    """Sizes and thresholds; saved as `config.json` beside the weights.

    Attributes:
        input_hw: pictures are scaled and padded to this height and width, in pixels.
        max_candidates: most candidates that survive in one picture.
        centre_threshold: least centre score of a candidate.
        overlap_threshold: of two candidates with a larger modal IoU the weaker one goes.
        mask_features: channels of the map that the dynamic mask head reads.
        appearance: channels of the map that mask tokens are pooled from.
        comparative: whether candidates attend to one another; else each is judged by itself.
        max_references: most reference masks in one sentence.
        max_words: longest sentence in word pieces; the rest is cut off.
        scale: what the network's logits of candidates are multiplied by, one over the temperature.
        bias: what is added to them then.
        select_threshold: least probability of a selected candidate.
        no_target_threshold: probability of "nothing fits" from which the answer is empty.
        no_target_weights: that probability is the sigmoid of the network's own logit times the
            first, plus the best candidate's logit, calibrated, times the second, plus the third.
        sure_threshold: an answer in which a decision was made with a smaller probability is unsure.
    """

    input_hw: tuple[int, int] = (240, 320)
    max_candidates: int = 24
    centre_threshold: float = 0.15
    overlap_threshold: float = 0.6
    mask_features: int = 8
    appearance: int = 96
    comparative: bool = True
    max_references: int = 8
    max_words: int = 128
    scale: float = 1.0
    bias: float = 0.0
    select_threshold: float = 0.5
    no_target_threshold: float = 0.5
    no_target_weights: tuple[float, float, float] = (1.0, 0.0, 0.0)
    sure_threshold: float = 0.6

    @property
    def cells_hw(self) -> tuple[int, int]:
        """Grid of candidate centres: the input at 1/8."""
        return self.input_hw[0] // 8, self.input_hw[1] // 8

    @property
    def masks_hw(self) -> tuple[int, int]:
        """Grid of the masks: the input at 1/4."""
        return self.input_hw[0] // 4, self.input_hw[1] // 4

    @property
    def dynamic_sizes(self) -> tuple[tuple[int, int], ...]:
        """Input and output channels of the layers of the dynamic mask head."""
        hidden = 8
        return ((self.mask_features + 2, hidden), (hidden, hidden), (hidden, 2))

    @property
    def dynamic_parameters(self) -> int:
        """Weights and biases that each cell predicts for its mask head."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.dynamic_sizes)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EmbeddedConfig:
        """Read saved values; unknown keys are refused."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigError(f"embedded model: unknown configuration keys {sorted(unknown)}")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})
