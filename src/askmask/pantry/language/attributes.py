"""Colour, material, size and sameness: (N,) truth of an adjective, (N, N) truth of "same as"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, Truth, decide
from askmask.pantry.language.vocabulary import Adjective, neighbours

__all__ = ["attribute", "same_category", "same_colour", "same_material", "same_shape", "size_split"]

MAIN_COLOUR = 0.6
"""Share of the surface that makes a colour the main one."""

_RELATED = (
    {"cardboard", "paper"},
    {"ceramic", "porcelain", "glass"},
    {"metal", "steel"},
    {"plastic", "rubber", "silicone"},
    {"textile", "leather", "plush", "cotton", "suede"},
)


def attribute(facts: SceneFacts, adjective: Adjective) -> Truth:
    """Truth of a colour or a material; sizes are judged by `size_split`."""
    if adjective.kind == "colour":
        return np.array([_colour(facts, i, adjective.value) for i in range(facts.n)], np.int8)
    materials = [item.material for item in facts.scene.objects]
    return np.array([_same_stuff(stuff, adjective.value) for stuff in materials], np.int8)


def _colour(facts: SceneFacts, index: int, colour: str) -> np.int8:
    main, share = facts.colours[index]
    have = facts.scene.objects[index].colours.get(colour, 0.0)
    if have >= MAIN_COLOUR:
        return TRUE
    close = main in neighbours(colour) and share >= 0.3
    return FALSE if have < 0.1 and main and not close else UNCLEAR


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
    ratio = facts.volume[order[1:]] / facts.volume[order[:-1]]
    if not ratio.size or ratio.max() < 1.5:
        values[among] = UNCLEAR
        return values
    cut = int(ratio.argmax()) + 1
    values[order[cut:] if word == "big" else order[:cut]] = TRUE
    return values


def same_category(facts: SceneFacts) -> Truth:
    """Same finest category."""
    return np.where(facts.nouns[:, None] == facts.nouns, TRUE, FALSE)


def same_colour(facts: SceneFacts) -> Truth:
    """Same main colour; UNCLEAR where either has none or the two are neighbours."""
    names = [name if share >= MAIN_COLOUR else "" for name, share in facts.colours]
    return np.array(
        [[_same_colour(facts, i, j, names) for j in range(facts.n)] for i in range(facts.n)],
        np.int8,
    ).reshape(facts.n, facts.n)


def _same_colour(facts: SceneFacts, i: int, j: int, names: list[str]) -> np.int8:
    if not names[i] or not names[j]:
        return UNCLEAR if not names[j] else _colour(facts, i, names[j])
    if names[i] == names[j]:
        return TRUE
    return UNCLEAR if names[i] in neighbours(names[j]) else FALSE


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
