"""Reading one phrase on one scene: the truth of its meaning, object by object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.pantry.language import attributes, relations, selectors
from askmask.pantry.language.meaning import SELECTORS, Argument, Expression
from askmask.pantry.language.phrases import Phrase, slot_key
from askmask.pantry.language.scene_truth import SceneTruth
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, UNDEFINED, Truth, negate
from askmask.pantry.language.vocabulary import Adjective, ClassPhrase, Description, Name

__all__ = ["Reading", "Steps", "Unusable", "members"]


class Unusable(Exception):
    """A sentence has no exact answer on this scene."""


_SIDEWAYS = {"left_of": (-1, 0), "right_of": (1, 0), "above": (0, -1), "below": (0, 1)}
_DEPTHWISE = {"in_front_of": (0, -1), "behind": (0, 1)}


@dataclass(frozen=True)
class Steps:
    """Objects that a reading came across on the way to its answer.

    Attributes:
        named: those that a noun, a class or a description of the phrase fits.
        anchors: those that a relation starts from.
        compared: those among which a superlative or an ordinal chose.
    """

    named: set[int] = field(default_factory=set)
    anchors: set[int] = field(default_factory=set)
    compared: set[int] = field(default_factory=set)


class Reading:
    """One evaluation: a phrase, its scene, and whether target sets may be empty.

    Attributes:
        steps: filled while the phrase is read, nested phrases included.
    """

    def __init__(
        self, scene: SceneTruth, phrase: Phrase, may_be_empty: bool, steps: Steps | None = None
    ) -> None:
        self.scene = scene
        self.facts = scene.facts
        self.phrase = phrase
        self.may_be_empty = may_be_empty
        self.steps = Steps() if steps is None else steps

    def truth(self, expression: Expression) -> Truth:
        """(N,) truth of an expression in target position."""
        op = expression.op
        if op == "and":
            return self._and(expression)
        if op in ("the", "all", "count"):
            return self._exactly(expression)
        if op in SELECTORS:
            return self._select(expression)
        if op in _PLAIN:
            return _PLAIN[op](self, expression)
        return self._related(expression)

    def anchors(self, expression: Expression) -> NDArray[np.intp]:
        """Objects of an expression in anchor position: clear and not empty."""
        strict = Reading(self.scene, self.phrase, may_be_empty=False, steps=self.steps)
        found = members(strict.truth(expression))
        if not len(found):
            raise Unusable("no anchor")
        return found

    def _filler(self, slot: Argument) -> object:
        return self.phrase.fillers[slot_key(str(slot))]

    def _nested(self, slot: str) -> Truth:
        """Truth of a phrase in a slot `{R}`, which stands for exactly one object."""
        phrase = self._filler(slot)
        assert isinstance(phrase, Phrase)
        inner = Reading(self.scene, phrase, may_be_empty=False, steps=self.steps)
        return inner._exactly(Expression("the", (phrase.pattern.meaning,)))

    def _operand(self, argument: Argument) -> Truth:
        return (
            self.truth(argument)
            if isinstance(argument, Expression)
            else self._nested(str(argument))
        )

    def _anchor(self, argument: Argument) -> NDArray[np.intp]:
        found = (
            self.anchors(argument)
            if isinstance(argument, Expression)
            else members(self._nested(str(argument)))
        )
        self.steps.anchors.update(found.tolist())
        return found

    def _everything(self) -> Truth:
        return np.full(self.facts.n, TRUE)

    def _scene(self, expression: Expression) -> Truth:
        return self._everything()

    def _ref(self, expression: Expression) -> Truth:
        values = np.full(self.facts.n, FALSE)
        values[self.phrase.references[int(str(expression.args[0])) - 1]] = TRUE
        return values

    def _worded(self, expression: Expression) -> Truth:
        """`category`, `class` and `function`: by what the filler covers."""
        filler = self._filler(expression.args[0])
        if not isinstance(filler, Name | ClassPhrase | Description):
            raise DataError(f"{expression}: expected a noun, a class or a description")
        values: Truth = filler.coverage[self.facts.nouns]
        self.steps.named.update(np.flatnonzero(values == TRUE).tolist())
        return values

    def _attribute(self, expression: Expression) -> Truth:
        adjective = self._filler(expression.args[0])
        assert isinstance(adjective, Adjective)
        if adjective.kind == "size":
            every = np.arange(self.facts.n)
            return attributes.size_split(self.facts, every, adjective.value)
        return self.scene.adjective(adjective)

    def _and(self, expression: Expression) -> Truth:
        sizes: list[Adjective] = []
        values = self._everything()
        for child in expression.args:
            adjective = self._size_word(child)
            if adjective is not None:
                sizes.append(adjective)
            else:
                values = np.minimum(values, self._operand(child))
        for adjective in sizes:
            # Big or small among what the other words leave.
            if (values == UNCLEAR).any():
                raise Unusable("unclear comparison set")
            split = attributes.size_split(
                self.facts, np.flatnonzero(values == TRUE), adjective.value
            )
            values = np.minimum(values, split)
        return values

    def _size_word(self, argument: Argument) -> Adjective | None:
        if not isinstance(argument, Expression) or argument.op != "attribute":
            return None
        adjective = self._filler(argument.args[0])
        assert isinstance(adjective, Adjective)
        return adjective if adjective.kind == "size" else None

    def _or(self, expression: Expression) -> Truth:
        values = self._operand(expression.args[0])
        for child in expression.args[1:]:
            values = np.maximum(values, self._operand(child))
        return values

    def _not(self, expression: Expression) -> Truth:
        return negate(self._operand(expression.args[0]))

    def _any(self, expression: Expression) -> Truth:
        return self._operand(expression.args[0])

    def _exactly(self, expression: Expression) -> Truth:
        """`the`, `all`, `count`: a requirement on the number of members."""
        values = self._operand(expression.args[-1])
        count = int((values == TRUE).sum())
        clear = not (values == UNCLEAR).any()
        if self.may_be_empty and count == 0 and clear:
            return values
        wanted = {"the": 1, "all": max(count, 1)}.get(expression.op)
        if wanted is None:
            wanted = int(str(expression.args[0]))
        if count != wanted or not clear:
            raise Unusable(f"{expression.op} needs {wanted}, got {count}")
        return values

    def _except(self, expression: Expression) -> Truth:
        first, second = (self._operand(child) for child in expression.args)
        if not ((first == TRUE) & (second == TRUE)).any():
            raise Unusable("the exception is not in the set")
        return np.minimum(first, np.where(second == UNDEFINED, TRUE, negate(second)))

    def _related(self, expression: Expression) -> Truth:
        op = expression.op
        if op in ("has_part", "part_of"):
            raise Unusable("parts are not known")
        if op == "between":
            return self._between(expression.args)
        key = f"{op},{expression.mode}" if expression.mode else op
        anchor = expression.args[0]
        if isinstance(anchor, Expression) and anchor.op == "scene":
            return self._to_any_other(key)
        return self._to_anchor(key, self._anchor(anchor))

    def _to_any_other(self, key: str) -> Truth:
        matrix = self.scene.pairs(key).copy()
        np.fill_diagonal(matrix, FALSE)
        values: Truth = matrix.max(1, initial=FALSE)
        return values

    def _to_anchor(self, key: str, anchors: NDArray[np.intp]) -> Truth:
        values: Truth
        if key in relations.RELATIONS and len(anchors) > 1:
            union = self.facts.shapes.union(anchors)
            size_hw = (self.facts.height, self.facts.width)
            values = relations.RELATIONS[key](self.facts.column, union, size_hw)[:, 0]
        elif key.partition(",")[0] in ("larger_than", "smaller_than", "taller_than"):
            values = self.scene.pairs(key)[:, anchors].min(1)
        else:
            values = self.scene.pairs(key)[:, anchors].max(1)
        values = values.copy()
        values[anchors] = UNDEFINED
        return values

    def _between(self, anchors: Sequence[Argument]) -> Truth:
        found = np.concatenate([self._anchor(anchor) for anchor in anchors])
        if len(found) != 2 or found[0] == found[1]:
            raise Unusable("between needs two anchors")
        values = relations.between(self.facts, int(found[0]), int(found[1])).copy()
        values[found] = UNDEFINED
        return values

    def _select(self, expression: Expression) -> Truth:
        """Pick from candidates; unclear ones must not change the choice."""
        candidates = self._operand(expression.args[-1])
        sure = np.flatnonzero(candidates == TRUE)
        possible = np.flatnonzero(candidates >= UNCLEAR)
        self.steps.compared.update(sure.tolist())
        values = np.full(self.facts.n, FALSE)
        if self.may_be_empty and not len(possible):
            return values
        chosen = self._choose(expression, sure)
        if len(possible) > len(sure) and self._choose(expression, possible) != chosen:
            raise Unusable("an unclear candidate might win")
        values[list(chosen)] = TRUE
        return values

    def _choose(self, expression: Expression, candidates: NDArray[np.intp]) -> frozenset[int]:
        op = expression.op
        if op.startswith("nth_from"):
            return self._nth(expression, candidates)
        if op in ("nearest_to", "farthest_from"):
            return self._by_distance(expression, candidates)
        ways = selectors.orders(self.facts, op, expression.mode)
        chosen = selectors.first(ways, candidates, expression.k)
        if chosen is None or not self._convincing(op, candidates, chosen):
            raise Unusable("no clear winner")
        return chosen

    def _convincing(self, op: str, candidates: NDArray[np.intp], chosen: frozenset[int]) -> bool:
        """Further conditions on a winner's shape and on what hides it."""
        facts, winners = self.facts, list(chosen)
        if op == "roundest":
            seen = (facts.hidden_share <= 0.3) & (self.scene.touching_frame != TRUE)
            return bool(facts.roundness[winners].min() >= 0.85 and seen[candidates].all())
        return op != "most_hidden" or bool(facts.hidden_share[winners].min() >= 0.15)

    def _nth(self, expression: Expression, candidates: NDArray[np.intp]) -> frozenset[int]:
        n, (way, *_) = int(str(expression.args[0])), selectors.orders(self.facts, expression.op, "")
        base = self.facts.shapes.solid.low[candidates, 1]
        if len(candidates) < max(n, 2) or np.ptp(base) > 0.05:
            raise Unusable("not in one row")
        rank = selectors.ranked(way, candidates)
        steps = pairwise(rank[: n + 1])
        if not all(way.separates(here, there) for here, there in steps):
            raise Unusable("too close to count")
        source = expression.args[-1]
        if isinstance(source, Expression) and source.op in ("left_of", "right_of"):
            anchors = self._anchor(source.args[0])
            if not all(self._within_45(source.op, one, anchors) for one in rank[:n]):
                raise Unusable("not in line with the anchor")
        return frozenset([rank[n - 1]])

    def _by_distance(self, expression: Expression, candidates: NDArray[np.intp]) -> frozenset[int]:
        anchors = self._anchor(expression.args[0])
        candidates = np.setdiff1d(candidates, anchors)
        ways = selectors.nearness(self.facts, anchors, expression.op == "farthest_from")
        chosen = selectors.first(ways, candidates, expression.k)
        if chosen is None:
            raise Unusable("no clear winner")
        source = expression.args[-1]
        # "Immediately left of": the nearest one must really lie in that direction.
        directed = isinstance(source, Expression) and source.args[:1] == expression.args[:1]
        op = source.op if directed and isinstance(source, Expression) else ""
        if not all(self._within_45(op, one, anchors) for one in chosen):
            raise Unusable("the nearest one lies askew")
        return chosen

    def _within_45(self, op: str, one: int, anchors: NDArray[np.intp]) -> bool:
        """Whether an object lies within 45 degrees of a direction as seen from the anchors."""
        if op in _SIDEWAYS:
            plane = self.facts.shapes.amodal
            points, direction = np.stack([plane.cx, plane.cy], 1), _SIDEWAYS[op]
        elif op in _DEPTHWISE:
            points, direction = self.facts.shapes.solid.centre[:, [0, 2]], _DEPTHWISE[op]
        else:
            return True
        away = points[one] - points[anchors].mean(0)
        return bool(away @ np.array(direction, float) >= np.hypot(*away) * np.cos(np.pi / 4))

    def _unoccluded(self, expression: Expression) -> Truth:
        return self.scene.unoccluded

    def _touching_frame(self, expression: Expression) -> Truth:
        return self.scene.touching_frame


_PLAIN: dict[str, Callable[[Reading, Expression], Truth]] = {
    "scene": Reading._scene,
    "ref": Reading._ref,
    "category": Reading._worded,
    "class": Reading._worded,
    "function": Reading._worded,
    "attribute": Reading._attribute,
    "or": Reading._or,
    "not": Reading._not,
    "any": Reading._any,
    "except": Reading._except,
    "unoccluded": Reading._unoccluded,
    "touching_frame": Reading._touching_frame,
}


def members(values: Truth) -> NDArray[np.intp]:
    """Objects that are TRUE.

    Raises:
        Unusable: when one is UNCLEAR.
    """
    if (values == UNCLEAR).any():
        raise Unusable("too close to call")
    return np.flatnonzero(values == TRUE)
