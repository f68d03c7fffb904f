"""The English of mask groups: nouns from category names, noun phrases, whole requests.

Frames say nothing about whole or hidden shapes and fit any picture; phrases avoid verbs whose form
hangs on the number of objects, so that every phrase fits every frame.
"""

from __future__ import annotations

import re

import numpy as np

from askmask.pantry.language.english import article, capitalise, plural

__all__ = ["NUMERALS", "heads", "join", "one_and_many", "request"]

NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_ODD_NOUNS = {
    "broccoli": ("piece of broccoli", "pieces of broccoli"),
    "child": ("child", "children"),
    "deer": ("deer", "deer"),
    "goose": ("goose", "geese"),
    "man": ("man", "men"),
    "person": ("person", "people"),
    "scissors": ("pair of scissors", "pairs of scissors"),
    "sheep": ("sheep", "sheep"),
    "skis": ("pair of skis", "pairs of skis"),
    "tv": ("TV", "TVs"),
    "woman": ("woman", "women"),
}

_BARE = 0.35
"""Share of requests that are the phrase alone."""

_FRAMES = (
    *("Select {X}.", "Segment {X}.", "Mark {X}.", "Find {X}.", "Label {X}.", "Pick out {X}."),
    *("Group {X}.", "Highlight {X}.", "Detect {X}.", "Show me {X}.", "Give me {X}."),
    *("Please select {X}.", "Please segment {X}.", "{X}, please.", "Just {X}.", "Now {X}."),
    *("Can you segment {X}?", "Could you point out {X}?", "Would you mark {X} for me?"),
    *("I need {X}.", "I am looking for {X}.", "I'd like masks for {X}.", "I want to select {X}."),
    *("Put {X} into one group.", "Make a mask group of {X}.", "Return the masks of {X}."),
    *("Which pixels belong to {X}?", "Extract {X}.", "Cut out {X}.", "We only want {X}."),
)


def one_and_many(category: str) -> tuple[str, str]:
    """Singular and plural of a category name; "bat_(animal)" becomes "bat"."""
    noun = re.sub(r"\s*\([^)]*\)", "", category.replace("_", " ")).strip() or category
    if noun in _ODD_NOUNS:
        return _ODD_NOUNS[noun]
    return noun, plural(noun)


def heads(count: int, *, counted: bool) -> list[str]:
    """Beginnings of a noun phrase about `count` objects, with the noun as {one} or {many}.

    Args:
        count: number of objects that are meant.
        counted: whether the number may be said; not where a crowd may hold more of them.
    """
    if count == 0:
        return ["any {many}", "all {many}", "every {one}"]
    if not counted:
        return ["all {many}", "all the {many}", "every {one}"]
    if count == 1:
        return ["the {one}"]
    found = ["the {many}", "all the {many}", "all {many}", "every {one}"]
    if count < len(NUMERALS):
        found.append(f"the {NUMERALS[count]} {{many}}")
    return [*found, "both {many}"] if count == 2 else found


def join(*words: str) -> str:
    """Words with one blank between them and "an" before vowels; empty ones fall out."""
    return article(" ".join(word for word in words if word))


def request(phrase: str, rng: np.random.Generator) -> str:
    """A sentence that asks for what the phrase means."""
    if rng.random() < _BARE:
        return (phrase, capitalise(phrase), capitalise(phrase) + ".")[int(rng.integers(3))]
    return capitalise(_FRAMES[int(rng.integers(len(_FRAMES)))].replace("{X}", phrase))
