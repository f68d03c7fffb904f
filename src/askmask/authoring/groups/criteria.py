"""Five criteria by which objects are grouped: category, attribute, location, relation, free form.

Each draws one group at random from a picture: the phrase and the truth for every object. None means
that nothing of the kind can be said there; UnclearError that the answer cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from askmask.authoring.groups.clauses import (
    Anchor,
    Clause,
    attribute,
    location,
    pick,
    relation,
    relation_to_two,
)
from askmask.authoring.groups.picture import Picture
from askmask.authoring.groups.words import heads, join, one_and_many
from askmask.pantry.language.truth import TRUE, UNCLEAR, Truth
from askmask.rle import RLE

__all__ = ["Criterion", "Group", "UnclearError", "draw"]

_ABSENT = 0.2
"""Chance that a category is asked for which the picture lacks; kept only where none is wanted."""

_NEEDLESS = 0.3
"""Chance to keep a true clause without which the phrase would mean the same."""


class Criterion(StrEnum):
    """What the members of a group have in common."""

    CATEGORY = "category"
    ATTRIBUTE = "attribute"
    LOCATION = "location"
    RELATION = "relation"
    FREE_FORM = "free-form"


class UnclearError(Exception):
    """It cannot be told which objects a phrase means; it is not used."""


@dataclass(frozen=True)
class Group:
    """Some objects of a picture and the words for them.

    Attributes:
        phrase: e.g. "the dogs to the left of [1]".
        members: indices of the objects that are meant, ascending.
        references: indices of the objects that `[1]`, `[2]` point at.
        ignore: crowds that may hold further members.
        tags: what a model needs to understand the phrase, e.g. "reasoning:spatial".
    """

    phrase: str
    members: tuple[int, ...]
    references: tuple[int, ...] = ()
    ignore: tuple[RLE, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Noun:
    """A noun with the truth for every object; `crowds` are regions that it also means."""

    one: str
    many: str
    truth: Truth
    crowds: tuple[RLE, ...] = ()


def _noun(picture: Picture, category: str) -> _Noun:
    """The noun for a category; UnclearError where objects of it may be missing."""
    if category in picture.incomplete:
        raise UnclearError
    crowds = tuple(crowd.modal for crowd in picture.crowds_of(frozenset([category])))
    return _Noun(*one_and_many(category), picture.of_category(category), crowds)


def _thing(picture: Picture) -> _Noun:
    """Any object; for sources in which every object is annotated."""
    return _Noun("object", "objects", np.full(picture.n, TRUE))


def _pick_from(values: list[str], rng: np.random.Generator) -> str | None:
    return values[int(rng.integers(len(values)))] if values else None


def _some_noun(picture: Picture, rng: np.random.Generator, complete: bool) -> _Noun | None:
    """A noun for objects of the picture; common categories are drawn more often."""
    if complete and picture.n and not picture.crowds and rng.random() < 0.2:
        return _thing(picture)
    category = _pick_from([one.category for one in picture.objects], rng)
    return None if category is None else _noun(picture, category)


def _references(picture: Picture, rng: np.random.Generator, count: int) -> list[Anchor] | None:
    """Objects to point at, in the order in which the sentence will name them."""
    if len(picture.to_point_at) < count:
        return None
    chosen = rng.choice(picture.to_point_at, count, replace=False)
    return [Anchor(f"[{n}]", int(one), True) for n, one in enumerate(chosen, 1)]


def _only_one(picture: Picture, noun: _Noun, rng: np.random.Generator) -> Anchor | None:
    """An object that its category names, being the only one, and that the noun does not mean."""
    categories = [one.category for one in picture.objects]
    found = [
        Anchor(f"the {one_and_many(categories[one])[0]}", one, False)
        for one in picture.to_point_at
        if categories.count(categories[one]) == 1
        and categories[one] not in picture.incomplete
        and noun.truth[one] != TRUE
        and not picture.crowds_of(frozenset([categories[one]]))
        and not (picture.of_category(categories[one]) == UNCLEAR).any()
    ]
    return found[int(rng.integers(len(found)))] if found else None


def _members(truth: Truth) -> tuple[int, ...]:
    if (truth == UNCLEAR).any():
        raise UnclearError
    return tuple(int(one) for one in np.flatnonzero(truth == TRUE))


def _phrase(
    noun: _Noun, count: int, rng: np.random.Generator, clauses: tuple[Clause, ...] = ()
) -> str:
    """Noun phrase for `count` objects."""
    before = " ".join(clause.before for clause in clauses if clause.before)
    after = " and ".join(clause.after for clause in clauses if clause.after)
    if any(clause.picks for clause in clauses):
        head = "the {one}" if count == 1 else "the {many}"
    else:
        found = heads(count, counted=not noun.crowds)
        head = found[int(rng.integers(len(found)))]
    start, _, slot = head.rpartition(" ")
    return join(start, before, noun.one if slot == "{one}" else noun.many, after)


def _group(noun: _Noun, rng: np.random.Generator, clauses: tuple[Clause, ...] = ()) -> Group | None:
    """The objects for which the noun and all clauses hold."""
    truth = np.minimum.reduce([noun.truth, *(clause.truth for clause in clauses)])
    members = _members(truth)
    if noun.crowds and (not members or any(clause.picks for clause in clauses)):
        return None
    anchors = [anchor for clause in clauses for anchor in clause.anchors]
    return Group(
        _phrase(noun, len(members), rng, clauses),
        members,
        tuple(anchor.index for anchor in anchors if anchor.is_reference),
        noun.crowds,
        tuple(dict.fromkeys(clause.tag for clause in clauses)),
    )


def _category(
    picture: Picture, rng: np.random.Generator, referring: bool, complete: bool
) -> Group | None:
    """E.g. "all the dogs", "the other objects of the same kind as [1]"."""
    if referring:
        return _same_kind(picture, rng, int(rng.integers(1, 3)))
    if rng.random() < _ABSENT:
        category = _pick_from([one for one in picture.others if _is_far(one, picture)], rng)
    else:
        category = _pick_from(sorted({one.category for one in picture.objects}), rng)
    return None if category is None else _group(_noun(picture, category), rng)


def _is_far(category: str, picture: Picture) -> bool:
    """Whether a category shares no word with those of the picture, so that its absence is sure."""
    words = set(category.lower().replace("_", " ").split()) - {"of"}
    return all(
        not words & set(one.category.lower().replace("_", " ").split())
        for one in picture.record.entities
    )


def _same_kind(picture: Picture, rng: np.random.Generator, count: int) -> Group | None:
    anchors = _references(picture, rng, count)
    if anchors is None:
        return None
    kinds = [picture.objects[anchor.index].category for anchor in anchors]
    if len(set(kinds)) < count:
        return None
    nouns = [_noun(picture, kind) for kind in kinds]
    pointed_at = {anchor.index for anchor in anchors}
    alike = _members(np.maximum.reduce([noun.truth for noun in nouns]))
    members = tuple(one for one in alike if one not in pointed_at)
    crowds = tuple(crowd for noun in nouns for crowd in noun.crowds)
    if crowds and not members:
        return None
    names = " or ".join(anchor.words for anchor in anchors)
    others = "the other object" if len(members) == 1 and not crowds else "all the other objects"
    wording = (
        f"{others} of the same kind as {names}",
        f"everything else of the same category as {names}",
        f"all others of the kind of {names}",
    )[int(rng.integers(3))]
    return Group(wording, members, tuple(anchor.index for anchor in anchors), crowds)


_Maker = Callable[[Picture, Truth, np.random.Generator, Anchor | None], Clause | None]


def _narrowed(
    picture: Picture, rng: np.random.Generator, referring: bool, complete: bool, maker: _Maker
) -> Group | None:
    """A noun with one clause."""
    noun = _some_noun(picture, rng, complete)
    if noun is None:
        return None
    anchor: Anchor | None = None
    if referring:
        anchors = _references(picture, rng, 1)
        if anchors is None:
            return None
        anchor = anchors[0]
    elif maker is relation:
        anchor = _only_one(picture, noun, rng)
    clause = maker(picture, noun.truth, rng, anchor)
    if clause is None or (not _narrows(clause, noun) and rng.random() >= _NEEDLESS):
        return None
    return _group(noun, rng, (clause,))


def _narrows(clause: Clause, noun: _Noun) -> bool:
    """Whether the clause leaves out something that the noun alone means."""
    return bool(((noun.truth == TRUE) & (clause.truth != TRUE)).any())


def _relation(
    picture: Picture, rng: np.random.Generator, referring: bool, complete: bool
) -> Group | None:
    """E.g. "the cup closest to [1]", "all cups between [1] and [2]"."""
    if not referring or rng.random() < 0.8:
        return _narrowed(picture, rng, referring, complete, relation)
    noun, anchors = _some_noun(picture, rng, complete), _references(picture, rng, 2)
    if noun is None or anchors is None:
        return None
    return _group(noun, rng, (relation_to_two(picture, *anchors),))


def _free_form(
    picture: Picture, rng: np.random.Generator, referring: bool, complete: bool
) -> Group | None:
    """Two things said at once: unions, exceptions, choices among the narrowed, two anchors."""
    choices = (_all_but, _together, _of_two) if referring else (_union, _except, _chained, _among)
    return choices[int(rng.integers(len(choices)))](picture, rng)


def _joined(parts: list[Group], words: str, tags: tuple[str, ...]) -> Group:
    members = sorted({one for part in parts for one in part.members})
    references = tuple(one for part in parts for one in part.references)
    ignore = tuple(crowd for part in parts for crowd in part.ignore)
    return Group(words, tuple(members), references, ignore, tags)


def _union(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "the dogs and the ball"."""
    categories = sorted({one.category for one in picture.objects})
    if len(categories) < 2:
        return None
    chosen = rng.choice(len(categories), 2, replace=False)
    parts = [_group(_noun(picture, categories[int(one)]), rng) for one in chosen]
    found = [part for part in parts if part is not None and part.members]
    if len(found) < 2:
        return None
    return _joined(found, " and ".join(part.phrase for part in found), ())


