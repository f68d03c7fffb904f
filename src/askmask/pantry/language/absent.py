"""Ways to make a plausible sentence that nothing in the scene answers.

The wording comes from the same patterns as true sentences. One word is exchanged, or an object is
described that the relations exclude; whether the result denotes nothing is for the evaluator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from askmask.pantry.language.banks import noun_entries
from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.vocabulary import vocabulary

__all__ = ["Lie", "lies"]

LIES = {
    "class": 0.22,
    "sibling": 0.14,
    "colour": 0.12,
    "swapped": 0.10,
    "relation": 0.28,
    "superclass": 0.07,
    "function": 0.07,
}
"""Shares of the ways; "relation" covers opposite side, beyond the end, front and back exchanged,
occluder of a free object, larger than the largest, no second of its kind and broken chains."""

_BROAD = 25
"""Classes with more nouns say little about what an object is."""


@dataclass(frozen=True)
class Lie:
    """How a phrase is made to denote nothing: what is exchanged, and the words to exchange it by.

    Attributes:
        kind: "class", "sibling", "colour", "swapped", "relation", "superclass", "function".
        nouns: for "class" and "sibling", what is absent; else what scenes may hold.
    """

    kind: str
    nouns: tuple[str, ...] = ()


@cache
def _siblings(noun: str) -> frozenset[str]:
    """Nouns that share a narrow class with `noun`."""
    entries = noun_entries()
    sizes: dict[str, int] = {}
    for entry in entries.values():
        for name in entry.hypernyms:
            sizes[name] = sizes.get(name, 0) + 1
    narrow = {name for name in entries[noun].hypernyms if sizes[name] <= _BROAD}
    return frozenset(entry.noun for entry in entries.values() if narrow & set(entry.hypernyms)) - {
        noun
    }


def lies(facts: SceneFacts, others: Sequence[str], rng: np.random.Generator) -> Lie:
    """Draw a way, with the nouns it needs.

    Args:
        facts: the scene's.
        others: nouns that other scenes hold; what is absent here must be present elsewhere, or the
            word alone would give it away.
        rng: source of chance.
    """
    kind = list(LIES)[int(rng.choice(len(LIES), p=np.array(list(LIES.values()))))]
    words = vocabulary()
    known = [noun for noun in others if noun in words.index]
    if kind not in ("class", "sibling"):
        return Lie(kind, tuple(known))
    present = {words.nouns[i] for i in facts.nouns}
    near = {other for noun in present for other in _siblings(noun)}
    taken = present | {other for noun in present for other in words.confusable[noun]}
    nouns = [noun for noun in known if noun not in taken]
    if kind == "sibling":
        nouns = _prefer(nouns, near)
    return Lie(kind, tuple(nouns)) if nouns else Lie("relation", tuple(known))


def _prefer(nouns: Iterable[str], near: Iterable[str]) -> list[str]:
    near = set(near)
    return [noun for noun in nouns if noun in near]
