"""The objects that a phrase denotes on a scene."""

from __future__ import annotations

from contextlib import suppress

from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.meaning import Expression
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.reading import Reading, Steps, Unusable, members
from askmask.pantry.language.scene_truth import SceneTruth
from askmask.pantry.language.truth import UNDEFINED, Truth
from askmask.pantry.scene import Scene

__all__ = ["Evaluator", "Unusable"]


class Evaluator:
    """Evaluates phrases on one scene.

    Attributes:
        facts: measurements of the scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.facts = SceneFacts(scene)
        self._truth = SceneTruth(self.facts)

    def targets(self, phrase: Phrase) -> tuple[int, ...]:
        """Return the objects that the phrase denotes, in scene order.

        Raises:
            Unusable: when an object is unclear, or when the number does not fit the wording.
        """
        values = Reading(self._truth, phrase, may_be_empty=False).truth(phrase.pattern.meaning)
        found = members(values)
        number, count = phrase.pattern.number, len(found)
        empty_allowed = phrase.pattern.meaning.op == "any"
        if count == 0 and not empty_allowed:
            raise Unusable("nothing fits")
        if (number == "sg" and count != 1) or (number == "pl" and count < 2 and not empty_allowed):
            raise Unusable("the number does not fit")
        return tuple(int(i) for i in found)

    def denotes_nothing(self, phrase: Phrase) -> bool:
        """Whether nothing fits the phrase, even if all that is unclear were true."""
        try:
            values = Reading(self._truth, phrase, may_be_empty=True).truth(phrase.pattern.meaning)
        except Unusable:
            return False
        return bool((values <= UNDEFINED).all())

    def steps(self, phrase: Phrase) -> Steps:
        """Return what a reading of the phrase comes across, as far as it gets."""
        reading = Reading(self._truth, phrase, may_be_empty=True)
        with suppress(Unusable):
            reading.truth(phrase.pattern.meaning)
        return reading.steps

    def truth(self, phrase: Phrase, expression: Expression) -> Truth:
        """(N,) truth of a part of a phrase whose slots are filled as far as the part needs.

        Raises:
            Unusable: when an anchor of it is unclear or missing.
        """
        return Reading(self._truth, phrase, may_be_empty=False).truth(expression)