def _except(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "all the dogs except the leftmost one"."""
    noun = _some_noun(picture, rng, complete=False)
    if noun is None or noun.crowds:
        return None
    chosen = pick(picture, noun.truth, rng)
    if chosen is None:
        return None
    members, left_out = _members(noun.truth), _members(chosen.truth)
    rest = tuple(one for one in members if one not in left_out)
    ones = "one" if len(left_out) == 1 else "ones"
    phrase = join(f"all the {noun.many} except the", chosen.before, ones, chosen.after)
    if len(members) < 3:
        return None
    return Group(phrase, rest, tags=(chosen.tag, "reasoning:multi-step"))


def _chained(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "the red cups in the left half of the picture"."""
    noun = _some_noun(picture, rng, complete=False)
    if noun is None:
        return None
    clauses = [maker(picture, noun.truth, rng, None) for maker in (attribute, location)]
    kept = tuple(clause for clause in clauses if clause is not None and not clause.picks)
    if len(kept) < 2:
        return None
    return _multi_step(_group(noun, rng, kept))


def _among(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "the leftmost one of the cups in the lower half of the picture"."""
    noun = _some_noun(picture, rng, complete=False)
    if noun is None or noun.crowds:
        return None
    clause = location(picture, noun.truth, rng, None)
    if clause is None or clause.picks:
        return None
    truth = np.minimum(noun.truth, clause.truth)
    candidates = _members(truth)
    chosen = pick(picture, truth, rng)
    if chosen is None:
        return None
    members = _members(chosen.truth)
    # "lowest in the picture" is said once, by the clause that narrows.
    ones = "one" if len(members) == 1 else "ones"
    inner = _phrase(noun, len(candidates), rng, (clause,)).removeprefix("all ")
    inner = inner if inner.startswith("the ") else f"the {noun.many} {clause.after}"
    phrase = join("the", chosen.before, ones, "of", inner)
    return Group(phrase, members, tags=(clause.tag, "reasoning:multi-step"))


def _all_but(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "all the dogs except [1]"."""
    count = int(rng.integers(1, 3))
    anchors = _references(picture, rng, count)
    if anchors is None:
        return None
    kinds = {picture.objects[anchor.index].category for anchor in anchors}
    if len(kinds) > 1:
        return None
    noun = _noun(picture, kinds.pop())
    pointed_at = tuple(anchor.index for anchor in anchors)
    rest = tuple(one for one in _members(noun.truth) if one not in pointed_at)
    names = " and ".join(anchor.words for anchor in anchors)
    word = ("except", "but not", "other than")[int(rng.integers(3))]
    if not rest:
        return None
    return Group(f"all the {noun.many} {word} {names}", rest, pointed_at, noun.crowds)


def _together(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "[1] together with the dogs to the left of it"."""
    group = _narrowed(picture, rng, True, False, location)
    if group is None or not group.members:
        return None
    anchor = group.references[0]
    words = group.phrase.replace("[1]", "it")
    members = tuple(sorted((*group.members, anchor)))
    phrase = f"[1] together with {words}"
    return _multi_step(Group(phrase, members, group.references, group.ignore, group.tags))


def _of_two(picture: Picture, rng: np.random.Generator) -> Group | None:
    """E.g. "the cups to the left of [1] and taking up more of the picture than [2]"."""
    noun, anchors = _some_noun(picture, rng, complete=False), _references(picture, rng, 2)
    if noun is None or anchors is None:
        return None
    first = location(picture, noun.truth, rng, anchors[0])
    second = attribute(picture, noun.truth, rng, anchors[1])
    if first is None or second is None:
        return None
    return _multi_step(_group(noun, rng, (first, second)))


def _multi_step(group: Group | None) -> Group | None:
    if group is None:
        return None
    tags = tuple(dict.fromkeys((*group.tags, "reasoning:multi-step")))
    return Group(group.phrase, group.members, group.references, group.ignore, tags)


def draw(
    picture: Picture,
    criterion: Criterion,
    rng: np.random.Generator,
    *,
    referring: bool,
    complete: bool = False,
) -> Group | None:
    """Draw one group.

    Args:
        picture: the measured picture.
        criterion: what the members have in common.
        rng: source of chance.
        referring: whether the phrase points at reference masks.
        complete: whether every object of the picture is annotated, so that "objects" can be said.

    Returns:
        The group, perhaps without members, or None when this draw gave nothing to say.

    Raises:
        UnclearError: when the answer of the phrase that was drawn cannot be told.
    """
    if criterion is Criterion.CATEGORY:
        return _category(picture, rng, referring, complete)
    if criterion is Criterion.ATTRIBUTE:
        return _narrowed(picture, rng, referring, complete, attribute)
    if criterion is Criterion.LOCATION:
        return _narrowed(picture, rng, referring, complete, location)
    if criterion is Criterion.RELATION:
        return _relation(picture, rng, referring, complete)
    return _free_form(picture, rng, referring, complete)
