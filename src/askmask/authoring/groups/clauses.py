"""What can be said about objects of a picture, with the truth of it for each of them.

A clause narrows a noun: "red", "in the left half of the picture", "closest to [1]". Its words stand
before or after the noun. What cannot be told is UNCLEAR, and a sentence on which the answer hangs
is not used. Clauses that pick ("the two leftmost") look at all candidates at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from askmask.authoring.groups.picture import Picture
from askmask.authoring.groups.words import NUMERALS
from askmask.pantry.language.facts import Floats
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, UNDEFINED, Truth, decide
from askmask.pantry.language.vocabulary import neighbours

__all__ = ["Anchor", "Clause", "attribute", "location", "pick", "relation", "relation_to_two"]

_SIZE_RATIO = 1.25
_PICK_RATIO = 1.2
_PICK_MARGIN = 0.02
"""Share of the picture's side that parts the last one picked from the next."""

_MOST_PICKED = 3
_ORDINALS = ("second", "third", "fourth")

_KEYS = {"colour": "colour", "color": "colour", "material": "material"}
"""Keys of annotated attributes that can be said, and what they are called."""


@dataclass(frozen=True)
class Anchor:
    """An object that a clause points at: a reference, "[1]", or the only one of its kind."""

    words: str
    index: int
    is_reference: bool


@dataclass(frozen=True)
class Clause:
    """Words about objects, and their truth.

    Attributes:
        truth: (N,) whether it holds for each object.
        before: adjectives.
        after: the rest, e.g. "to the left of [1]".
        anchors: what it points at.
        picks: whether it hangs on all candidates, so that uncounted ones would change it.
        tag: what a model needs to understand it, e.g. "reasoning:spatial".
    """

    truth: Truth
    before: str = ""
    after: str = ""
    anchors: tuple[Anchor, ...] = ()
    picks: bool = False
    tag: str = "reasoning:spatial"


def _draw(rng: np.random.Generator, makers: Sequence[Callable[[], Clause | None]]) -> Clause | None:
    """The clause of the first maker, in random order, that has one."""
    for place in rng.permutation(len(makers)):
        clause = makers[int(place)]()
        if clause is not None:
            return clause
    return None


def attribute(
    picture: Picture, among: Truth, rng: np.random.Generator, anchor: Anchor | None
) -> Clause | None:
    """A clause about colour, material or size, on its own or as compared with the anchor."""
    if anchor is None:
        return _draw(
            rng,
            (
                lambda: _annotated(picture, among, rng),
                lambda: _by_size(picture, among, rng),
            ),
        )
    return _draw(
        rng,
        (lambda: _shared(picture, anchor, rng), lambda: _size_beside(picture, anchor, rng)),
    )


def _said(picture: Picture, key: str) -> list[str | None]:
    """Value of an annotated attribute for each object, None where there is none."""
    values = [one.attributes.get(key) for one in picture.objects]
    return [value.lower() if isinstance(value, str) and value else None for value in values]


def _holds(values: Sequence[str | None], wanted: str) -> Truth:
    """TRUE for the value, UNCLEAR for none and for colours that people mix up."""
    close = set(neighbours(wanted))
    return np.array(
        [
            TRUE if value == wanted else UNCLEAR if value is None or value in close else FALSE
            for value in values
        ],
        np.int8,
    )


def _annotated(picture: Picture, among: Truth, rng: np.random.Generator) -> Clause | None:
    """E.g. "red" or "made of glass"; said only where the candidates differ in it."""
    found = []
    for key, name in _KEYS.items():
        values = _said(picture, key)
        shown = {values[one] for one in np.flatnonzero(among == TRUE)} - {None}
        found += [(name, values, str(value)) for value in sorted(map(str, shown)) if len(shown) > 1]
    if not found:
        return None
    name, values, wanted = found[int(rng.integers(len(found)))]
    truth = _holds(values, wanted)
    if name == "colour":
        return Clause(truth, before=wanted, tag="reasoning:discriminative")
    return Clause(truth, after=f"made of {wanted}", tag="reasoning:discriminative")


