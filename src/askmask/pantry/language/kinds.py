"""The kind that a phrase names: what its nouns, classes and functions fit, whatever else it says.

Who knows only which things are in a scene, and does not see them, can read no more than this off
a sentence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.evaluate import Evaluator, Unusable
from askmask.pantry.language.meaning import SELECTORS, Argument, Expression
from askmask.pantry.language.phrases import Phrase, slot_key
from askmask.pantry.language.truth import FALSE, TRUE, Truth, negate
from askmask.pantry.language.vocabulary import ClassPhrase, Description, Name

__all__ = ["named_kind"]

_WORDS = frozenset({"category", "class", "function"})
_TRANSPARENT = frozenset({"the", "all", "any", "count"}) | SELECTORS
_ABOUT_KINDS = _WORDS | {"and", "or", "not", "the", "all", "any", "count"}


def named_kind(evaluator: Evaluator, phrase: Phrase) -> NDArray[np.bool_]:
    """(N,) objects that the words for the targets' kind clearly fit.

    Colours, sizes, places and comparisons are passed over. A phrase without a word for a kind, as
    "whatever is left of [1]", fits every object; one that stands for a reference fits that one.
    """
    answer: NDArray[np.bool_] = _fitting(evaluator, phrase, phrase.pattern.meaning) == TRUE
    return answer


def _fitting(evaluator: Evaluator, phrase: Phrase, argument: Argument) -> Truth:
    everything = np.full(evaluator.facts.n, TRUE)
    if not isinstance(argument, Expression):
        nested = phrase.fillers.get(slot_key(str(argument)))
        if isinstance(nested, Phrase):
            return _fitting(evaluator, nested, nested.pattern.meaning)
        return everything
    op, args = argument.op, argument.args
    if op in _WORDS:
        filler = phrase.fillers[slot_key(str(args[0]))]
        assert isinstance(filler, Name | ClassPhrase | Description)
        covered: Truth = filler.coverage[evaluator.facts.nouns]
        return covered
    if op in _TRANSPARENT:
        return _fitting(evaluator, phrase, args[-1])
    if op in ("and", "or"):
        parts = np.stack([_fitting(evaluator, phrase, part) for part in args])
        joint: Truth = parts.min(0) if op == "and" else parts.max(0)
        return joint
    if op == "not" and _is_about_kinds(args[0]):
        return negate(_fitting(evaluator, phrase, args[0]))
    if op == "except":
        first = _fitting(evaluator, phrase, args[0])
        second = _fitting(evaluator, phrase, args[1]) if _is_about_kinds(args[1]) else None
        return first if second is None else np.minimum(first, negate(second))
    if op == "ref":
        values = np.full(evaluator.facts.n, FALSE)
        values[phrase.references[int(str(args[0])) - 1]] = TRUE
        return values
    if op == "same_category_as":
        return _as_it_is(evaluator, phrase, argument)
    return everything


def _is_about_kinds(argument: Argument) -> bool:
    return isinstance(argument, Expression) and all(
        part.op in _ABOUT_KINDS for part in argument.walk()
    )


def _as_it_is(evaluator: Evaluator, phrase: Phrase, expression: Expression) -> Truth:
    """The truth on the scene; of what cannot be told, nothing."""
    try:
        return evaluator.truth(phrase, expression)
    except Unusable:
        return np.full(evaluator.facts.n, FALSE)
