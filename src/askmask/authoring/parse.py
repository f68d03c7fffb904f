"""Replies of writers -> questions. Takes what models write, also when they stray from the form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from askmask.types import MaskType

__all__ = ["Malformed", "Question", "parse_reply"]

_START = re.compile(r"<\s*Q\b", re.I)
_QUESTION = re.compile(
    r"<\s*Q\b(?P<type>[^>]*)>(?P<text>.*?)</\s*Q\s*>\s*<\s*A\s*>(?P<answer>[^<\n]*)", re.I | re.S
)
_TYPE = re.compile(r"\b(a?modal)\b", re.I)
# R2SM's own form: "instance id is 12, class name is cup; instance id is 15, …".
_LONG_FORM = re.compile(r"\binstance\s+id\s+is\s+(\d+)", re.I)
_SHORT_FORM = re.compile(r"[\s\[(]*\d+[\s\])]*([,;&]|\band\b|[\s\[(]*\d+[\s\])]*)*\.?\s*", re.I)
_SHOWN = 200


@dataclass(frozen=True)
class Question:
    """One question of a reply, as the writer meant it: its type and the instances it names."""

    text: str
    mask_type: MaskType
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Malformed:
    """A piece of a reply that is no question: what is wrong and how it begins."""

    problem: str
    text: str


def _numbers(answer: str) -> tuple[int, ...] | None:
    """Instance numbers of an answer, each once; None when the answer is not a list of numbers."""
    found = _LONG_FORM.findall(answer)
    if not found and not _SHORT_FORM.fullmatch(answer):
        return None
    numbers = found or re.findall(r"\d+", answer)
    return tuple(dict.fromkeys(int(number) for number in numbers if len(number) < 19))


def _question(piece: str) -> Question | Malformed:
    match = _QUESTION.match(piece)
    shown = " ".join(piece.split())[:_SHOWN]
    if match is None:
        return Malformed("expected <Q type=…>question</Q><A>numbers</A>", shown)
    kind = _TYPE.search(match["type"])
    if kind is None:
        return Malformed("the question does not say modal or amodal", shown)
    numbers = _numbers(match["answer"])
    if numbers is None:
        return Malformed("the answer is not a list of instance numbers", shown)
    text = " ".join(match["text"].split())
    return Question(text, MaskType(kind[1].lower()), numbers)


def parse_reply(text: str) -> Iterator[Question | Malformed]:
    """Find the questions of a reply, in their order.

    A reply that was cut off loses its last question only. A reply without any question gives one
    `Malformed`.
    """
    starts = [match.start() for match in _START.finditer(text)]
    if not starts:
        yield Malformed("no question in the reply", " ".join(text.split())[:_SHOWN])
        return
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield _question(text[start:end])
