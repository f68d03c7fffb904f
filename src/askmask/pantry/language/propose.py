"""Fillers that fit a scene: what a pattern's slots are filled with.

Slots are filled from the inside outwards: first the anchors, then an object is picked among those
that the relations leave, and the words are chosen to describe it. So most proposals denote
something; whether exactly what they should is for the evaluator to say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.absent import Lie
from askmask.pantry.language.banks import Pattern, Pool
from askmask.pantry.language.evaluate import Evaluator, Unusable
from askmask.pantry.language.meaning import SELECTORS, Expression
from askmask.pantry.language.phrases import Filler, Phrase, slot_key
from askmask.pantry.language.realise import is_short, realise
from askmask.pantry.language.repertoire import DESCRIBING, anchor_patterns, name_forms
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR
from askmask.pantry.language.vocabulary import Adjective, ClassPhrase, Name
from askmask.pantry.language.word_choice import WordChoice

__all__ = ["Proposer"]


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
        self.words = WordChoice(evaluator.facts, pool, rng)
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
            phrase = self.fill(self.pick(anchor_patterns(self.pool)))
            if phrase is None:
                continue
            try:
                target = self.evaluator.targets(phrase)[0]
            except Unusable:
                continue
            if self.facts.askable[target]:
                found.append(phrase)
        return found


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
        if op in DESCRIBING or op == "and":
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
        words = [p for p in parts if isinstance(p, Expression) and p.op in DESCRIBING]
        others = [p for p in parts if isinstance(p, Expression) and p.op not in DESCRIBING]
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
        words = self.proposer.words
        if word.op == "category":
            forms = name_forms(self.pattern.text, key)
            if lie is not None and lie.kind in ("class", "sibling"):
                self.fillers[key] = words.absent_name(lie.nouns, forms)
            else:
                self.fillers[key] = words.name(one, forms, need)
        elif word.op == "attribute":
            if lie is not None and lie.kind in ("colour", "swapped"):
                self.fillers[key] = words.false_colour(one, kind, swapped=lie.kind == "swapped")
            else:
                self.fillers[key] = words.adjective(one, kind, sized)
        elif lie is not None and lie.kind in ("superclass", "function"):
            self.fillers[key] = words.absent_wording(word.op, kind, lie.nouns)
        else:
            self.fillers[key] = words.wording(one, word.op, kind)


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
