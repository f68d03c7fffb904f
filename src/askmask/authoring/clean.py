"""Which questions of a reply can be kept, and why the others cannot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from askmask.authoring.parse import Malformed, Question, parse_reply
from askmask.authoring.picture import AnnotatedPicture
from askmask.authoring.writer import Request
from askmask.errors import QueryError
from askmask.types import MaskType, check_sentence

__all__ = ["Cleaned", "Dropped", "Reason", "clean_reply", "fault_of", "names_class", "wording"]


class Reason(StrEnum):
    """Why a question, or a whole picture, was dropped."""

    FORMAT = "bad format"
    NO_INSTANCE = "no instance"
    UNKNOWN_ID = "unknown id"
    CLASS_NAME = "class name"
    COORDINATES = "coordinates or marks"
    NOT_OCCLUDED = "amodal without an occluded target"
    DUPLICATE = "duplicate"
    SURPLUS = "more than asked for"
    FAILED = "request failed"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Dropped:
    """What was dropped: why, in which words, and the text at fault."""

    reason: Reason
    detail: str
    text: str


@dataclass(frozen=True)
class Cleaned:
    """The questions that were kept, in their order, and those that were not."""

    kept: tuple[Question, ...]
    dropped: tuple[Dropped, ...]


# "(120, 45)", "240 px", "object 3", "marked", "the mask": nothing a person would say who sees only
# the photograph.
_UNSEEN = re.compile(
    r"\(\s*\d+\s*,\s*\d+\s*\)|\[\s*\d+|\b\d+\s*(px|pixels?)\b"
    r"|\b(bounding box|coordinates?|polygons?)\b"
    r"|\b(instance|object|item|number|no\.|id|label|labelled|labeled|mark|marked|region|#)\s*#?\d+\b"
    r"|\b(numbered|annotated|annotations?)\b",
    re.I,
)


@lru_cache(maxsize=4096)
def _class_pattern(name: str) -> re.Pattern[str]:
    """The name in singular and plural, as whole words, in any case and spacing."""
    words = [re.escape(word) for word in re.split(r"[\s_\-]+", name.strip().lower()) if word]
    *before, last = words or [r"(?!)"]
    endings = [f"{last}(e?s)?"]
    if last.endswith("y"):
        endings.append(f"{last[:-1]}ies")
    if last.endswith(("f", "fe")):
        endings.append(f"{last.rstrip('e')[:-1]}ves")
    if last == "person":
        endings.append("people")
    tail = f"({'|'.join(endings)})"
    return re.compile(r"(?<!\w)" + r"[\s_\-]*".join([*before, tail]) + r"(?!\w)", re.I)


def names_class(text: str, names: Iterable[str]) -> str | None:
    """Return the first of the class names that `text` uses, or None."""
    return next((name for name in names if _class_pattern(name).search(text)), None)


def wording(text: str) -> str:
    """Return a sentence without what does not change it: case, punctuation, spacing."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def fault_of(question: Question, picture: AnnotatedPicture) -> tuple[Reason, str] | None:
    """Say what is wrong with a question by itself, or None."""
    try:
        check_sentence(question.text)
    except QueryError as error:
        return Reason.FORMAT, str(error)
    numbers = question.numbers
    if not numbers:
        return Reason.NO_INSTANCE, "the answer names no instance"
    strange = [number for number in numbers if number not in picture.by_number]
    if strange:
        return Reason.UNKNOWN_ID, f"{strange[0]} is not among 1 to {len(picture.instances)}"
    unseen = _UNSEEN.search(question.text)
    if unseen is not None:
        return Reason.COORDINATES, unseen[0]
    names = (picture.by_number[number].entity.category for number in numbers)
    leaked = names_class(question.text, names)
    if leaked is not None:
        return Reason.CLASS_NAME, leaked
    if question.mask_type is MaskType.AMODAL and picture.occluded.isdisjoint(numbers):
        return Reason.NOT_OCCLUDED, f"fully visible: {', '.join(map(str, numbers))}"
    return None


def clean_reply(text: str, request: Request) -> Cleaned:
    """Read a reply and keep the questions that follow the rules, as many as were asked for.

    Of two sentences that differ in case or punctuation only, the first is kept, whatever they ask.
    """
    kept: list[Question] = []
    dropped: list[Dropped] = []
    seen: set[str] = set()
    made: Counter[MaskType] = Counter()
    wanted = {MaskType.MODAL: request.modal, MaskType.AMODAL: request.amodal}
    for found in parse_reply(text):
        if isinstance(found, Malformed):
            dropped.append(Dropped(Reason.FORMAT, found.problem, found.text))
            continue
        fault = fault_of(found, request.picture)
        if fault is None and wording(found.text) in seen:
            fault = Reason.DUPLICATE, "the same words stand before"
        if fault is None and made[found.mask_type] >= wanted[found.mask_type]:
            fault = Reason.SURPLUS, f"{wanted[found.mask_type]} {found.mask_type} were asked for"
        if fault is not None:
            dropped.append(Dropped(*fault, found.text))
            continue
        seen.add(wording(found.text))
        made[found.mask_type] += 1
        kept.append(found)
    return Cleaned(tuple(kept), tuple(dropped))
