"""The mask type as a language model reads it from the sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from askmask.models.hub.chat import Chat
from askmask.models.hub.reader import Reader
from askmask.types import MaskType

__all__ = ["ChatMaskTyper"]

_LABELS = {"A": MaskType.MODAL, "B": MaskType.AMODAL, "C": MaskType.HIDDEN}

# The sentence comes last, so that what is before it is read once for all sentences.
_QUESTION = """A sentence asks for a mask of something in a picture. Which mask does it want?
A: only the visible part. This is meant when nothing is said about hidden parts.
B: the complete shape, also where other things hide it. This is also meant when the sentence says \
that the thing is partly hidden, blocked or cut off, and asks for the thing itself.
C: only the part that is hidden.
Answer with the letter alone. The sentence: "{text}\""""


class ChatMaskTyper:
    """`MaskTyper` that asks a language model; it needs no picture."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        """Probability of each mask type for each sentence."""
        if not texts:
            return []
        prompts = [self._chat.prompt(_QUESTION.format(text=text)) for text in texts]
        logits = self._chat.label_logits(Reader(self._chat).read(prompts), list(_LABELS))
        odds = np.exp(logits - logits.max(1, keepdims=True))
        shares = odds / odds.sum(1, keepdims=True)
        return [dict(zip(_LABELS.values(), each.tolist(), strict=True)) for each in shares]
