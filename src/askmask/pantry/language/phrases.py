"""A phrase: a pattern whose slots are filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from askmask.pantry.language.banks import Pattern
from askmask.pantry.language.vocabulary import Adjective, ClassPhrase, Description, Name

__all__ = ["Filler", "Phrase", "slot_key"]

Filler: TypeAlias = "Name | Adjective | ClassPhrase | Description | Phrase"


@dataclass(frozen=True, eq=False)
class Phrase:
    """A filled pattern.

    Attributes:
        pattern: the pattern.
        fillers: slot key -> what fills it; `{N}` and `{Ns}` share the key "N".
        references: object indices of `[1]`, `[2]` of this pattern, without those of nested phrases.
    """

    pattern: Pattern
    fillers: Mapping[str, Filler] = field(default_factory=dict)
    references: tuple[int, ...] = ()

    @property
    def nested(self) -> tuple[Phrase, ...]:
        """Phrases that fill a slot, in the order in which they stand in the text."""
        found = [(key, one) for key, one in self.fillers.items() if isinstance(one, Phrase)]
        found.sort(key=lambda pair: self.pattern.text.index("{" + pair[0] + "}"))
        return tuple(one for _, one in found)


def slot_key(slot: str) -> str:
    """Key of a slot: "Ns2" and "N2" are the same class."""
    return slot.replace("Ns", "N")
