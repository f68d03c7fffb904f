"""Make the selector's numbers mean what they say, on held-out scenes.

Logits of candidates get a scale and a bias, by a logistic regression over all of them (Platt 1999).
"Nothing fits" becomes a logistic regression on the network's own logit and the best candidate's;
then the thresholds are chosen that make the answered groups best, and the one that
best tells right groups from wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from askmask.models.deciding import calibrated
from askmask.models.embedded.certainty import group_certainty
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.hub.calibration import Calibration

__all__ = ["Judged", "calibrate", "calibrate_judge"]

Floats = NDArray[np.float64]

_Config = TypeVar("_Config", bound=EmbeddedConfig | Calibration)

_LEAST_NO_TARGET = 0.75
"""Share of sentences without target that must stay empty, where a threshold can reach it."""

_LEAST_SCALE = 1e-3
"""Least scale of logits."""


@dataclass(frozen=True)
class Judged:
    """What the network said about one sentence, and what is right.

    Attributes:
        select: (N,) logits of the candidates.
        none: logit of "nothing fits".
        wanted: (N,) bool, candidates that answer it.
        targets: number of objects that answer it.
    """

    select: Floats
    none: float
    wanted: NDArray[np.bool_]
    targets: int


def calibrate(config: _Config, judged: list[Judged]) -> _Config:
    """Return the configuration with scale, weights and thresholds fitted to `judged`.

    Where no candidate is right, or all are, the scale stays as it is; without a sentence of either
    kind, with a target and without, so do weights and thresholds.
    """
    select = np.array([logit for item in judged for logit in item.select])
    wanted = np.array([right for item in judged for right in item.wanted], np.float64)
    if 0 < wanted.sum() < len(wanted):
        scale, bias = _logistic(np.stack([select, np.ones_like(select)], 1), wanted)
        # Who is worse than chance is not to be believed, but not to be turned round.
        config = replace(config, scale=max(float(scale), _LEAST_SCALE), bias=float(bias))
    scaled = [replace(item, select=calibrated(config, item.select)) for item in judged]
    return _with_thresholds(config, scaled)


def calibrate_judge(judged: list[Judged]) -> Calibration:
    """Fit all of a judge's calibration to its own logits, `Judge.scores`, on `judged`."""
    return calibrate(Calibration(), judged)


def _with_thresholds(config: _Config, judged: list[Judged]) -> _Config:
    """Fit weights and thresholds to calibrated logits."""
    judged = [item for item in judged if len(item.select)]
    empty = np.array([item.targets == 0 for item in judged])
    if not len(empty) or empty.all() or not empty.any():
        return config
    features = np.array([[item.none, item.select.max(), 1.0] for item in judged])
    weights = _logistic(features, empty.astype(np.float64))
    none = 1 / (1 + np.exp(-features @ weights))
    choices = [
        (*_quality(judged, none, empty, select_threshold, none_threshold), select_threshold,
         none_threshold)
        for select_threshold in np.arange(0.2, 0.66, 0.05)
        for none_threshold in np.arange(0.1, 0.91, 0.05)
    ]  # fmt: skip
    kept = [choice for choice in choices if choice[1] >= _LEAST_NO_TARGET] or choices
    _, _, select_threshold, none_threshold = max(kept)
    return replace(
        config,
        select_threshold=round(float(select_threshold), 3),
        no_target_threshold=round(float(none_threshold), 3),
        no_target_weights=(float(weights[0]), float(weights[1]), float(weights[2])),
        sure_threshold=_sure_threshold(judged, none, select_threshold, none_threshold)
        or config.sure_threshold,
    )


def _logistic(features: Floats, truth: Floats, steps: int = 50) -> Floats:
    """Fit by Newton's method with a small ridge; features (n, k), truth (n,) in {0, 1}."""
    weights = np.zeros(features.shape[1])
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (probability - truth) + 1e-3 * weights
        spread = probability * (1 - probability)
        curve = features.T @ (features * spread[:, None]) + 1e-3 * np.eye(len(weights))
        weights = weights - np.linalg.solve(curve, slope)
    result: Floats = weights
    return result


def _group(item: Judged, none: float, select: float, none_threshold: float) -> NDArray[np.bool_]:
    """The candidates, (N,) bool, that the model answers with."""
    if none >= none_threshold:
        return np.zeros(len(item.select), bool)
    cut = np.log(select / (1 - select))
    chosen: NDArray[np.bool_] = item.select >= min(cut, item.select.max())
    return chosen


def _sure_threshold(
    judged: list[Judged], none: Floats, select_threshold: float, none_threshold: float
) -> float | None:
    """Certainty that divides right from wrong groups with the best mean of the two shares.

    Returns:
        None when all groups are right, or all wrong.
    """
    groups = [
        _group(item, one, select_threshold, none_threshold)
        for item, one in zip(judged, none, strict=True)
    ]
    certainty = np.array(
        [
            group_certainty(1 / (1 + np.exp(-item.select)), group, float(one))
            for item, group, one in zip(judged, groups, none, strict=True)
        ]
    )
    right = np.array(
        [
            bool((group == item.wanted).all()) and item.wanted.any() == (item.targets > 0)
            for item, group in zip(judged, groups, strict=True)
        ]
    )
    if right.all() or not right.any():
        return None
    steps = np.arange(0.35, 0.96, 0.05)
    told = [(certainty[right] >= at).mean() + (certainty[~right] < at).mean() for at in steps]
    return round(float(steps[int(np.argmax(told))]), 3)


def _quality(
    judged: list[Judged],
    none: Floats,
    empty: NDArray[np.bool_],
    select_threshold: float,
    none_threshold: float,
) -> tuple[float, float]:
    """Mean Jaccard index of the groups, and the share of empty sentences answered so."""
    scores = np.zeros(len(judged))
    for index, item in enumerate(judged):
        if none[index] >= none_threshold:
            scores[index] = float(empty[index])
            continue
        group = _group(item, none[index], select_threshold, none_threshold)
        scores[index] = (group & item.wanted).sum() / max((group | item.wanted).sum(), 1)
    return float(scores.mean()), float((none[empty] >= none_threshold).mean())
