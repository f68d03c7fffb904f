"""Fillers that fit a scene: what a pattern's slots are filled with.

Slots are filled from the inside outwards: first the anchors, then an object is picked among those
that the relations leave, and the words are chosen to describe it. So most proposals denote
something; whether exactly what they should is for the evaluator to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.colours import COLOURS
from askmask.pantry.language import banks
from askmask.pantry.language.attributes import colour_pair, main_colour
from askmask.pantry.language.banks import Pattern, Pool
from askmask.pantry.language.evaluate import Evaluator, Unusable
from askmask.pantry.language.meaning import SELECTORS, Expression, target_children
from askmask.pantry.language.phrases import Filler, Phrase, slot_key
from askmask.pantry.language.realise import is_short, realise
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

__all__ = ["Lie", "Proposer", "patterns_for_lie", "usable_patterns"]

_DESCRIBING = ("category", "class", "function", "attribute")
_LEVELS: Mapping[str, float] = {"noun": 0.32, "synonym": 0.36, "container": 0.2, "class": 0.12}
_DEFINITE = re.compile(r"(\b(the|my|this|our)( \{A2?\})*|^) \{N\d?\}$|^(\{A2?\} )*\{N\d?\}$")
_AGREES = re.compile(
    r"\b(is|has|was|does|looks?|stands|sits|lies|comes|that|which|one|its?|whichever|"
    r"happens|single|lone|object|thing)\b"
)
_COUNTED = re.compile(r"\b(one|only|lone|single|another|other|same|two|twin|pair|last)\b")


_RARER = {"brown": 0.7, "purple": 0.6, "pink": 0.6, "orange": 0.6, "black": 0.4, "grey": 0.1}
_SAID = dict.fromkeys(COLOURS, 1.0) | _RARER
"""How often true sentences name a colour; false ones follow, lest a rare word mean nothing."""


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
def usable_patterns(pool: Pool) -> Mapping[str, tuple[Pattern, ...]]:
    """Kind -> patterns of a pool whose operations can be evaluated; short ones thrice."""
    found: dict[str, list[Pattern]] = {}
    for pattern in banks.patterns():
        ops = {part.op for part in pattern.meaning.walk()}
        if ops & {"has_part", "part_of"}:
            continue
        if pattern.is_open or banks.pool_of(pattern.text) == pool:
            kind = "function" if "function" in ops and pattern.kind == "plain" else pattern.kind
            weight = 3 if len(pattern.text.split()) <= 5 else 1
            found.setdefault(kind, []).extend([pattern] * weight)
    return {kind: tuple(patterns) for kind, patterns in found.items()}


_LIABLE = {
    "class": "category",
    "sibling": "category",
    "colour": "attribute",
    "swapped": "attribute",
    "superclass": "class",
    "function": "function",
}


@cache
def patterns_for_lie(pool: Pool, kind: str) -> Mapping[str, tuple[Pattern, ...]]:
    """Kind of pattern -> patterns in which a lie of that kind can be told."""
    op = _LIABLE.get(kind)
    found = {}
    for name, patterns in usable_patterns(pool).items():
        fitting = tuple(p for p in patterns if _can_lie(p.meaning, op))
        if fitting:
            found[name] = fitting
    return found


def _can_lie(meaning: Expression, op: str | None) -> bool:
    """Whether `op` occurs among the words for targets; None asks for any relation."""
    if op == "category" and any(part.op == "function" for part in meaning.walk()):
        return False  # "the milk that serves as something to cut with" is no plausible mistake
    if op is not None:
        children = target_children(meaning)
        return meaning.op == op or any(_can_lie(child, op) for child in children)
    structural = {"scene", "ref", "the", "all", "any", "count", "and", "or", "not", "except"}
    ops = {part.op for part in meaning.walk()}
    return bool(ops - structural - set(_DESCRIBING) - SELECTORS)


@cache
def _anchor_patterns(pool: Pool) -> tuple[Pattern, ...]:
    """Patterns for one object that may stand inside another phrase."""
    kinds = ("plain", "attribute", "spatial", "geometric")
    return tuple(
        pattern
        for kind in kinds
        for pattern in usable_patterns(pool)[kind]
        if pattern.number == "sg"
        and not {"R", "R2", "F"} & set(pattern.slots)
        and pattern.text.startswith("the ")
        and "," not in pattern.text
        and not pattern.partly_hidden
    )


@cache
def _forms(pattern_text: str, key: str) -> frozenset[str]:
    """Which names fit a noun slot: "count" always, "mass" and "plural" where articles allow."""
    tail = key[1:]
    many, single = "{Ns" + tail + "}", "{N" + tail + "}"
    if many in pattern_text or _COUNTED.search(pattern_text):
        return frozenset({"count"})
    ends = [match.end() for match in re.finditer(re.escape(single), pattern_text)]
    definite = all(_DEFINITE.search(pattern_text[:end]) for end in ends)
    if not definite:
        return frozenset({"count"})
    agrees = not _AGREES.search(pattern_text) and "this {" not in pattern_text
    return frozenset({"count", "mass", "plural"} if agrees else {"count", "mass"})


class Proposer:
    """Fills patterns with what a scene holds.

    Attributes:
        evaluator: of the scene.
        pool: of the wordings.
        rng: source of chance.
    """

    def __init__(self, evaluator: Evaluator, pool: Pool, rng: np.random.Generator) -> None:
        self.evaluator = evaluator
        self.facts = evaluator.facts
        self.pool = pool
        self.rng = rng
        words = vocabulary()
        truth = words.name_cover[:, self.facts.nouns]
        here = np.flatnonzero((truth == TRUE).any(1))
        self.names = [words.names[i] for i in here]
        self.name_truth = truth[here]
        self.name_count = (self.name_truth == TRUE).sum(1)
        self.name_clear = ~(self.name_truth == UNCLEAR).any(1)
        self._weights = np.array([_LEVELS[name.level] for name in self.names])
        self._anchors: list[Phrase] = []

    def pick(self, items: Sequence[Pattern]) -> Pattern:
        """Draw one."""
        return items[int(self.rng.integers(len(items)))]

    def fill(
        self, pattern: Pattern, focus: NDArray[np.bool_] | None = None, lie: Lie | None = None
    ) -> Phrase | None:
        """Fill a pattern.

        Args:
            pattern: the pattern.
            focus: (N,) objects to prefer as targets.
            lie: how to make it denote nothing, or None for the truth.

        Returns:
            The phrase, or None when nothing in the scene suits the pattern.
        """
        if pattern.references > int(self.facts.askable.sum()):
            return None
        shown = np.flatnonzero(self.facts.askable)
        references = self.rng.permutation(shown)[: pattern.references]
        filling = _Filling(self, pattern, tuple(int(i) for i in references), focus, lie)
        try:
            filling.complete(pattern.meaning, _need(pattern), at_target=True)
        except Unusable:
            return None
        return filling.phrase if _distinct(filling.phrase) else None

    def anchor(self, short: bool) -> Phrase:
        """Draw a phrase that denotes exactly one object; known ones are used again.

        Raises:
            Unusable: when none was found.
        """
        if len(self._anchors) < 10:
            self._anchors.extend(self._new_anchors())
        fitting = [one for one in self._anchors if not short or is_short(realise(one)[0])]
        if not fitting:
            raise Unusable("no anchor phrase")
        return fitting[int(self.rng.integers(len(fitting)))]

    def _new_anchors(self) -> list[Phrase]:
        found = []
        for _ in range(6):
            phrase = self.fill(self.pick(_anchor_patterns(self.pool)))
            if phrase is None:
                continue
            try:
                target = self.evaluator.targets(phrase)[0]
            except Unusable:
                continue
            if self.facts.askable[target]:
                found.append(phrase)
        return found

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


def _need(pattern: Pattern) -> int | None:
    """How many objects the target's name may cover, when nothing else narrows it."""
    return {"sg": 1, "pl": -1, "any": None}[pattern.number]


