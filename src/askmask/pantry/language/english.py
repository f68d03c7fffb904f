"""The little English grammar that the generator needs: plurals, articles, capitals, typos."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["article", "capitalise", "is_plural", "plural", "roughen"]

_IRREGULAR = {
    "loaf": "loaves",
    "knife": "knives",
    "shelf": "shelves",
    "leaf": "leaves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "mouse": "mice",
    "dish": "dishes",
    "radio": "radios",
    "fish": "fish",
}
_SINGULAR_IN_S = {"phalaenopsis", "Phillips", "wireless"}
_HEAD_ENDS = re.compile(
    r" (of|for|in|with|from|to|and|after|at|on|under|over|left|right|that|which|by|when)\b"
)
_VOWEL_SOUND = re.compile(r"(?!uni|use|usu|eu|one\b|once)[aeio]|u(?!ni|s[eu])|hour|honest|x-", re.I)
_SILENT = re.compile(r"\b([Aa]) (?=(\w|'))")


def plural(noun: str) -> str:
    """Plural of a noun phrase: of its head; itself where that is plural already ("shoes")."""
    before, word, after = _around_head(noun)
    return f"{before}{_plural_word(word)}{after}"


def is_plural(noun: str) -> bool:
    """Whether the head of a noun phrase is plural: "French fries", but not "set of keys"."""
    _, word, _ = _around_head(noun)
    return bool(re.search(r"[^su]s$", word)) and word not in _SINGULAR_IN_S


def _around_head(noun: str) -> tuple[str, str, str]:
    """What comes before, the head and what comes after: it stands before the first preposition."""
    cut = _HEAD_ENDS.search(noun)
    end = cut.start() if cut else len(noun)
    start = noun.rfind(" ", 0, end) + 1
    return noun[:start], noun[start:end], noun[end:]


def _plural_word(word: str) -> str:
    if is_plural(word):
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def article(text: str) -> str:
    """Write "an" for "a" before a vowel sound, everywhere in `text`."""

    def fix(match: re.Match[str]) -> str:
        rest = text[match.end() :]
        return f"{match[1]}n " if _VOWEL_SOUND.match(rest) else match[0]

    return _SILENT.sub(fix, text)


def capitalise(text: str) -> str:
    """Make the first letter a capital."""
    return text[:1].upper() + text[1:]


def roughen(text: str, rng: np.random.Generator) -> str:
    """Type like a person in a hurry: lower case, no full stop, or one slip of the fingers."""
    kind = rng.integers(4)
    if kind == 0:
        return text.lower()
    if kind == 1:
        return re.sub(r"[,.;:!?'\"]", "", text)
    return _slip(text, rng)


def _slip(text: str, rng: np.random.Generator) -> str:
    """Swap, drop or double one letter inside a word of at least four letters."""
    words = list(re.finditer(r"[A-Za-z]{4,}", text))
    if not words:
        return text.lower()
    word = words[int(rng.integers(len(words)))]
    at = word.start() + int(rng.integers(1, len(word[0]) - 2))
    one, two = text[at], text[at + 1]
    repair = (two + one, one, one + one + two)[int(rng.integers(3))]
    return text[:at] + repair + text[at + 2 :]
