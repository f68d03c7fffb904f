"""The small multimodal language model of LISA, PixelLM and GLaMM: it sees, reads and answers.

The sequence is that of LLaVA: picture tokens, the sentence, then an answer, here in a vocabulary of
a few words and special tokens. Answers are learnt by teacher forcing and spoken greedily.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.causal import CausalTransformer, Memory, last_state
from askmask.models.trunk import TrunkSize, grid_tokens

__all__ = ["Heard", "Speaker", "margin", "places"]


class Heard(NamedTuple):
    """Pictures and sentences that have been read; the answers come next.

    Attributes:
        memory: to go on from there.
        state: (S, width) hidden state of the last word.
    """

    memory: Memory
    state: Tensor


class Speaker(nn.Module):
    """Picture and sentence in, an answer out.

    Attributes:
        vocabulary: words and special tokens of answers; the first one ends an answer.
        words: their embeddings.
        head: hidden state -> logits of the next word.
    """

    def __init__(
        self, size: TrunkSize, vocabulary: Sequence[str], grid_hw: tuple[int, int]
    ) -> None:
        super().__init__()
        self.vocabulary, self.grid_hw = tuple(vocabulary), grid_hw
        self.project = nn.Linear(size.pyramid, size.width)
        self.words = nn.Embedding(len(self.vocabulary), size.width)
        self.language = CausalTransformer(size)
        self.head = nn.Linear(size.width, len(self.vocabulary))

    def ids(self, words: str) -> list[int]:
        """Indices of the words of an answer."""
        return [self.vocabulary.index(word) for word in words.split()]

    def tokens(self, view: Tensor) -> Tensor:
        """(P, rows * columns, width) tokens of a view (P, pyramid, h, w): vision to language."""
        return grid_tokens(self.project(view.permute(0, 2, 3, 1)), self.grid_hw)

    def look(self, view: Tensor) -> Memory:
        """Read the tokens of a view, once for all sentences about these pictures."""
        return self.language.begin(self.tokens(view))

    def hear(self, picture: Memory, text: Tensor, valid: Tensor) -> Heard:
        """Read S sentences.

        Args:
            picture: what `look` keeps of each sentence's picture.
            text: (S, T, width) words.
            valid: (S, T) bool, False where padded.
        """
        states, memory = self.language(text, valid, picture)
        return Heard(memory, last_state(states, valid))

    def follow(self, heard: Heard, answers: Tensor) -> Tensor:
        """States of given answers (teacher forcing).

        Args:
            heard: S sentences.
            answers: (S, A) long.

        Returns:
            (S, 1 + A, width): state n predicts word n of the answer, state n + 1 is that of word n.
        """
        everything = torch.ones_like(answers, dtype=torch.bool)
        states, _ = self.language(self.words(answers), everything, heard.memory)
        return torch.cat([heard.state[:, None], states], 1)

    def loss(self, states: Tensor, answers: Tensor, valid: Tensor) -> Tensor:
        """Mean cross-entropy of answers (S, A) where `valid`, given the states of `follow`."""
        logits = self.head(states[:, :-1])
        each = functional.cross_entropy(logits.flatten(0, 1), answers.flatten(), reduction="none")
        return (each * valid.flatten()).sum() / valid.sum().clamp(min=1)

    def speak(self, heard: Heard, steps: int) -> tuple[Tensor, Tensor]:
        """Answer greedily.

        Args:
            heard: S sentences.
            steps: longest answer.

        Returns:
            (S, steps) long answers, filled up with the first word, and (S, steps, V) logits of what
            each word was chosen from; after the end they choose the end for sure.
        """
        state, memory = heard.state, heard.memory
        ended = torch.zeros(len(state), dtype=torch.bool, device=state.device)
        only_end = torch.full((len(self.vocabulary),), -torch.inf, device=state.device)
        only_end[0] = 0
        words, logits = [], []
        for _ in range(steps):
            chances = torch.where(ended[:, None], only_end, self.head(state).float())
            word = chances.argmax(1)
            ended = ended | (word == 0)
            words.append(word)
            logits.append(chances)
            states, memory = self.language(self.words(word)[:, None], ~ended[:, None], memory)
            state = states[:, 0]
        return torch.stack(words, 1), torch.stack(logits, 1)


def margin(logits: Tensor, word: int) -> Tensor:
    """(…) by how much `word` is likelier than the best other one, from (…, V) logits."""
    other = torch.ones(logits.shape[-1], dtype=torch.bool, device=logits.device)
    other[word] = False
    return logits[..., word] - logits.masked_fill(~other, -torch.inf).amax(-1)


def places(where: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the True cells of (S, K); of all cells where values are not known."""
    known = torch.ones_like(where, device="cpu") if where.is_meta else where
    rows, columns = known.nonzero(as_tuple=True)
    return rows.to(where.device), columns.to(where.device)
