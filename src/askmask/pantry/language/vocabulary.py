"""Names, class phrases, descriptions and adjectives, each with the nouns it covers.

`Coverage` holds one truth value a noun: a jar of honey is TRUE for "jar", FALSE for "can"; what
people might or might not call a jar is UNCLEAR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from askmask.errors import DataError
from askmask.pantry.language.banks import (
    NounEntry,
    Pool,
    class_entries,
    noun_entries,
    pool_of,
)
from askmask.pantry.language.english import is_plural, plural
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, Truth

__all__ = [
    "MATERIALS",
    "SIZES",
    "Adjective",
    "ClassPhrase",
    "Description",
    "Name",
    "Vocabulary",
    "neighbours",
    "vocabulary",
]

_NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "red": ("orange", "pink", "brown", "purple"),
    "orange": ("red", "yellow", "brown", "pink", "beige"),
    "yellow": ("orange", "beige", "brown", "green"),
    "green": ("yellow", "blue"),
    "blue": ("purple", "green", "grey"),
    "purple": ("blue", "pink", "red"),
    "pink": ("red", "purple", "orange", "beige"),
    "brown": ("red", "orange", "yellow", "beige", "grey", "black"),
    "white": ("beige", "grey"),
    "grey": ("white", "black", "blue", "brown", "beige"),
    "black": ("grey", "brown"),
    "beige": ("white", "yellow", "brown", "orange", "pink", "grey"),
}
MATERIALS: Mapping[str, tuple[str, ...]] = {
    "glass": ("glass",),
    "metal": ("metal",),
    "cardboard": ("cardboard",),
    "plastic": ("plastic",),
    "wood": ("wooden",),
    "ceramic": ("ceramic",),
    "leather": ("leather",),
    "porcelain": ("porcelain",),
    "paper": ("paper",),
}
"""Main material label -> adjectives."""
SIZES: Mapping[str, str] = {"big": "big", "large": "big", "small": "small", "little": "small"}

_CONTAINERS = frozenset({"jar", "can", "box", "bottle", "carton"})
_WRAPPED = re.compile(
    r"^(?:[a-z' ]+? of )|(?:^|\s)(jar|can|tin|box|bottle|carton|tub|tube|pack"
    r"|packet|cup|pot|bucket|bar|stick|block|bag|honeypot|container|loaf)$"
)
_MASS = (
    "food,fruit,alcohol,booze,jam,juice,soap,medicine,medication,tinned food,canned food,"
    "frozen food,packaged food,fast food,takeaway,silverware,veg,safety equipment,laundry,"
    "clean laundry,reading matter,fruit juice,footwear,headwear,clothing,tableware"
)
_MASS_WORDS = frozenset(_MASS.split(","))
_MISLEADING = re.compile(rf"\b({'|'.join(_NEIGHBOURS)}|gray|golden)\b|^whole ")
"""Synonyms that claim a colour, or that sound like a mask type: "red onion", "whole apple"."""


@dataclass(frozen=True, eq=False)
class Name:
    """A noun phrase for one object.

    Attributes:
        text: singular, without article: "jar of honey", "honey", "jar".
        many: plural, or None when there is none ("honey").
        form: "count", "mass" or "plural" ("beans"): how verbs and articles must agree.
        level: "noun", "synonym", "container" or "class".
        coverage: one value a noun of the vocabulary.
    """

    text: str
    many: str | None
    form: str
    level: str
    coverage: Truth


@dataclass(frozen=True, eq=False)
class ClassPhrase:
    """Words for a class: bare plural or mass ("drinks"), or a whole phrase ("all the drinks")."""

    text: str
    name: str
    whole: bool
    coverage: Truth


@dataclass(frozen=True, eq=False)
class Description:
    """A description by function; `form` is "something", "np" or "need" (a sentence)."""

    text: str
    form: str
    coverage: Truth


@dataclass(frozen=True)
class Adjective:
    """A word before a noun; `kind` is "colour", "material" or "size", `value` its label."""

    text: str
    kind: str
    value: str


def neighbours(colour: str) -> tuple[str, ...]:
    """Colour names that people exchange with `colour`."""
    return _NEIGHBOURS.get(colour, ())


class Vocabulary:
    """All words, with matrices of what they cover.

    Attributes:
        nouns: the nouns, sorted; an object's category is one of them.
        names: every name.
        name_cover: (names, nouns) truth.
    """

    def __init__(self) -> None:
        self.entries = noun_entries()
        self.nouns = tuple(sorted(self.entries))
        self.index = {noun: place for place, noun in enumerate(self.nouns)}
        self.names = tuple(self._names())
        self.name_cover = np.stack([name.coverage for name in self.names])

    def noun_index(self, category: str, where: str) -> int:
        """Place of a category in `nouns`.

        Raises:
            DataError: when the bank does not know it.
        """
        if category not in self.index:
            raise DataError(
                f"{where}: category {category!r} is not in the noun bank: add it to "
                "nouns_extra.jsonl"
            )
        return self.index[category]

    def coverage(self, true: Iterable[str], unclear: Iterable[str] = ()) -> Truth:
        """One value a noun; TRUE wins."""
        values = np.full(len(self.nouns), FALSE)
        values[[self.index[noun] for noun in unclear if noun in self.index]] = UNCLEAR
        values[[self.index[noun] for noun in true if noun in self.index]] = TRUE
        return values

    @cached_property
    def confusable(self) -> Mapping[str, frozenset[str]]:
        """Noun -> nouns that may be taken for it, both ways."""
        pairs: dict[str, set[str]] = {noun: set() for noun in self.nouns}
        for entry in self.entries.values():
            for other in entry.confusable_with:
                pairs[entry.noun].add(other)
                pairs.setdefault(other, set()).add(entry.noun)
        return {noun: frozenset(others) for noun, others in pairs.items()}

    def _names(self) -> list[Name]:
        true: dict[str, set[str]] = {}
        unclear: dict[str, set[str]] = {}
        level: dict[str, str] = {}
        for text, (found, nouns, unsure) in _class_words(self.nouns).items():
            level[text] = found
            true.setdefault(text, set()).update(nouns)
            unclear.setdefault(text, set()).update(unsure)
        for noun, entry in self.entries.items():
            for text in (noun, *entry.synonyms):
                if text != noun and _MISLEADING.search(text):
                    continue
                level.setdefault(text, "noun" if text == noun else "synonym")
                true.setdefault(text, set()).add(noun)
                unclear.setdefault(text, set()).update(self.confusable[noun])
        return [
            Name(
                text=text,
                many=plural(text) if form == "count" else None,
                form=form,
                level=level[text],
                coverage=self.coverage(true[text], unclear[text]),
            )
            for text in sorted(true)
            for form in [self._form(text, true[text], level[text])]
        ]

    def _form(self, text: str, nouns: set[str], level: str) -> str:
        entry = self.entries[min(nouns)]
        if is_plural(text):
            return "plural"
        if text in _MASS_WORDS:
            return "mass"
        if level in ("container", "class") or text == entry.noun:
            return "count"
        return "mass" if _is_packaged(entry) and not _WRAPPED.search(text) else "count"

    @cached_property
    def class_phrases(self) -> Mapping[Pool, tuple[ClassPhrase, ...]]:
        """Pool -> class phrases."""
        found: dict[Pool, list[ClassPhrase]] = {"train": [], "test": []}
        for name, entry in class_entries().items():
            cover = self.coverage(entry.nouns, entry.unsure)
            bare = {_many(word) for word in entry.singular if _is_plain(word)}
            bare |= {text[8:] for text in entry.phrases if text.startswith("all the ")}
            bare = {text for text in bare if "," not in text and " to " not in text}
            for text in sorted(bare):
                found[pool_of(text)].append(ClassPhrase(text, name, False, cover))
            for text in entry.phrases:
                found[pool_of(text)].append(ClassPhrase(text, name, True, cover))
        return {pool: tuple(rows) for pool, rows in found.items()}

    @cached_property
    def descriptions(self) -> Mapping[Pool, tuple[Description, ...]]:
        """Pool -> descriptions by function."""
        found: dict[Pool, list[Description]] = {"train": [], "test": []}
        for noun, entry in self.entries.items():
            for text, form in zip(entry.functions, entry.forms, strict=True):
                nouns = {noun, *entry.also.get(text, ())}
                cover = self.coverage(nouns, self.confusable[noun])
                kind = "something" if re.match(r"(something|anything) ", text) else form
                found[pool_of(text)].append(Description(text, kind, cover))
        return {pool: tuple(rows) for pool, rows in found.items()}


def _many(word: str) -> str:
    return word if word in _MASS_WORDS or word.endswith(("wear", "gear")) else plural(word)


def _is_packaged(entry: NounEntry) -> bool:
    return " of " in entry.noun or bool({"container", "packaged food"} & set(entry.hypernyms))


def _is_plain(word: str) -> bool:
    return not re.match(r"(something|non-|thing )", word) and " or " not in word


def _class_words(nouns: Iterable[str]) -> dict[str, tuple[str, set[str], set[str]]]:
    """Singular word of a class -> level, nouns, unsure nouns."""
    words: dict[str, tuple[str, set[str], set[str]]] = {}
    for entry in class_entries().values():
        for word in filter(_is_plain, entry.singular):
            level = "container" if entry.name in _CONTAINERS else "class"
            _, true, unclear = words.setdefault(word, (level, set(), set()))
            true |= entry.nouns
            unclear |= entry.unsure
    boxes = set(class_entries()["box"].nouns | class_entries()["carton"].nouns)
    cups = {noun for noun in nouns if noun.startswith("cup of ")}
    for word, unclear in (("tub", cups), ("tube", set()), ("pack", boxes)):
        true = {noun for noun in nouns if noun.startswith(f"{word} of ")}
        words[word] = ("container", true, unclear)
    return words


@cache
def vocabulary() -> Vocabulary:
    """Return the one vocabulary."""
    return Vocabulary()
