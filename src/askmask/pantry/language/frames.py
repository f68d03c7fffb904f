"""Sentence frames: which of them fit a phrase, and the sentence that results."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

import numpy as np

from askmask.pantry.language import banks
from askmask.pantry.language.banks import Frame, Pool
from askmask.pantry.language.english import capitalise
from askmask.types import MaskType

__all__ = ["BARE", "any_frame", "choose_frame", "sentence"]

BARE = Frame("{X}", MaskType.MODAL, "default", "any", False, "")
"""No frame at all: the phrase is the sentence."""

_DEFAULT = 0.66
"""Share of modal sentences that leave the mask type open."""
_BARE = 0.5
"""Share of default sentences that are the phrase alone."""

_WEIGHTS = {
    "mask_type_phrases": 1,
    "adversarial_frames": 2,
    "natural_frames": 4,
    "varied_frames": 1,
}
"""How often a frame of each bank is drawn; the small banks get their share by repetition."""


@cache
def _shelf(pool: Pool) -> dict[tuple[MaskType, bool, bool], tuple[Frame, ...]]:
    """(mask type, default basis, needs occluder) -> frames of a pool."""
    found: dict[tuple[MaskType, bool, bool], list[Frame]] = defaultdict(list)
    for frame in banks.frames():
        if frame.pool == pool:
            key = (frame.mask_type, frame.basis == "default", frame.needs_occluder)
            found[key].extend([frame] * _WEIGHTS[frame.bank])
    return {key: tuple(frames) for key, frames in found.items()}


def choose_frame(
    mask_type: MaskType,
    pool: Pool,
    rng: np.random.Generator,
    *,
    plural: bool,
    number: str,
    partly_hidden: bool,
    occluded: bool,
    has_occluder: bool,
) -> Frame:
    """Draw a frame that asks for `mask_type`.

    Args:
        mask_type: what the sentence shall ask for.
        pool: of the wordings.
        rng: source of chance.
        plural: whether the phrase has several targets.
        number: grammatical number of the phrase: "sg", "pl" or "any".
        partly_hidden: whether the phrase says that its targets are partly hidden; then a default
            frame asks for amodal masks.
        occluded: whether every target is partly hidden; frames that say so need it.
        has_occluder: whether one object hides all of the targets.
    """
    shelf = _shelf(pool)
    if partly_hidden and mask_type is MaskType.AMODAL and rng.random() < 0.6:
        kind = (MaskType.MODAL, True, False)
        if rng.random() < _BARE:
            return BARE
    elif mask_type is MaskType.MODAL and not partly_hidden and rng.random() < _DEFAULT:
        if rng.random() < _BARE:
            return BARE
        kind = (MaskType.MODAL, True, has_occluder and rng.random() < 0.3)
    else:
        kind = (mask_type, False, has_occluder and rng.random() < 0.6)
    candidates = shelf.get(kind) or shelf[kind[0], kind[1], False]
    for _ in range(20):
        frame = candidates[int(rng.integers(len(candidates)))]
        fits = frame.number == "any" or (frame.number == number and plural == (number == "pl"))
        if fits and (occluded or not _says_covered(frame)):
            return frame
    plain = shelf[kind[0], kind[1], False]
    return next(frame for frame in plain if frame.number == "any" and not _says_covered(frame))


def any_frame(mask_type: MaskType, pool: Pool, rng: np.random.Generator, *, plural: bool) -> Frame:
    """Draw a frame that asks for `mask_type`, every frame of the pool as likely as the next."""
    frames = _by_type(pool)[mask_type, "pl" if plural else "sg"]
    return frames[int(rng.integers(len(frames)))]


@cache
def _by_type(pool: Pool) -> dict[tuple[MaskType, str], tuple[Frame, ...]]:
    return {
        (mask_type, number): tuple(
            frame
            for frame in banks.frames()
            if frame.pool == pool
            and frame.mask_type is mask_type
            and frame.number in ("any", number)
        )
        for mask_type in MaskType
        for number in ("sg", "pl")
    }


def _says_covered(frame: Frame) -> bool:
    """Whether a frame states as a fact that its target is partly hidden."""
    return frame.basis in ("convention", "anaphora") or frame.needs_occluder


def sentence(frame: Frame, phrase: str, occluder: str | None, rng: np.random.Generator) -> str:
    """Put a phrase, and the name of what covers it, into a frame."""
    if frame is BARE:
        return _bare(phrase, rng)
    at_start = frame.text.startswith(("{X}", "{O}"))
    text = frame.text.replace("{X}", phrase).replace("{O}", occluder or "")
    if at_start and re.search(r"[.?!]$", text):
        return capitalise(text)
    return text


def _bare(phrase: str, rng: np.random.Generator) -> str:
    """Write the phrase alone, sometimes without its article, as a note or as a sentence."""
    if rng.random() < 0.4:
        phrase = re.sub(r"^the (?!two |three |four |one |only |other |next |object )", "", phrase)
    style = rng.random()
    if style < 0.15 or phrase.endswith((".", "?")):
        return capitalise(phrase)
    return capitalise(phrase) + "." if style < 0.3 else phrase