def _by_size(picture: Picture, among: Truth, rng: np.random.Generator) -> Clause | None:
    """E.g. "the two largest … in the picture": visible and complete areas must agree."""
    sign, word = ((-1, "largest"), (1, "smallest"))[int(rng.integers(2))]
    orders = [sign * np.log(area) for area in (picture.area, picture.whole_area)]
    clause = _picked(picture, among, orders, np.log(_PICK_RATIO), rng, word, "in the picture")
    return clause and _tagged(clause, "reasoning:geometric")


def _shared(picture: Picture, anchor: Anchor, rng: np.random.Generator) -> Clause | None:
    """E.g. "of the same colour as [1]"."""
    found = [
        (name, values, mine)
        for key, name in _KEYS.items()
        if (mine := (values := _said(picture, key))[anchor.index])
    ]
    if not found:
        return None
    name, values, mine = found[int(rng.integers(len(found)))]
    truth = _beside(anchor, _holds(values, mine))
    after = f"of the same {name} as {anchor.words}"
    return Clause(truth, after=after, anchors=(anchor,), tag="reasoning:discriminative")


def _size_beside(picture: Picture, anchor: Anchor, rng: np.random.Generator) -> Clause:
    """E.g. "taking up more of the picture than [1]": what counts is what shows."""
    more = bool(rng.integers(2))
    ratio = picture.area / picture.area[anchor.index]
    ratio = ratio if more else 1 / ratio
    truth = _beside(anchor, decide(ratio >= _SIZE_RATIO, ratio <= 1).astype(np.int8))
    after = f"taking up {'more' if more else 'less'} of the picture than {anchor.words}"
    return Clause(truth, after=after, anchors=(anchor,), tag="reasoning:geometric")


def _beside(anchor: Anchor, truth: Truth) -> Truth:
    """The truth for all but the anchor, which nobody means."""
    truth = truth.copy()
    truth[anchor.index] = UNDEFINED
    return truth


def location(
    picture: Picture, among: Truth, rng: np.random.Generator, anchor: Anchor | None
) -> Clause | None:
    """A clause about the place in the picture, on its own or as seen from the anchor."""
    if anchor is None:
        return _draw(
            rng,
            (
                lambda: _half(picture, rng),
                lambda: pick(picture, among, rng),
                lambda: _nth(picture, among, rng),
                lambda: Clause(picture.at_edge(), after="touching the edge of the picture"),
            ),
        )
    name, words = (
        ("left_of", "to the left of"),
        ("right_of", "to the right of"),
        ("above,image", "higher up in the picture than"),
        ("below,image", "lower down in the picture than"),
    )[int(rng.integers(4))]
    truth = picture.relation(name, anchor.index)
    return Clause(truth, after=f"{words} {anchor.words}", anchors=(anchor,))


def _half(picture: Picture, rng: np.random.Generator) -> Clause:
    side = ("left", "right", "upper", "lower")[int(rng.integers(4))]
    return Clause(picture.in_half(side), after=f"in the {side} half of the picture")


def pick(picture: Picture, among: Truth, rng: np.random.Generator) -> Clause | None:
    """E.g. "two leftmost": centroids decide, and the outer borders of the boxes must agree."""
    height, width = picture.size_hw
    plane = picture.modal
    word, orders, side = (
        ("leftmost", [plane.cx, plane.x0], width),
        ("rightmost", [-plane.cx, -plane.x1], width),
        ("topmost", [plane.cy, plane.y0], height),
        ("lowest", [-plane.cy, -plane.y1], height),
    )[int(rng.integers(4))]
    after = "in the picture" if side == height else ""
    return _picked(picture, among, orders, _PICK_MARGIN * side, rng, word, after)


