"""What a query tests, read off its phrase and its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from askmask.pantry.language.banks import Frame, fingerprint
from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.frames import BARE
from askmask.pantry.language.meaning import Expression
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.vocabulary import ClassPhrase, Description, Name

__all__ = ["phrase_tags", "wordings"]

_SPATIAL_OPS = (
    "left_of right_of above below in_front_of behind between adjacent_to on leftmost rightmost "
    "topmost bottommost nearest_to_camera farthest_from_camera nearest_to farthest_from "
    "nth_from_left nth_from_right occluding occluded_by unoccluded touching_frame"
)
_GEOMETRIC_OPS = (
    "larger_than smaller_than taller_than largest smallest tallest widest thinnest roundest "
    "most_hidden same_shape_kind_as"
)
_SPATIAL = frozenset(_SPATIAL_OPS.split())
_GEOMETRIC = frozenset(_GEOMETRIC_OPS.split())


def phrase_tags(
    phrase: Phrase, targets: Sequence[int], frame: Frame, facts: SceneFacts
) -> tuple[str, ...]:
    """Return the tags of a query, without pool and no-target."""
    ops = {part.op for part in _expressions(phrase)}
    steps = len(ops & (_SPATIAL | _GEOMETRIC)) + len(phrase.nested)
    tags = []
    if ops & _SPATIAL:
        tags.append("reasoning:spatial")
    if ops & _GEOMETRIC:
        tags.append("reasoning:geometric")
    if "function" in ops:
        tags.append("reasoning:function")
    if steps >= 2 or phrase.pattern.kind == "multi-step":
        tags.append("reasoning:multi-step")
    if "attribute" in ops:
        tags.append("attribute")
        if _tells_apart(phrase, targets, facts):
            tags.append("reasoning:discriminative")
    if not tags:
        tags.append("plain")
    if len(targets) > 1:
        tags.append("group")
    if _all_references(phrase):
        tags.append("reference")
    tags += [f"pattern:{fingerprint(text)}" for text in wordings(phrase)]
    if frame is not BARE:
        tags.append(f"frame:{fingerprint(frame.text)}")
    return tuple(tags)


def wordings(phrase: Phrase) -> Iterator[str]:
    """Yield every wording that belongs to a pool: patterns, class phrases, descriptions."""
    if not phrase.pattern.is_open:
        yield phrase.pattern.text
    for filler in phrase.fillers.values():
        if isinstance(filler, Phrase):
            yield from wordings(filler)
        elif isinstance(filler, ClassPhrase | Description):
            yield filler.text


def _expressions(phrase: Phrase) -> Iterator[Expression]:
    yield from phrase.pattern.meaning.walk()
    for inner in phrase.nested:
        yield from _expressions(inner)


def _all_references(phrase: Phrase) -> bool:
    return bool(phrase.references) or any(_all_references(inner) for inner in phrase.nested)


def _tells_apart(phrase: Phrase, targets: Sequence[int], facts: SceneFacts) -> bool:
    """Whether an attribute chooses among objects of the named class."""
    name = phrase.fillers.get("N", phrase.fillers.get("H"))
    if not isinstance(name, Name | ClassPhrase) or not targets:
        return False
    return int(np.count_nonzero(name.coverage[facts.nouns] == 3)) > len(targets)
