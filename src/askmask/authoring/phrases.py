"""Referring phrases for the instances of a picture, each true of exactly its targets.

What is near to call is not said: positions and sizes must differ clearly, in what is visible and in
the complete shapes alike. Phrases know the annotated instances only; where a picture holds others
that nobody annotated, "the leftmost individual" may be one of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.authoring.clean import names_class
from askmask.authoring.lexicon import Word, class_of, words_for
from askmask.authoring.picture import AnnotatedPicture

__all__ = ["Phrase", "join", "phrases_for"]

_APART = 0.06
"""Share of the picture's side by which centres must differ for one to be further left, …."""

_LARGER = 1.5
"""Ratio of areas from which one is called larger."""

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_ORDINALS = ("second", "third")
_SIDES = (
    ("x", False, ("the leftmost {}", "the {} farthest to the left", "the {} on the far left")),
    ("x", True, ("the rightmost {}", "the {} farthest to the right", "the {} on the far right")),
    ("y", False, ("the topmost {}", "the {} highest up in the picture", "the uppermost {}")),
    ("y", True, ("the lowest {} in the picture", "the {} nearest to the bottom edge")),
)
_SIZES = (
    (True, ("the largest {}", "the {} that takes up the most room")),
    (False, ("the smallest {}", "the {} that takes up the least room")),
)
_SOME = (" of ", " to ", " for ", " with ", " on ", " between ", " in ")


@dataclass(frozen=True)
class Phrase:
    """Words for some instances.

    Attributes:
        text: a noun phrase with its article.
        numbers: of the instances that it means.
        names_one: whether the phrase is a plain name, short enough to stand inside another one.
    """

    text: str
    numbers: frozenset[int]
    names_one: bool = False

    @property
    def is_plural(self) -> bool:
        """Whether it means several instances."""
        return len(self.numbers) > 1


@dataclass(frozen=True, eq=False)
class _Facts:
    """Places and sizes of N instances; index k is the instance of number k + 1."""

    centre: dict[str, NDArray[np.float64]]
    low: dict[str, NDArray[np.float64]]
    high: dict[str, NDArray[np.float64]]
    side: dict[str, int]
    visible: NDArray[np.float64]
    complete: NDArray[np.float64]

    @classmethod
    def of(cls, picture: AnnotatedPicture) -> _Facts:
        boxes = np.array([one.box_xyxy for one in picture.instances], float).reshape(-1, 4)
        return cls(
            centre={"x": boxes[:, [0, 2]].mean(1), "y": boxes[:, [1, 3]].mean(1)},
            low={"x": boxes[:, 0], "y": boxes[:, 1]},
            high={"x": boxes[:, 2], "y": boxes[:, 3]},
            side={"x": picture.record.width, "y": picture.record.height},
            visible=np.array([one.visible for one in picture.instances], float),
            complete=np.array([one.complete for one in picture.instances], float),
        )

    def ranked(self, places: Sequence[int], axis: str) -> list[int] | None:
        """The places from low to high; None unless all are clearly apart."""
        order = sorted(places, key=lambda one: self.centre[axis][one])
        gaps = np.diff(self.centre[axis][order])
        return order if (gaps >= _APART * self.side[axis]).all() else None

    def extreme(self, places: Sequence[int], axis: str, *, high: bool) -> int | None:
        """The place that is clearly farthest to one side, by its centre and by its edge."""
        sign = -1 if high else 1
        centre = sign * self.centre[axis][list(places)]
        edge = sign * (self.high if high else self.low)[axis][list(places)]
        first, second = np.argsort(centre)[:2]
        clear = centre[second] - centre[first] >= _APART * self.side[axis]
        return places[int(first)] if clear and edge[first] == edge.min() else None

    def largest(self, places: Sequence[int], *, smallest: bool) -> int | None:
        """The place that is clearly largest, or smallest, in what shows and as a whole."""
        found = set()
        for area in (self.visible, self.complete):
            values = np.log(area[list(places)]) * (-1 if smallest else 1)
            second, first = np.argsort(values)[-2:]
            found.add(int(first) if values[first] - values[second] >= np.log(_LARGER) else -1)
        best = found.pop()
        return places[best] if not found and best >= 0 else None

    def is_beside(self, one: int, other: int) -> str | None:
        """Tell to that side of `other`, at about its height."""
        x0, x1 = self.low["x"], self.high["x"]
        overlap = min(self.high["y"][one], self.high["y"][other])
        overlap -= max(self.low["y"][one], self.low["y"][other])
        if overlap <= 0:
            return None
        if x1[one] <= x0[other]:
            return "left"
        return "right" if x0[one] >= x1[other] else None

    def may_be(self, one: int, other: int, side: str) -> bool:
        """Whether somebody might say that `one` is to that side of `other`."""
        apart = self.centre["x"][one] - self.centre["x"][other]
        return bool(apart < 0 if side == "left" else apart > 0)


