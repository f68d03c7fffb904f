"""The words of a phrase and of a whole sentence."""

from __future__ import annotations

import re

from askmask.pantry.language.english import article
from askmask.pantry.language.phrases import Filler, Phrase, slot_key
from askmask.pantry.language.vocabulary import Name

__all__ = ["is_short", "realise"]

_SLOT = re.compile(r"\{(\w+)\}")
_REFERENCE = re.compile(r"\[(\d)\]")
_CLAUSE = re.compile(r"\b(that|which|who|whose|whichever|where|what|whatever|when|if)\b|,")


def realise(phrase: Phrase, first_reference: int = 1) -> tuple[str, tuple[int, ...]]:
    """Write a phrase.

    Args:
        phrase: the filled pattern.
        first_reference: number that `[1]` of this phrase gets; nested phrases follow.

    Returns:
        The text, and the object indices of its references in the order of their numbers.
    """
    references = list(phrase.references)
    shift = first_reference - 1
    # Renumber before nested phrases bring numbers of their own.
    text = _REFERENCE.sub(lambda match: f"[{int(match[1]) + shift}]", phrase.pattern.text)

    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        filler = phrase.fillers[slot_key(slot)]
        if isinstance(filler, Phrase):
            inner, found = realise(filler, first_reference + len(references))
            references.extend(found)
            return inner
        return _word(filler, slot)

    text = _SLOT.sub(fill, text)
    return article(re.sub(r"\b(the|all|every) \1\b", r"\1", text)), tuple(references)


def _word(filler: Filler, slot: str) -> str:
    assert not isinstance(filler, Phrase)
    if isinstance(filler, Name) and slot.startswith("Ns"):
        assert filler.many is not None
        return filler.many
    return filler.text


def is_short(text: str) -> bool:
    """At most five words and no relative clause: more text may follow."""
    return len(text.split()) <= 5 and not _CLAUSE.search(text)
