"""Which patterns are drawn for which purpose, and which names fit into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from askmask.pantry.language import banks
from askmask.pantry.language.banks import Pattern, Pool
from askmask.pantry.language.meaning import SELECTORS, Expression, target_children

__all__ = ["DESCRIBING", "anchor_patterns", "name_forms", "patterns_for_lie", "usable_patterns"]

DESCRIBING = ("category", "class", "function", "attribute")
"""Operations that describe an object by words."""

_DEFINITE = re.compile(r"(\b(the|my|this|our)( \{A2?\})*|^) \{N\d?\}$|^(\{A2?\} )*\{N\d?\}$")
_AGREES = re.compile(
    r"\b(is|has|was|does|looks?|stands|sits|lies|comes|that|which|one|its?|whichever|"
    r"happens|single|lone|object|thing)\b"
)
_COUNTED = re.compile(r"\b(one|only|lone|single|another|other|same|two|twin|pair|last)\b")


@cache
def usable_patterns(pool: Pool) -> Mapping[str, tuple[Pattern, ...]]:
    """Kind -> patterns of a pool whose operations can be evaluated; short ones thrice."""
    found: dict[str, list[Pattern]] = {}
    for pattern in banks.patterns():
        ops = {part.op for part in pattern.meaning.walk()}
        if ops & {"has_part", "part_of"}:
            continue
        if pattern.is_open or pattern.pool == pool:
            kind = "function" if "function" in ops and pattern.kind == "plain" else pattern.kind
            weight = 3 if len(pattern.text.split()) <= 5 else 1
            found.setdefault(kind, []).extend([pattern] * weight)
    return {kind: tuple(patterns) for kind, patterns in found.items()}


_LIABLE = {
    "class": "category",
    "sibling": "category",
    "colour": "attribute",
    "swapped": "attribute",
    "superclass": "class",
    "function": "function",
}


@cache
def patterns_for_lie(pool: Pool, kind: str) -> Mapping[str, tuple[Pattern, ...]]:
    """Kind of pattern -> patterns in which a lie of that kind can be told."""
    op = _LIABLE.get(kind)
    found = {}
    for name, patterns in usable_patterns(pool).items():
        fitting = tuple(p for p in patterns if _can_lie(p.meaning, op))
        if fitting:
            found[name] = fitting
    return found


def _can_lie(meaning: Expression, op: str | None) -> bool:
    """Whether `op` occurs among the words for targets; None asks for any relation."""
    if op == "category" and any(part.op == "function" for part in meaning.walk()):
        return False  # "the milk that serves as something to cut with" is no plausible mistake
    if op is not None:
        children = target_children(meaning)
        return meaning.op == op or any(_can_lie(child, op) for child in children)
    structural = {"scene", "ref", "the", "all", "any", "count", "and", "or", "not", "except"}
    ops = {part.op for part in meaning.walk()}
    return bool(ops - structural - set(DESCRIBING) - SELECTORS)


@cache
def anchor_patterns(pool: Pool) -> tuple[Pattern, ...]:
    """Patterns for one object that may stand inside another phrase."""
    kinds = ("plain", "attribute", "spatial", "geometric")
    return tuple(
        pattern
        for kind in kinds
        for pattern in usable_patterns(pool)[kind]
        if pattern.number == "sg"
        and not {"R", "R2", "F"} & set(pattern.slots)
        and pattern.text.startswith("the ")
        and "," not in pattern.text
        and not pattern.partly_hidden
    )


@cache
def name_forms(pattern_text: str, key: str) -> frozenset[str]:
    """Which names fit a noun slot: "count" always, "mass" and "plural" where articles allow."""
    tail = key[1:]
    many, single = "{Ns" + tail + "}", "{N" + tail + "}"
    if many in pattern_text or _COUNTED.search(pattern_text):
        return frozenset({"count"})
    ends = [match.end() for match in re.finditer(re.escape(single), pattern_text)]
    definite = all(_DEFINITE.search(pattern_text[:end]) for end in ends)
    if not definite:
        return frozenset({"count"})
    agrees = not _AGREES.search(pattern_text) and "this {" not in pattern_text
    return frozenset({"count", "mass", "plural"} if agrees else {"count", "mass"})
