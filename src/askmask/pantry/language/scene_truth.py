"""What holds on a scene whatever the sentence: relations of all pairs, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from askmask.pantry.language import attributes, comparisons, relations
from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.truth import Truth, decide
from askmask.pantry.language.vocabulary import Adjective

__all__ = ["SceneTruth"]

_SAME: dict[str, Callable[[SceneFacts], Truth]] = {
    "same_category_as": attributes.same_category,
    "same_colour_as": attributes.same_colour,
    "same_material_as": attributes.same_material,
    "same_shape_kind_as": attributes.same_shape,
}


class SceneTruth:
    """Truth of relations and attributes on one scene.

    Attributes:
        facts: measurements of the scene.
    """

    def __init__(self, facts: SceneFacts) -> None:
        self.facts = facts
        self._pairs: dict[str, Truth] = {}
        self._adjectives: dict[Adjective, Truth] = {}

    def pairs(self, key: str) -> Truth:
        """(N, N) truth of a relation or comparison, e.g. "left_of" or "larger_than,real"."""
        if key not in self._pairs:
            self._pairs[key] = self._compute(key)
        return self._pairs[key]

    def _compute(self, key: str) -> Truth:
        facts = self.facts
        op, _, mode = key.partition(",")
        if key in relations.RELATIONS:
            return relations.RELATIONS[key](facts.column, facts.shapes, (facts.height, facts.width))
        if op in _SAME:
            return _SAME[op](facts)
        if op == "adjacent_to":
            return relations.adjacent(facts, contact=mode == "contact")
        if op == "larger_than":
            return comparisons.larger_than(facts, mode)
        if op == "smaller_than":
            return self.pairs(f"larger_than,{mode}").T
        if op == "taller_than":
            return comparisons.taller_than(facts)
        if op == "on":
            return relations.on(facts)
        return self.pairs("occluding").T if op == "occluded_by" else relations.covering(facts)

    def adjective(self, adjective: Adjective) -> Truth:
        """(N,) truth of a colour or material."""
        if adjective not in self._adjectives:
            self._adjectives[adjective] = attributes.attribute(self.facts, adjective)
        return self._adjectives[adjective]

    @cached_property
    def unoccluded(self) -> Truth:
        """(N,) TRUE where nothing hides the object and the picture shows all of it."""
        facts = self.facts
        free = facts.hidden_share <= 0.01
        cut = (facts.outside_share > 0) | (facts.frame_distance < 1)
        return decide(free & ~cut, facts.hidden_share >= 0.05)

    @cached_property
    def touching_frame(self) -> Truth:
        """(N,) TRUE where the picture's edge cuts the object."""
        facts = self.facts
        cut = (facts.frame_distance < 1) & (facts.outside_share >= 0.03)
        return decide(cut, facts.frame_distance >= 5)
