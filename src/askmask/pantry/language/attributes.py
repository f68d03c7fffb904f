"""Colour, material, size and sameness: (N,) truth of an adjective, (N, N) truth of "same as"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, Truth, decide
from askmask.pantry.language.vocabulary import Adjective, neighbours

__all__ = [
    "attribute",
    "colour_pair",
    "main_colour",
    "same_category",
    "same_colour",
    "same_material",
    "same_shape",
    "size_split",
]

_MOST = 0.6
"""Share of the surface that makes a colour the main one, whatever the others are."""
_MUCH, _LEAD = 0.38, 1.6
"""On printed packages this share will do, if no other colour but a shade of it comes near."""
_SHADES = frozenset({"brown", "grey", "black"})
_NEUTRAL = frozenset({"black", "grey", "white"})
_IN_SHADE = {"brown": ("yellow", "orange"), "grey": ("white",)}
"""Colour -> what may look so in the shade; with enough of that nobody can tell."""
_METAL = 0.75
"""Grey is named only when it is nearly all: else it is the metal of a can, or shade."""
_TRACE = 0.15
"""Below this share a colour is print on a package, not its colour."""
_PAIR = 0.28
"""Share that each of two named colours needs at least; together they need `_MOST`."""

_RELATED = (
    {"cardboard", "paper"},
    {"ceramic", "porcelain", "glass"},
    {"metal", "steel"},
    {"plastic", "rubber", "silicone"},
    {"textile", "leather", "plush", "cotton", "suede"},
)


def attribute(facts: SceneFacts, adjective: Adjective) -> Truth:
    """Truth of a colour, a pair of colours or a material; sizes are judged by `size_split`."""
    items = facts.scene.objects
    if adjective.kind == "material":
        return np.array([_same_stuff(item.material, adjective.value) for item in items], np.int8)
    first, _, second = adjective.value.partition("+")
    if second:
        return np.array([_two_colours(item.colours, first, second) for item in items], np.int8)
    return np.array([_colour(item.colours, first) for item in items], np.int8)


def main_colour(colours: Mapping[str, float]) -> str:
    """The colour that people would name, or "" when there is none such."""
    if not colours:
        return ""
    main, share = max(colours.items(), key=lambda pair: pair[1])
    if _maybe_shaded(colours, main, 0.2) or (main == "grey" and share < _METAL):
        return ""
    if share >= _MOST:
        return main
    rival = max((_rival(colours, name, main) for name in colours), default=0.0)
    return main if share >= _MUCH and share >= _LEAD * rival else ""


def _maybe_shaded(colours: Mapping[str, float], colour: str, enough: float) -> bool:
    """Whether a colour may be the shaded side of a lighter one."""
    return sum(colours.get(lit, 0.0) for lit in _IN_SHADE.get(colour, ())) >= enough


def _rival(colours: Mapping[str, float], name: str, main: str) -> float:
    """Share with which another colour, with its own shades, contests the main one.

    Dark red jam is partly brown; but metal is no white, and print no grey. Brown and grey are the
    shaded side of what they border on, other neighbours are colours in their own right.
    """
    ours = {main, *(shade for shade in neighbours(main) if shade in _SHADES)}
    if name in ours:
        return 0.0
    if name in neighbours(main):
        return colours[name]
    kin = {name} if name in _NEUTRAL else {name, *neighbours(name)} - _NEUTRAL
    return sum(colours.get(one, 0.0) for one in kin - ours - {*neighbours(main)})


def colour_pair(colours: Mapping[str, float]) -> tuple[str, str] | None:
    """The two colours that share the surface, larger first, or None."""
    ranked = sorted(colours.items(), key=lambda pair: -pair[1])[:2]
    if len(ranked) < 2 or ranked[1][1] < _PAIR or ranked[0][1] + ranked[1][1] < _MOST:
        return None
    first, second = ranked[0][0], ranked[1][0]
    vague = "grey" in (first, second) or second in neighbours(first)
    vague |= any(_maybe_shaded(colours, one, 0.1) for one in (first, second))
    return None if vague else (first, second)


def _colour(colours: Mapping[str, float], colour: str) -> np.int8:
    if not colours:
        return UNCLEAR
    if main_colour(colours) == colour:
        return TRUE
    top, share = max(colours.items(), key=lambda pair: pair[1])
    close = top in neighbours(colour) and share >= 0.3
    return UNCLEAR if close or colours.get(colour, 0.0) >= _TRACE else FALSE


def _two_colours(colours: Mapping[str, float], first: str, second: str) -> np.int8:
    pair = colour_pair(colours)
    if pair is not None and set(pair) == {first, second}:
        return TRUE
    return FALSE if min(colours.get(first, 0.0), colours.get(second, 0.0)) < 0.1 else UNCLEAR


def _same_stuff(first: str, second: str) -> np.int8:
    if not first or not second:
        return UNCLEAR
    if first == second:
        return TRUE
    return UNCLEAR if any({first, second} <= group for group in _RELATED) else FALSE


def size_split(facts: SceneFacts, among: NDArray[np.intp], word: str) -> Truth:
    """Truth of "big" or "small" among candidates, which must fall into two groups of volume.

    Args:
        facts: the scene's.
        among: places of the candidates.
        word: "big" or "small".
    """
    values = np.full(facts.n, FALSE)
    order = among[np.argsort(facts.volume[among])]
    cuts = np.flatnonzero(facts.volume[order[1:]] >= 1.5 * facts.volume[order[:-1]]) + 1
    if not len(cuts):
        values[among] = UNCLEAR
        return values
    # Between two gaps nobody knows: middling things are neither big nor small.
    values[order[cuts[0] : cuts[-1]]] = UNCLEAR
    values[order[cuts[-1] :] if word == "big" else order[: cuts[0]]] = TRUE
    return values


def same_category(facts: SceneFacts) -> Truth:
    """Same finest category."""
    return np.where(facts.nouns[:, None] == facts.nouns, TRUE, FALSE)


def same_colour(facts: SceneFacts) -> Truth:
    """Same main colour; UNCLEAR where the anchor has none."""
    colours = [item.colours for item in facts.scene.objects]
    mains = [main_colour(one) for one in colours]
    rows = [[_colour(one, main) if main else UNCLEAR for main in mains] for one in colours]
    return np.array(rows, np.int8).reshape(facts.n, facts.n)


def same_material(facts: SceneFacts) -> Truth:
    """Same main material; UNCLEAR for materials that people mix up."""
    stuff = [item.material for item in facts.scene.objects]
    return np.array([[_same_stuff(a, b) for b in stuff] for a in stuff], np.int8).reshape(
        facts.n, facts.n
    )


def same_shape(facts: SceneFacts) -> Truth:
    """Same kind of shape of the closed list; "irregular" is like nothing."""
    kinds = np.array([item.shape for item in facts.scene.objects])
    vague = (kinds == "irregular")[:, None] | (kinds == "irregular")
    same = kinds[:, None] == kinds
    return decide(same & ~vague, ~same)