class _Filling:
    """One attempt to fill one pattern."""

    def __init__(
        self,
        proposer: Proposer,
        pattern: Pattern,
        references: tuple[int, ...],
        focus: NDArray[np.bool_] | None,
        lie: Lie | None,
    ) -> None:
        self.proposer = proposer
        self.pattern = pattern
        self.focus = focus
        self.lie = lie
        self.fillers: dict[str, Filler] = {}
        self.phrase = Phrase(pattern, self.fillers, references)

    def complete(self, expression: Expression, need: int | None, *, at_target: bool) -> None:
        """Fill the slots below an expression."""
        op = expression.op
        if op in _DESCRIBING or op == "and":
            self._describe(expression, need, at_target)
            return
        if op in SELECTORS:
            need = -1
        elif op in ("the", "count", "all"):
            need = {"the": 1, "all": need}.get(op)
            if op == "count":
                need = int(str(expression.args[0]))
        elif op in ("not", "except"):
            need = None
        for place, child in enumerate(expression.args):
            if isinstance(child, Expression):
                inside = (
                    at_target
                    and (op not in SELECTORS or place == len(expression.args) - 1)
                    and not self._is_relation(op)
                )
                wanted = need if not self._is_relation(op) else None
                self.complete(child, wanted, at_target=inside)
            elif str(child) in ("R", "R2") and child not in self.fillers:
                short = "short" in self.pattern.slots[str(child)]
                self.fillers[str(child)] = self.proposer.anchor(short)

    @staticmethod
    def _is_relation(op: str) -> bool:
        structural = ("the", "all", "any", "count", "or", "not", "except")
        return op not in structural and op not in SELECTORS

    def _describe(self, expression: Expression, need: int | None, at_target: bool) -> None:
        """Fill a conjunction: relations first, then words for an object that they leave."""
        parts = expression.args if expression.op == "and" else (expression,)
        words = [p for p in parts if isinstance(p, Expression) and p.op in _DESCRIBING]
        others = [p for p in parts if isinstance(p, Expression) and p.op not in _DESCRIBING]
        for part in others:
            self.complete(part, None, at_target=False)
        lie = self.lie if at_target else None
        one = self._pick(others, at_target, lie)
        if others or len(words) > 1:
            # An adjective is most telling where several things bear the name.
            ops = {word.op for word in words}
            telling = {"attribute", "category"} <= ops and not others
            need = -1 if telling and self.proposer.rng.random() < 0.6 else None
        # Big or small is said of things of a kind.
        sized = any(word.op in ("category", "class") for word in words)
        for word in words:
            self._fill_word(word, one, need, lie, sized)

    def _pick(self, others: Sequence[Expression], at_target: bool, lie: Lie | None) -> int:
        """Pick an object among those that the relations leave."""
        facts = self.proposer.facts
        left = facts.askable
        if others:
            joint = Expression("and", tuple(others))
            values = self.proposer.evaluator.truth(self.phrase, joint)
            wrong = lie is not None and lie.kind == "relation"
            left = left & (values == FALSE if wrong else values == TRUE)
        if at_target and self.focus is not None and (left & self.focus).any():
            left = left & self.focus
        places = np.flatnonzero(left)
        if not len(places):
            raise Unusable("the relations leave nothing")
        return int(places[int(self.proposer.rng.integers(len(places)))])

    def _fill_word(
        self, word: Expression, one: int, need: int | None, lie: Lie | None, sized: bool
    ) -> None:
        slot = str(word.args[0])
        key = slot_key(slot)
        if key in self.fillers:
            return
        kind = self.pattern.slots[slot]
        proposer = self.proposer
        if word.op == "category":
            forms = _forms(self.pattern.text, key)
            if lie is not None and lie.kind in ("class", "sibling"):
                self.fillers[key] = _absent_name(proposer, lie, forms)
            else:
                self.fillers[key] = proposer.name(one, forms, need)
        elif word.op == "attribute":
            if lie is not None and lie.kind in ("colour", "swapped"):
                self.fillers[key] = _false_colour(proposer, one, lie.kind, kind)
            else:
                self.fillers[key] = proposer.adjective(one, kind, sized)
        elif lie is not None and lie.kind in ("superclass", "function"):
            self.fillers[key] = proposer.absent_wording(word.op, kind, lie.nouns)
        else:
            self.fillers[key] = proposer.wording(one, word.op, kind)


