"""Calibration: does a probability of 0.8 come true in 8 of 10 cases?

Two kinds of probability are in a prediction: that of each mask type, and the score of each mask.
The Brier score is the mean squared distance to what came true; 0 is best, always saying 0.5 for
one of two gives 0.25.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.columns import chunks
from askmask.metrics.counts import NO_TYPE, Counts
from askmask.metrics.instances import Instances
from askmask.metrics.terms import Terms

__all__ = ["BINS", "Reliability", "reliability", "selection_brier", "type_brier"]

BINS = 10
"""Bins of equal width in a reliability table."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often cases of about the same probability came true.

    Attributes:
        edges: (B + 1,) float64, borders of the bins, from 0 to 1; a bin holds its lower border.
        mean_probability: (B,) float64, NaN in empty bins.
        accuracy: (B,) float64, share of the cases that came true, NaN in empty bins.
        n: (B,) int64, number of cases.
    """

    edges: NDArray[np.float64]
    mean_probability: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    n: NDArray[np.int64]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, undefined numbers as None."""
        return {
            "edges": self.edges.tolist(),
            "mean_probability": _defined(self.mean_probability),
            "accuracy": _defined(self.accuracy),
            "n": self.n.tolist(),
        }


def _defined(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


_Cases = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Probabilities in [0, 1] of K cases, and which came true, both (K,)."""


def _table(parts: Iterable[_Cases]) -> Reliability:
    """Table of cases that come part by part."""
    n, sums = np.zeros(BINS, np.int64), np.zeros((2, BINS))
    for cases in parts:
        bins = np.minimum((cases[0] * BINS).astype(np.int64), BINS - 1)
        n += np.bincount(bins, minlength=BINS)
        sums += [np.bincount(bins, values, BINS) for values in cases]
    means: NDArray[np.float64] = np.full((2, BINS), np.nan)
    np.divide(sums, n, out=means, where=n > 0)
    return Reliability(np.linspace(0, 1, BINS + 1), means[0], means[1], n)


def _typed(counts: Counts) -> NDArray[np.bool_]:
    """Queries whose type is known and whose answer gives probabilities, (N,) bool."""
    typed: NDArray[np.bool_] = counts.asked_type != NO_TYPE
    typed &= ~np.isnan(counts.type_probability[:, 0])
    return typed


def type_brier(counts: Counts) -> Terms:
    """Mean over queries of half the squared distance between probabilities and the asked type.

    Half, so that it lies in [0, 1] and equals the Brier score of a question with two answers.
    Counted are the queries with a known type that are answered with probabilities; NaN when there
    are none.
    """
    asked = counts.asked_type[:, None] == np.arange(counts.type_probability.shape[1])
    distance = ((counts.type_probability - asked) ** 2).sum(axis=1) / 2
    return Terms.of_mean(distance, _typed(counts))


def _scored(instances: Instances) -> NDArray[np.bool_]:
    """Masks that are scored: all, or none when a score is no probability, (D,) bool."""
    score = instances.score
    probable = not len(score) or (score.min() >= 0 and score.max() <= 1)
    scored: NDArray[np.bool_] = ~instances.beside & probable
    return scored


def selection_brier(instances: Instances) -> Terms:
    """Mean over predicted masks of the squared distance between score and hit.

    A hit is a mask that F1's matching gives a target with an IoU of at least 0.5. NaN when there
    are no masks, or when scores outside [0, 1] show that they are no probabilities.
    """
    scored, n = _scored(instances), len(instances)
    rows = instances.query[scored]
    distance = (instances.score - instances.hit)[scored] ** 2
    below = np.bincount(rows, minlength=n).astype(np.float64)
    above = np.bincount(rows, distance, n).astype(np.float64)
    return Terms(above, below, below > 0)


def reliability(counts: Counts) -> dict[str, Reliability]:
    """Tables of "type" (probability of the likeliest type) and "selection" (scores of masks).

    Where predictions hold no probabilities, a table has no cases.
    """
    return {"type": _table(_types(counts)), "selection": _table(_selections(counts))}


def _types(counts: Counts) -> Iterator[_Cases]:
    """Yield the likeliest type of each query, and whether it was asked for."""
    typed = _typed(counts)
    for part in chunks(len(counts)):
        rows = part.start + np.flatnonzero(typed[part])
        probability = counts.type_probability[rows]
        came_true = probability.argmax(axis=1) == counts.asked_type[rows]
        yield probability.max(axis=1, initial=0.0), came_true


def _selections(counts: Counts) -> Iterator[_Cases]:
    """Yield the score of each mask, and whether it is a hit; nothing of fused masks."""
    masks = counts.instances
    if masks is None or counts.fused_only.any():
        return
    scored = _scored(masks)
    for part in chunks(len(scored)):
        rows = part.start + np.flatnonzero(scored[part])
        yield masks.score[rows], masks.hit[rows]
