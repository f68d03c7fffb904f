"""Words that are true of a class without naming it.

Two sources know classes: askmask's noun bank (groceries and household things) and the table that
lies beside this file (COCO, KINS and what annotators of COCOA often write). A word is used only in
pictures of which it is known, class by class, whether it is true.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from askmask.authoring.clean import names_class
from askmask.pantry.language.truth import FALSE, TRUE
from askmask.pantry.language.vocabulary import vocabulary

__all__ = ["Word", "class_of", "words_for"]


@dataclass(frozen=True)
class Word:
    """A noun, or a description of one thing.

    Attributes:
        one: singular without article, or the whole description.
        many: plural, or None for a description, which stands for one thing only.
        covers: classes of which it is true.
        says_nothing: whether it is true of everything.
    """

    one: str
    many: str | None
    covers: frozenset[str]
    says_nothing: bool = False


@dataclass(frozen=True)
class _Entry:
    word: Word
    unsure: frozenset[str]


_ANYTHING = (("object", "objects"), ("thing", "things"), ("item", "items"))
"""True of everything, also of classes that nobody knows."""


def _read(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text("utf-8")


@cache
def _table() -> tuple[tuple[_Entry, ...], frozenset[str], Mapping[str, str]]:
    """Entries of the table, its classes, and other spellings of these."""
    entries = []
    for line in _read("words.jsonl").splitlines():
        row = json.loads(line)
        covers = frozenset(row["nouns"])
        word = Word(row.get("one") or row["whole"], row.get("many"), covers)
        entries.append(_Entry(word, frozenset(row.get("unsure", ())) - covers))
    classes = frozenset(noun for entry in entries for noun in entry.word.covers | entry.unsure)
    return tuple(entries), classes, json.loads(_read("aliases.json"))


def class_of(category: str) -> str:
    """The class that the words know for a category, or the category in lower case.

    "Dougnut" is a misspelt donut, an "espresso cup" some cup.
    """
    bank = vocabulary().index
    if category in bank:
        return category
    _, classes, aliases = _table()
    plain = " ".join(category.lower().replace("_", " ").split())
    for name in (plain, plain.rpartition(" ")[2]):
        name = aliases.get(name, name)
        if name in classes:
            return name
    return plain


def words_for(classes: Iterable[str]) -> tuple[Word, ...]:
    """Words for a picture that holds these classes, each covering some of them and naming none.

    Args:
        classes: as `class_of` gives them.
    """
    return _words_for(frozenset(classes))


@cache
def _words_for(here: frozenset[str]) -> tuple[Word, ...]:
    entries, known, _ = _table()
    words = [Word(one, many, here, says_nothing=True) for one, many in _ANYTHING]
    if here <= known:
        words += [
            Word(entry.word.one, entry.word.many, entry.word.covers & here)
            for entry in entries
            if entry.word.covers & here and not entry.unsure & here
        ]
    if here <= vocabulary().index.keys():
        words += _of_bank(here)
    return tuple(
        word for word in words if not names_class(f"{word.one} {word.many or ''}", word.covers)
    )


def _of_bank(here: frozenset[str]) -> list[Word]:
    """Countable names and descriptions by function of the noun bank."""
    bank = vocabulary()
    nouns = sorted(here)
    places = [bank.index[noun] for noun in nouns]
    found = []
    for name in bank.names:
        cover = name.coverage[places]
        if name.form == "count" and _is_sure(cover):
            found.append(Word(name.text, name.many, _covered(nouns, cover)))
    for pool in bank.descriptions.values():
        for description in pool:
            cover = description.coverage[places]
            if description.form == "np" and _is_sure(cover):
                found.append(Word(description.text, None, _covered(nouns, cover)))
    return found


def _is_sure(cover: np.ndarray) -> bool:
    return bool((cover == TRUE).any() and ((cover == TRUE) | (cover == FALSE)).all())


def _covered(nouns: list[str], cover: np.ndarray) -> frozenset[str]:
    return frozenset(noun for noun, value in zip(nouns, cover, strict=True) if value == TRUE)
