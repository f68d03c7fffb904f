"""Comparisons of size and height, pair by pair: (N, N) truth of "a is … than b"."""

from __future__ import annotations

from askmask.pantry.language.facts import Floats, SceneFacts
from askmask.pantry.language.truth import Truth, agree, decide

__all__ = ["larger_than", "sizes", "taller_than"]


def sizes(facts: SceneFacts, mode: str) -> tuple[Floats, ...]:
    """The measures of size that a mode compares; all must agree.

    Args:
        facts: the scene's.
        mode: "visible" (pixels), "real" (volume) or "both" (amodal pixels and volume).
    """
    if mode == "visible":
        return (facts.modal_area,)
    return (facts.volume,) if mode == "real" else (facts.amodal_area, facts.volume)


def larger_than(facts: SceneFacts, mode: str) -> Truth:
    """Whether a is at least a quarter larger than b."""
    answers = [
        # Two wholly hidden objects are equal, although 0 >= 1.25 * 0.
        decide((size[:, None] >= 1.25 * size) & (size[:, None] > size), size[:, None] <= size)
        for size in sizes(facts, mode)
    ]
    return agree(answers[0], answers[-1])


def taller_than(facts: SceneFacts) -> Truth:
    """Whether a is really taller than b, wherever their bases are."""
    height = facts.shapes.solid.size[:, 1]
    more = height[:, None] - height
    true = (height[:, None] >= 1.15 * height) & (more >= 0.01)
    return decide(true, more <= 0)