def _nth(picture: Picture, among: Truth, rng: np.random.Generator) -> Clause | None:
    """E.g. "the second … from the left": every rank up to the next one is clear."""
    candidates = np.flatnonzero(among == TRUE)
    place = int(rng.integers(1, len(_ORDINALS) + 1))
    if (among == UNCLEAR).any() or len(candidates) <= place:
        return None
    side, sign = (("left", 1), ("right", -1))[int(rng.integers(2))]
    values = sign * picture.modal.cx[candidates]
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order])[: place + 1]
    if (steps < _PICK_MARGIN * picture.size_hw[1]).any():
        return None
    truth = np.full(picture.n, FALSE)
    truth[candidates[order[place]]] = TRUE
    return Clause(truth, _ORDINALS[place - 1], f"from the {side}", picks=True)


def relation(
    picture: Picture, among: Truth, rng: np.random.Generator, anchor: Anchor | None
) -> Clause | None:
    """A clause about nearness, contact or cover; None without an anchor."""
    if anchor is None:
        return None
    return _draw(
        rng,
        (
            lambda: _nearest(picture, among, rng, anchor),
            lambda: _touching(picture, anchor),
            lambda: _covering(picture, anchor),
        ),
    )


def _nearest(
    picture: Picture, among: Truth, rng: np.random.Generator, anchor: Anchor
) -> Clause | None:
    centres, gaps = picture.distances(anchor.index)
    among = _beside(anchor, among)
    sign, word = ((1, "closest to"), (-1, "farthest from"))[int(rng.integers(2))]
    orders = [sign * np.log(np.maximum(centres, 1)), sign * gaps]
    after = f"{word} {anchor.words} in the picture"
    clause = _picked(picture, among, orders, np.log(_PICK_RATIO), rng, "", after)
    return clause and Clause(
        _beside(anchor, clause.truth), clause.before, clause.after, (anchor,), picks=True
    )


def _touching(picture: Picture, anchor: Anchor) -> Clause:
    after = f"touching {anchor.words} in the picture"
    return Clause(picture.touching(anchor.index), after=after, anchors=(anchor,))


def _covering(picture: Picture, anchor: Anchor) -> Clause | None:
    truth = picture.covering(anchor.index)
    if truth is None or not (truth == TRUE).any():
        return None
    return Clause(truth, after=f"covering a part of {anchor.words}", anchors=(anchor,))


def relation_to_two(picture: Picture, first: Anchor, second: Anchor) -> Clause:
    """E.g. "between [1] and [2]", from left to right."""
    left, right = (
        picture.relation("left_of", first.index),
        picture.relation("right_of", first.index),
    )
    left_too = picture.relation("left_of", second.index)
    right_too = picture.relation("right_of", second.index)
    truth = np.maximum(np.minimum(right, left_too), np.minimum(left, right_too))
    truth = _beside(second, _beside(first, truth))
    after = f"between {first.words} and {second.words}, from left to right"
    return Clause(truth, after=after, anchors=(first, second))


def _picked(
    picture: Picture,
    among: Truth,
    orders: Sequence[Floats],
    margin: float,
    rng: np.random.Generator,
    word: str,
    after: str,
) -> Clause | None:
    """The k candidates that come first, k drawn; None when that is not clear.

    The first order decides, with a margin between the last one picked and the next; by the others
    no candidate that stays behind may come before one that is picked.
    """
    candidates = np.flatnonzero(among == TRUE)
    if (among == UNCLEAR).any() or len(candidates) < 2:
        return None
    count = int(rng.integers(1, min(_MOST_PICKED, len(candidates) - 1) + 1))
    ranked = candidates[np.argsort(orders[0][candidates], kind="stable")]
    chosen, rest = ranked[:count], ranked[count:]
    gaps = [float(order[rest].min() - order[chosen].max()) for order in orders]
    if gaps[0] < margin or min(gaps) < 0:
        return None
    truth = np.full(picture.n, FALSE)
    truth[chosen] = TRUE
    before = " ".join(part for part in (NUMERALS[count] if count > 1 else "", word) if part)
    return Clause(truth, before, after, picks=True)


def _tagged(clause: Clause, tag: str) -> Clause:
    return Clause(clause.truth, clause.before, clause.after, clause.anchors, clause.picks, tag)
