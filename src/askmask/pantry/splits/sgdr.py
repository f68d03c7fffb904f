"""Queries that only the picture can answer: spatial, geometric, discriminative and multi-step.

Such a query must leave a reader without the picture in the dark. So each of its targets has a
*distractor of the same kind* in the scene: another object of the very same category, which the
words for the kind fit as well and the answer does not hold. What can be known about a category, its
size, its use or where it usually stands, then says nothing. And the targets are at most half of all
that the words for the kind fit, so that taking them all does not help either.
"""

from __future__ import annotations

from askmask.pantry.language.queries import GeneratedQuery
from askmask.pantry.scene import Scene

__all__ = ["BLIND_CEILING", "DIMENSIONS", "SGDR_TAG", "dimensions", "is_sgdr"]

DIMENSIONS = ("spatial", "geometric", "discriminative", "multi-step")
"""The reasoning tags that are dimensions."""

SGDR_TAG = "sgdr"
"""Tag of the queries that hold what this module promises."""

BLIND_CEILING = 0.5
"""Largest share of targets among what the words for their kind fit."""


def dimensions(query: GeneratedQuery) -> tuple[str, ...]:
    """The dimensions that a query is tagged with, whether guaranteed or not."""
    return tuple(name for name in DIMENSIONS if f"reasoning:{name}" in query.tags)


def is_sgdr(scene: Scene, query: GeneratedQuery) -> bool:
    """Whether a query of `scene` has a dimension and needs the picture."""
    if not query.targets or not dimensions(query):
        return False
    fitting = len(query.targets) + len(query.rivals)
    rivals = {scene.objects[one].category for one in query.rivals}
    return len(query.targets) <= BLIND_CEILING * fitting and all(
        scene.objects[one].category in rivals for one in query.targets
    )
