"""What makes a judge's numbers mean what they say: fitted on validation data, saved beside it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Calibration"]


@dataclass(frozen=True)
class Calibration:
    """Of the logits of a judge, in the order in which it is applied.

    Attributes:
        scale: what logits of candidates are multiplied by, one over the temperature.
        bias: what is added to them then.
        no_target_weights: see `Thresholds`, as for the rest.
    """

    scale: float = 1.0
    bias: float = 0.0
    no_target_weights: tuple[float, float, float] = (1.0, 0.0, 0.0)
    no_target_threshold: float = 0.5
    select_threshold: float = 0.5
    sure_threshold: float = 0.6