def _absent_name(proposer: Proposer, lie: Lie, forms: frozenset[str]) -> Name:
    words = vocabulary()
    noun = lie.nouns[int(proposer.rng.integers(len(lie.nouns)))]
    cover = words.name_cover[:, words.index[noun]] == TRUE
    nothing = (words.name_cover[:, proposer.facts.nouns] == FALSE).all(1)
    fitting = [words.names[i] for i in np.flatnonzero(cover & nothing)]
    fitting = [name for name in fitting if name.form in forms]
    if not fitting:
        raise Unusable("no name for what is absent")
    shares = np.array([_LEVELS[name.level] for name in fitting])
    return fitting[int(proposer.rng.choice(len(fitting), p=shares / shares.sum()))]


def _false_colour(proposer: Proposer, one: int, lie: str, kind: str) -> Adjective:
    """A colour that the object has not: one of another object, or one of none."""
    if kind not in ("any", "colour", "colour|material"):
        raise Unusable("no colour slot")
    mains = [main_colour(item.colours) for item in proposer.facts.scene.objects]
    options = [c for c in _SAID if c != mains[one] and (c in mains) == (lie == "swapped")]
    if not options:
        raise Unusable("no false colour")
    shares = np.array([_SAID[colour] for colour in options])
    colour = options[int(proposer.rng.choice(len(options), p=shares / shares.sum()))]
    return Adjective(colour, "colour", colour)


def _distinct(phrase: Phrase) -> bool:
    """Whether slots with different numbers say different things, none including the other."""
    fillers = phrase.fillers
    listed = phrase.pattern.meaning.op == "or"
    for stem in ("NH",) if listed else ("N", "H"):
        covers = [
            one.coverage >= UNCLEAR
            for key, one in fillers.items()
            if key[0] in stem and isinstance(one, Name | ClassPhrase)
        ]
        if len(covers) > 1 and np.sum(covers, 0).max() > 1:
            return False
    words = [one.text for key, one in fillers.items() if isinstance(one, Adjective)]
    texts = [one.text for one in fillers.values() if isinstance(one, Name)]
    clash = any(word in text.split() for word in words for text in texts)
    return len(set(words)) == len(words) and not clash
