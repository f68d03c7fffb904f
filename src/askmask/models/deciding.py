"""From logits to an answer: which candidates, of which mask type, and how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from askmask.models.embedded.certainty import doubts
from askmask.types import Answer, Candidates, Masks, MaskType, Query

__all__ = ["Scaled", "Thresholds", "calibrated", "decide", "sigmoid"]


class Scaled(Protocol):
    """What makes logits of candidates mean what they say; fitted on validation data."""

    @property
    def scale(self) -> float:
        """What they are multiplied by, one over the temperature."""
        ...

    @property
    def bias(self) -> float:
        """What is added to them then."""
        ...


class Thresholds(Protocol):
    """What turns logits into decisions; see `EmbeddedConfig` and `hub.calibration.Calibration`."""

    @property
    def select_threshold(self) -> float:
        """Least probability of a selected candidate."""
        ...

    @property
    def no_target_threshold(self) -> float:
        """Probability of "nothing fits" from which the answer is empty."""
        ...

    @property
    def no_target_weights(self) -> tuple[float, float, float]:
        """Of the logit of "nothing fits", of the best candidate's logit, and a constant."""
        ...

    @property
    def sure_threshold(self) -> float:
        """An answer in which a decision was made with a smaller probability is unsure."""
        ...


def calibrated(scaled: Scaled, select: NDArray[np.floating]) -> NDArray[np.float64]:
    """Calibrated logits, (N,) of (N,)."""
    return np.asarray(scaled.scale * select + scaled.bias, np.float64)


def decide(
    candidates: Candidates,
    query: Query,
    select: NDArray[np.floating],
    none: float,
    types: Mapping[MaskType, float],
    thresholds: Thresholds,
    thought: str | None = None,
) -> Answer:
    """Choose the group and its mask type.

    Args:
        candidates: N of them; there may be none.
        query: the sentence; a mask type that it forces is kept.
        select: (N,) logit of each candidate, calibrated.
        none: logit of "nothing fits".
        types: probability of each mask type; sums to 1.
        thresholds: what decides.
        thought: what the model said before it decided; the rationale begins with it.
    """
    score = sigmoid(select)
    nothing = _no_target(none, select, thresholds.no_target_weights)
    group = _group(score, nothing, thresholds)
    mask_type = query.mask_type or max(types, key=types.__getitem__)
    modal, amodal = candidates.modal[group], candidates.amodal[group]
    typed = 1.0 if query.mask_type else types[mask_type]
    chosen = np.isin(np.arange(len(score)), group)
    said = _rationale(len(candidates), score, group, nothing)
    return Answer(
        mask_type=mask_type,
        mask_type_probability=types,
        masks=_of_type(mask_type, modal, amodal),
        scores=score[group],
        modal=modal,
        amodal=amodal,
        no_target_probability=nothing,
        rationale=f"{thought} ({said})" if thought else said,
        unsure=doubts(score, chosen, nothing, (mask_type, typed), thresholds.sure_threshold),
        candidate_scores=score,
    )


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probabilities of logits, float32 of the same shape."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def _no_target(
    none: float, select: NDArray[np.floating], weights: tuple[float, float, float]
) -> float:
    """Probability that nothing fits; the weights are from `training.calibrate`."""
    if not len(select):
        return 1.0
    own, best, constant = weights
    return float(sigmoid(np.array(own * none + best * float(select.max()) + constant)))


def _group(score: NDArray[np.float32], nothing: float, thresholds: Thresholds) -> NDArray[np.intp]:
    """Indices of the chosen candidates, best first."""
    if not len(score) or nothing >= thresholds.no_target_threshold:
        return np.zeros(0, np.intp)
    group = np.flatnonzero(score >= thresholds.select_threshold)
    if not len(group):  # something fits, so it is the best one
        group = np.array([score.argmax()])
    return group[np.argsort(-score[group], kind="stable")]


def _of_type(mask_type: MaskType, modal: Masks, amodal: Masks) -> Masks:
    if mask_type is MaskType.MODAL:
        return modal
    if mask_type is MaskType.AMODAL:
        return amodal
    return Masks.from_dense(amodal.dense() & ~modal.dense())


def _rationale(
    count: int, score: NDArray[np.float32], group: NDArray[np.intp], nothing: float
) -> str:
    if not count:
        return "no object was found in the picture"
    if not len(group):
        return (
            f"nothing fits (probability {nothing:.2f}); the nearest of {count} candidates has "
            f"{score.max():.2f}"
        )
    left_out = np.delete(score, group)
    best = f", the best one left out has {left_out.max():.2f}" if len(left_out) else ""
    return f"{len(group)} of {count} candidates fit{best}"
