"""How well complete shapes are guessed from given visible masks, object by object.

The visible pixels are given, so the plain IoU is high for whoever adds nothing; the hidden part
alone says what was guessed, and what was added to whole objects says what was made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.terms import Terms

__all__ = ["OCCLUDED", "Guess", "completion_terms", "judge_guess"]

OCCLUDED = 0.05
"""Least hidden share of an object that counts as occluded; below, annotations are mostly edges."""

_BANDS = ((OCCLUDED, 0.25), (0.25, 0.5), (0.5, 1.0))


@dataclass(frozen=True)
class Guess:
    """One object, and what a completer made of its visible mask.

    Attributes:
        picture: number of its picture.
        occlusion: hidden share of the true amodal mask, in [0, 1].
        amodal_iou: IoU of the guess with the true amodal mask.
        hidden_iou: the same without the visible pixels of both; NaN where nothing is hidden and
            nothing was added.
        added: pixels that were added wrongly, as a share of the visible ones, at most 1.
        confidence: expected IoU, as the completer says.
    """

    picture: int
    occlusion: float
    amodal_iou: float
    hidden_iou: float
    added: float
    confidence: float


def judge_guess(
    picture: int,
    modal: NDArray[np.bool_],
    amodal: NDArray[np.bool_],
    guess: NDArray[np.bool_],
    confidence: float,
) -> Guess:
    """Compare a guess with the truth.

    Args:
        picture: number of the picture.
        modal: (H, W) bool, the visible mask that was given, with one pixel or more.
        amodal: (H, W) bool, the true complete shape; visible pixels are taken to belong to it.
        guess: (H, W) bool, the complete shape as guessed.
        confidence: expected IoU, as the completer says.
    """
    visible, whole = int(modal.sum()), int((amodal | modal).sum())
    hidden, guessed = amodal & ~modal, guess & ~modal
    shared, either = int((hidden & guessed).sum()), int((hidden | guessed).sum())
    amodal_iou = int((guess & (amodal | modal)).sum()) / int((guess | amodal | modal).sum())
    return Guess(
        picture=picture,
        occlusion=1 - visible / whole,
        amodal_iou=amodal_iou,
        hidden_iou=shared / either if either else float("nan"),
        added=min(1.0, int((guessed & ~hidden).sum()) / visible),
        confidence=confidence,
    )


def completion_terms(guesses: list[Guess]) -> Mapping[str, Terms]:
    """Figures over pictures, whose objects are resampled together.

    `amodal-IoU` is over all objects; `amodal-IoU-occluded` and `hidden-IoU` over those that are
    hidden by at least `OCCLUDED`, the latter also in bands of it; `added-to-whole`, the only one
    that should be low beside `confidence-error`, is over objects with nothing hidden.

    Returns:
        Name -> terms over the pictures; NaN where no object counts.
    """
    occlusion = np.array([one.occlusion for one in guesses])
    amodal = np.array([one.amodal_iou for one in guesses])
    hidden = np.array([one.hidden_iou for one in guesses])
    added = np.array([one.added for one in guesses])
    error = np.abs(np.array([one.confidence for one in guesses]) - amodal)
    numbers = {one.picture for one in guesses}
    rows = {number: row for row, number in enumerate(sorted(numbers))}
    places = np.array([rows[one.picture] for one in guesses], np.intp)
    occluded, everything = occlusion >= OCCLUDED, np.ones(len(guesses), bool)
    bands = {
        f"hidden-IoU {low:g}-{high:g}": (hidden, (occlusion >= low) & (occlusion < high))
        for low, high in _BANDS
    }
    chosen = {
        "amodal-IoU": (amodal, everything),
        "amodal-IoU-occluded": (amodal, occluded),
        "hidden-IoU": (hidden, occluded),
        **bands,
        "added-to-whole": (added, occlusion == 0),
        "confidence-error": (error, everything),
    }
    return {
        name: _by_picture(values, counted, places, len(rows))
        for name, (values, counted) in chosen.items()
    }


def _by_picture(
    values: NDArray[np.float64],
    counted: NDArray[np.bool_],
    places: NDArray[np.intp],
    pictures: int,
) -> Terms:
    above = np.bincount(places[counted], values[counted], pictures).astype(np.float64)
    below = np.bincount(places[counted], minlength=pictures).astype(np.float64)
    return Terms(above, below, below > 0)
