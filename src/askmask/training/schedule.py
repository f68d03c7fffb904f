"""When a training learns how fast, and when it logs, saves and measures."""

from __future__ import annotations

import math

__all__ = ["SCHEDULES", "Every", "duration", "share_of_peak"]

SCHEDULES = ("cosine", "step")
"""Course of the learning rate after its warm-up."""

_DROP = 0.8
"""Share of the budget after which "step" takes a tenth."""


def share_of_peak(step: int, used: float, warmup_steps: int, schedule: str) -> float:
    """Linear warm-up, then a cosine over the budget down to 1 % of the peak, or one drop to 10 %.

    Args:
        step: steps that were taken.
        used: share of the budget that is used.
        warmup_steps: until the peak.
        schedule: what comes after, one of `SCHEDULES`.
    """
    if schedule == "step":
        course = 1.0 if used < _DROP else 0.1
    else:
        course = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * used))
    return min(1.0, (step + 1) / max(warmup_steps, 1)) * course


class Every:
    """Tells when it is time again.

    Args:
        interval: in the unit of `now`, seconds or steps; 0 for always.
        start: when the last time was.
    """

    def __init__(self, interval: float, start: float) -> None:
        self._interval, self._last = interval, start

    def is_due(self, now: float) -> bool:
        """Whether `interval` has passed since it last was."""
        due = now - self._last >= self._interval
        if due:
            self._last = now
        return due


def duration(seconds: float) -> str:
    """As "40s", "12m" or "3.5h"."""
    if seconds < 120:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 7200 else f"{seconds / 3600:.1f}h"
