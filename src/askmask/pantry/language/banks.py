"""The word lists that ship with the package, checked when read and split into pools.

Frames, patterns, descriptions by function and class phrases belong to the pool "test" or "train" by
their hash, so that a model can be tested on wordings it never saw; only the varied frames, whose
writers did not know the test pool, are all for training. Noun names are shared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from askmask.errors import DataError
from askmask.pantry.language.meaning import Expression, parse, says_partly_hidden
from askmask.types import MaskType

__all__ = [
    "ClassEntry",
    "Frame",
    "NounEntry",
    "Pattern",
    "Pool",
    "class_entries",
    "fingerprint",
    "frames",
    "noun_entries",
    "patterns",
    "pool_of",
]

Pool: TypeAlias = Literal["train", "test"]

_SLOT = re.compile(r"\{(\w+)\}|(\[\d\])")
_BARE_NOUN = re.compile(r"(\{A\} )?\{N\}|(biggest|smallest|tallest|second|third|far-right) ")
_NUMBERS = ("sg", "pl", "any")


@dataclass(frozen=True)
class Frame:
    """A sentence around a referring phrase.

    Attributes:
        text: with the slot `{X}` and, when `needs_occluder`, `{O}`.
        mask_type: what the frame asks for.
        basis: why: "default" when nothing names a mask type, else "restriction", "explicit", ….
        number: "sg", "pl" or "any" targets.
        needs_occluder: whether `{O}` occurs.
        bank: "mask_type_phrases", "adversarial_frames", "natural_frames" or "varied_frames".
    """

    text: str
    mask_type: MaskType
    basis: str
    number: str
    needs_occluder: bool
    bank: str

    @property
    def pool(self) -> Pool:
        """Pool of the wording; the varied frames were written to learn from, all of them."""
        return "train" if self.bank == "varied_frames" else pool_of(self.text)


@dataclass(frozen=True)
class Pattern:
    """A referring phrase with slots and its meaning.

    Attributes:
        text: with slots `{N}`, `{A}`, … and references `[1]`, `[2]`.
        meaning: what it denotes.
        slots: slot name -> type, e.g. {"N": "sg", "A": "colour"}; without the references.
        number: "sg" exactly one target, "pl" at least two, "any" at least one.
        kind: "plain", "attribute", "spatial", "geometric", "multi-step", "reference", ….
        references: how many reference masks the text names.
        partly_hidden: whether it says of its targets that they are partly hidden.
        bank: "referring_patterns", "extra_patterns" or "varied_patterns".
    """

    text: str
    meaning: Expression
    slots: Mapping[str, str]
    number: str
    kind: str
    references: int
    partly_hidden: bool
    bank: str = ""

    @property
    def pool(self) -> Pool:
        """Pool of the wording; the varied patterns paraphrase those of the training pool."""
        return "train" if self.bank == "varied_patterns" else pool_of(self.text)

    @property
    def is_open(self) -> bool:
        """Whether the filler is the whole wording, so that the filler's pool decides."""
        return _SLOT.fullmatch(self.text) is not None

    @property
    def is_sentence(self) -> bool:
        """Whether the phrase asks by itself and takes no frame."""
        return self.text.endswith((".", "?")) or self.slots.get("F") == "need"

    @property
    def lacks_article(self) -> bool:
        """Whether the phrase is a bare noun, as in a note: in a frame it takes "the"."""
        return self.number == "sg" and _BARE_NOUN.match(self.text) is not None


@dataclass(frozen=True)
class NounEntry:
    """What the bank knows about a noun; `also[f]` are other nouns that description f fits."""

    noun: str
    number: str
    synonyms: tuple[str, ...]
    hypernyms: tuple[str, ...]
    confusable_with: tuple[str, ...]
    functions: tuple[str, ...]
    forms: tuple[str, ...]
    also: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ClassEntry:
    """A class of nouns with the words for one member and the phrases for all of them."""

    name: str
    kind: str
    singular: tuple[str, ...]
    phrases: tuple[str, ...]
    nouns: frozenset[str]
    unsure: frozenset[str]


