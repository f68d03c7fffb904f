"""Words for the objects of a scene: names, adjectives, classes and descriptions that are true.

For sentences about nothing there are also words that are true of no object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.colours import COLOURS
from askmask.pantry.language.attributes import colour_pair, main_colour
from askmask.pantry.language.banks import Pool
from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.reading import Unusable
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR
from askmask.pantry.language.vocabulary import (
    MATERIALS,
    SIZES,
    Adjective,
    ClassPhrase,
    Description,
    Name,
    vocabulary,
)

__all__ = ["WordChoice"]

_LEVELS: Mapping[str, float] = {"noun": 0.32, "synonym": 0.36, "container": 0.2, "class": 0.12}
"""How people name things: "jar of honey", "honey", "jar", "spread"."""

_RARER = {"brown": 0.7, "purple": 0.6, "pink": 0.6, "orange": 0.6, "black": 0.4, "grey": 0.1}
_SAID = dict.fromkeys(COLOURS, 1.0) | _RARER
"""How often true sentences name a colour; false ones follow, lest a rare word mean nothing."""


class WordChoice:
    """Draws words for one scene."""

    def __init__(self, facts: SceneFacts, pool: Pool, rng: np.random.Generator) -> None:
        self.facts = facts
        self.pool = pool
        self.rng = rng
        words = vocabulary()
        truth = words.name_cover[:, facts.nouns]
        here = np.flatnonzero((truth == TRUE).any(1))
        self.names = [words.names[i] for i in here]
        self.name_truth = truth[here]
        self.name_count = (self.name_truth == TRUE).sum(1)
        self.name_clear = ~(self.name_truth == UNCLEAR).any(1)

    def name(self, one: int, forms: frozenset[str], need: int | None) -> Name:
        """Choose a name for an object.

        Args:
            one: the object.
            forms: grammatical forms that fit.
            need: how many objects the name must cover; -1 for at least two, None for any number.

        Raises:
            Unusable: when no name fits.
        """
        fits = (self.name_truth[:, one] == TRUE) & self.name_clear
        if need is not None:
            fits &= self.name_count >= 2 if need < 0 else self.name_count == need
        chosen = [int(i) for i in np.flatnonzero(fits) if self.names[i].form in forms]
        if not chosen:
            raise Unusable("no name fits")
        return self.names[self._draw_by_level(chosen)]

    def _draw_by_level(self, chosen: Sequence[int]) -> int:
        levels = [self.names[i].level for i in chosen]
        shares = np.array([_LEVELS[level] / levels.count(level) for level in levels])
        return int(self.rng.choice(np.array(chosen), p=shares / shares.sum()))

    def adjective(self, one: int, kind: str, sized: bool) -> Adjective:
        """Choose an adjective of the slot's kind; colours and materials are true of the object.

        Args:
            one: the object.
            kind: of the slot: "any", "colour", "material", "colour|material" or "size".
            sized: whether "big" and "small" may be said.

        Raises:
            Unusable: when none is.
        """
        item = self.facts.scene.objects[one]
        options: list[tuple[float, Adjective]] = []
        if kind in ("any", "colour", "colour|material"):
            options += [(0.75, colour) for colour in _colours_of(item.colours)]
        if kind in ("any", "material", "colour|material") and item.material in MATERIALS:
            word = MATERIALS[item.material][0]
            options.append((0.10, Adjective(word, "material", item.material)))
        if kind in ("any", "size") and sized:
            word = list(SIZES)[int(self.rng.integers(len(SIZES)))]
            options.append((0.15, Adjective(word, "size", SIZES[word])))
        if not options:
            raise Unusable("no adjective is sure")
        shares = np.array([share for share, _ in options])
        return options[int(self.rng.choice(len(options), p=shares / shares.sum()))][1]

    def wording(self, one: int, op: str, kind: str) -> ClassPhrase | Description:
        """Choose a class phrase or a description that covers an object.

        Raises:
            Unusable: when none does, or one does of which another object is unclear.
        """
        texts, cover = _wordings(self.pool, op, kind)
        here = cover[:, self.facts.nouns]
        fits = (here[:, one] == TRUE) & ~(here == UNCLEAR).any(1)
        return self._draw(texts, fits)

    def absent_wording(self, op: str, kind: str, nouns: Sequence[str]) -> ClassPhrase | Description:
        """Choose a class phrase or description that fits nothing here, but one of `nouns`.

        Raises:
            Unusable: when there is none.
        """
        texts, cover = _wordings(self.pool, op, kind)
        elsewhere = [vocabulary().index[noun] for noun in nouns]
        known = (cover[:, elsewhere] == TRUE).any(1)
        return self._draw(texts, known & (cover[:, self.facts.nouns] == FALSE).all(1))

    def absent_name(self, nouns: Sequence[str], forms: frozenset[str]) -> Name:
        """Choose a name of one of `nouns` that covers nothing here.

        Raises:
            Unusable: when the noun drawn has no such name.
        """
        words = vocabulary()
        noun = nouns[int(self.rng.integers(len(nouns)))]
        cover = words.name_cover[:, words.index[noun]] == TRUE
        nothing = (words.name_cover[:, self.facts.nouns] == FALSE).all(1)
        fitting = [words.names[i] for i in np.flatnonzero(cover & nothing)]
        fitting = [name for name in fitting if name.form in forms]
        if not fitting:
            raise Unusable("no name for what is absent")
        shares = np.array([_LEVELS[name.level] for name in fitting])
        return fitting[int(self.rng.choice(len(fitting), p=shares / shares.sum()))]

    def false_colour(self, one: int, kind: str, *, swapped: bool) -> Adjective:
        """Choose a colour that an object has not.

        Args:
            one: the object.
            kind: of the slot.
            swapped: whether to take the colour of another object or one of none.

        Raises:
            Unusable: when the slot is not for colours or there is none.
        """
        if kind not in ("any", "colour", "colour|material"):
            raise Unusable("no colour slot")
        mains = [main_colour(item.colours) for item in self.facts.scene.objects]
        options = [c for c in _SAID if c != mains[one] and (c in mains) == swapped]
        if not options:
            raise Unusable("no false colour")
        shares = np.array([_SAID[colour] for colour in options])
        colour = options[int(self.rng.choice(len(options), p=shares / shares.sum()))]
        return Adjective(colour, "colour", colour)

    def _draw(
        self, texts: Sequence[ClassPhrase | Description], fits: NDArray[np.bool_]
    ) -> ClassPhrase | Description:
        places = np.flatnonzero(fits)
        if not len(places):
            raise Unusable("no wording fits")
        return texts[int(places[int(self.rng.integers(len(places)))])]


def _colours_of(colours: Mapping[str, float]) -> list[Adjective]:
    """The colour by which people would call an object, or its two colours, or nothing."""
    main, pair = main_colour(colours), colour_pair(colours)
    if main in COLOURS:
        return [Adjective(main, "colour", main)]
    return [Adjective(" and ".join(pair), "colour", "+".join(pair))] if pair else []


@cache
def _wordings(
    pool: Pool, op: str, kind: str
) -> tuple[tuple[ClassPhrase | Description, ...], NDArray[np.int8]]:
    """Words for a `class` or `function` slot, and what they cover."""
    words = vocabulary()
    found: tuple[ClassPhrase | Description, ...]
    if op == "class":
        found = tuple(one for one in words.class_phrases[pool] if one.whole == (kind == "phrase"))
    else:
        form = "something" if kind == "function" else kind
        found = tuple(one for one in words.descriptions[pool] if one.form == form)
    return found, np.stack([one.coverage for one in found])