def _is_long(word: Word) -> bool:
    """Whether a noun has an ending of its own, so that a further one would mislead."""
    return any(part in f" {word.one} " for part in _SOME)


def _of_several(word: Word, places: Sequence[int], facts: _Facts) -> Iterator[Phrase]:
    """Phrases for all, or for one, of several instances that a noun covers."""
    numbers = frozenset(place + 1 for place in places)
    yield Phrase(f"all the {word.many}", numbers)
    yield Phrase(f"every {word.one}", numbers)
    if len(places) == 2:
        yield Phrase(f"both {word.many}", numbers)
    elif len(places) in _NUMBERS:
        yield Phrase(f"the {_NUMBERS[len(places)]} {word.many}", numbers)
    for axis, high, templates in _SIDES:
        best = facts.extreme(places, axis, high=high)
        if best is not None:
            for template in templates[:1] if _is_long(word) else templates:
                yield Phrase(template.format(word.one), frozenset({best + 1}))
    for large, templates in _SIZES:
        best = facts.largest(places, smallest=not large)
        if best is not None:
            for template in templates[:1] if _is_long(word) else templates:
                yield Phrase(template.format(word.one), frozenset({best + 1}))
    order = facts.ranked(places, "x")
    if order is not None and len(order) >= 3:
        for rank, ordinal in enumerate(_ORDINALS[: len(order) - 2], 1):
            yield Phrase(f"the {ordinal} {word.one} from the left", frozenset({order[rank] + 1}))
            yield Phrase(
                f"the {ordinal} {word.one} from the right", frozenset({order[-1 - rank] + 1})
            )


def _beside(
    word: Word, places: Sequence[int], anchors: Sequence[Phrase], facts: _Facts
) -> Iterator[Phrase]:
    """Phrases such as "the animal to the left of the vehicle", where only one of several is."""
    for anchor in anchors:
        at = next(iter(anchor.numbers)) - 1
        if at in places:
            continue
        for side in ("left", "right"):
            clear = [one for one in places if facts.is_beside(one, at) == side]
            if len(clear) == 1 and sum(facts.may_be(one, at, side) for one in places) == 1:
                yield Phrase(
                    f"the {word.one} to the {side} of {anchor.text}", frozenset({clear[0] + 1})
                )


def _fits(phrase: Phrase, picture: AnnotatedPicture) -> bool:
    """Whether a phrase keeps the class names of its targets to itself."""
    names = {picture.by_number[number].entity.category for number in phrase.numbers}
    return names_class(phrase.text, names) is None


def _of_words(words: Sequence[Word], classes: Sequence[str], facts: _Facts) -> list[Phrase]:
    """All phrases with some words, about instances of these classes."""
    groups = [
        (word, [place for place, name in enumerate(classes) if name in word.covers])
        for word in words
    ]
    found = []
    for word, places in groups:
        if len(places) == 1:
            whole = word.many is None
            text = word.one if whole else f"the {word.one}"
            short = not whole and not _is_long(word)
            found.append(Phrase(text, frozenset({places[0] + 1}), names_one=short))
        elif word.many is not None and len(places) > 1:
            found.extend(_of_several(word, places, facts))
    anchors = [phrase for phrase in found if phrase.names_one]
    for word, places in groups:
        if word.many is not None and len(places) > 1 and not _is_long(word):
            found.extend(_beside(word, places, anchors, facts))
    return found


def phrases_for(picture: AnnotatedPicture) -> tuple[Phrase, ...]:
    """All phrases of the grammar that fit a picture; none for a picture without instances.

    Words that say nothing ("the leftmost object") serve only for instances that nothing else names.
    """
    classes = [class_of(one.entity.category) for one in picture.instances]
    facts = _Facts.of(picture)
    words = words_for(classes)
    telling = [word for word in words if not word.says_nothing]
    found = [p for p in _of_words(telling, classes, facts) if _fits(p, picture)]
    named = frozenset().union(*(phrase.numbers for phrase in found))
    vague = _of_words([word for word in words if word.says_nothing], classes, facts)
    found += [p for p in vague if not p.numbers <= named and _fits(p, picture)]
    return tuple(dict.fromkeys(found))


def join(phrases: Sequence[Phrase]) -> Phrase:
    """One phrase for the targets of several: "the animal, the vehicle and both seats"."""
    *front, last = [phrase.text for phrase in phrases]
    text = f"{', '.join(front)} and {last}" if front else last
    return Phrase(text, frozenset().union(*(phrase.numbers for phrase in phrases)))