def pool_of(text: str) -> Pool:
    """Return the pool that a wording belongs to; one in five is for testing."""
    return "test" if int(hashlib.sha256(text.encode()).hexdigest(), 16) % 5 == 0 else "train"


def fingerprint(text: str) -> str:
    """Short name of a wording, for tags."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text("utf-8")


def _lines(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_read(name).splitlines(), 1):
        if line.strip():
            yield f"{name}:{number}", json.loads(line)


def _frame(where: str, row: Mapping[str, Any], bank: str) -> Frame:
    slots = {match[1] for match in _SLOT.finditer(row["text"])}
    wanted = {"X", "O"} if row["needs_occluder"] else {"X"}
    if slots != wanted or row["number"] not in _NUMBERS:
        raise DataError(f"{where}: expected slots {sorted(wanted)}, got {sorted(slots)}")
    return Frame(
        row["text"],
        MaskType(row["mask_type"]),
        row["basis"],
        row["number"],
        row["needs_occluder"],
        bank,
    )


def _pattern(where: str, row: Mapping[str, Any], bank: str) -> Pattern:
    found = {match[1] or match[2] for match in _SLOT.finditer(row["text"])}
    if found - set(row["slots"]) or row["number"] not in _NUMBERS:
        raise DataError(
            f"{where}: slots {sorted(row['slots'])} do not fit the text {row['text']!r}"
        )
    try:
        meaning = parse(row["meaning"])
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    return Pattern(
        text=row["text"],
        meaning=meaning,
        slots={name: kind for name, kind in row["slots"].items() if kind != "mask"},
        number=row["number"],
        kind=row["kind"],
        references=sum(kind == "mask" for kind in row["slots"].values()),
        partly_hidden=says_partly_hidden(meaning),
        bank=bank,
    )


@cache
def frames() -> tuple[Frame, ...]:
    """Return every frame."""
    return tuple(
        _frame(where, row, bank)
        for bank in ("mask_type_phrases", "adversarial_frames", "natural_frames", "varied_frames")
        for where, row in _lines(f"{bank}.jsonl")
    )


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return every pattern."""
    return tuple(
        _pattern(where, row, bank)
        for bank in ("referring_patterns", "extra_patterns", "varied_patterns")
        for where, row in _lines(f"{bank}.jsonl")
    )


@cache
def noun_entries() -> Mapping[str, NounEntry]:
    """Return noun -> entry."""
    names = ["nouns.jsonl"]
    if (resources.files(__package__) / "data" / "nouns_extra.jsonl").is_file():
        names.append("nouns_extra.jsonl")
    rows = [row for name in names for _, row in _lines(name)]
    return {
        row["noun"]: NounEntry(
            noun=row["noun"],
            number=row["number"],
            synonyms=tuple(row["synonyms"]),
            hypernyms=tuple(row["hypernyms"]),
            confusable_with=tuple(row["confusable_with"]),
            functions=tuple(row["functions"]),
            forms=tuple(row["forms"]),
            also={text: tuple(nouns) for text, nouns in row.get("also", {}).items()},
        )
        for row in rows
    }


@cache
def class_entries() -> Mapping[str, ClassEntry]:
    """Return class name -> entry; nouns that name a class of the list join it."""
    classes: dict[str, ClassEntry] = {}
    for name, row in json.loads(_read("hypernyms.json")).items():
        joined = {entry.noun for entry in noun_entries().values() if name in entry.hypernyms}
        nouns = frozenset(row["nouns"]) | joined
        classes[name] = ClassEntry(
            name=name,
            kind=row["kind"],
            singular=tuple(row["singular"]),
            phrases=tuple(row["phrases"]),
            nouns=nouns,
            unsure=frozenset(row["unsure"]) - nouns,
        )
    return classes
