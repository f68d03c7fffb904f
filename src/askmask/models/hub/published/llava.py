"""LLaVA as LISA and its followers carry it: CLIP sees, a projector translates, LLaMA speaks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from askmask.errors import ConfigError, WeightsError
from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.published.keys import Checkpoint

__all__ = [
    "CONVERSATIONS",
    "Llava",
    "Patches",
    "Piece",
    "Spoken",
    "added_token",
    "conversation_of",
    "is_sentence",
    "question_of",
]

CONVERSATIONS = {
    "llava_v1": (
        "A chat between a curious human and an artificial intelligence assistant. The assistant "
        "gives helpful, detailed, and polite answers to the human's questions. "
        "USER: {question} ASSISTANT:"
    ),
    "llava_llama_2": (
        "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to "
        "understand the visual content that the user provides, and assist the user with a variety "
        "of tasks using natural language.\n<</SYS>>\n\n{question} [/INST]"
    ),
}
"""Name in the authors' code -> what the language model reads."""

_SENTENCE_ENDS = (".", "?", "!")


class Patches(NamedTuple):
    """A picture, some of whose states may not be looked at.

    Attributes:
        states: (T, width).
        visible: (T,) bool.
    """

    states: Tensor
    visible: Tensor


Piece: TypeAlias = str | Tensor | Patches
"""Of what the language model reads: words, or states (T, width) that stand for something seen."""


class Spoken(NamedTuple):
    """An answer of N tokens.

    Attributes:
        ids: the tokens.
        states: (N, width) last hidden states, each the one that its token was said from.
    """

    ids: list[int]
    states: Tensor


def is_sentence(text: str) -> bool:
    """Whether `text` ends as a sentence does, so that it is not the name of a thing."""
    return text.rstrip().endswith(_SENTENCE_ENDS)


def question_of(text: str) -> str:
    """What LISA's authors ask for a sentence, or for the name of a thing.

    Their sentences come with a mark that says which of both they are.
    """
    if is_sentence(text):
        return f"{text.strip()} Please output segmentation mask."
    return f"What is {text.strip()} in this image? Please output segmentation mask."


def conversation_of(name: str) -> str:
    """Template of a conversation.

    Raises:
        ConfigError: for an unknown name.
    """
    if name not in CONVERSATIONS:
        raise ConfigError(f"conversation: expected one of {', '.join(CONVERSATIONS)}, got {name!r}")
    return CONVERSATIONS[name]


def added_token(tokenizer: Any, name: str, source: str) -> int:
    """Number of a token that authors added to a tokenizer.

    Raises:
        WeightsError: when it does not have it.
    """
    found: int | None = tokenizer.get_added_vocab().get(name)
    if found is None:
        raise WeightsError(f"{source}: its tokenizer has no token {name}")
    return found


class Llava:
    """The three parts together, in inference.

    Attributes:
        tokenizer: of the language model, with the tokens that the authors added.
        vision: a `CLIPVisionModel`.
        processor: makes its input of a picture.
        layer: whose output the language model reads; -1 is the last.
    """

    def __init__(
        self,
        net: nn.ModuleDict,
        vision: Any,
        processor: Any,
        tokenizer: Any,
        checkpoint: Checkpoint,
    ) -> None:
        """Wrap parts that are loaded; prefer `of`."""
        self.tokenizer, self.vision, self.processor = tokenizer, vision, processor
        self._language: Any = net["language"]
        self._projector = net["projector"]
        self._source = checkpoint.source
        self.layer: int = checkpoint.config.get("mm_vision_select_layer", -2)
        added = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self._added = re.compile(f"({'|'.join(map(re.escape, added))})")

    @classmethod
    def of(
        cls, net: nn.ModuleDict, checkpoint: Checkpoint, where: Where, vision: str | None = None
    ) -> Llava:
        """Complete what a checkpoint holds.

        Args:
            net: loaded `language` and `projector`.
            checkpoint: that they are from, with a tokenizer.
            where: device and precision of CLIP, which checkpoints do not hold.
            vision: where CLIP is; None takes what the checkpoint names.
        """
        eyes = vision or checkpoint.option("vision_tower", "mm_vision_tower")
        return cls(
            net,
            load_part("CLIPVisionModel", eyes, replace(where, four_bit=False)),
            load_part("AutoImageProcessor", eyes, backend="pil"),
            load_part("AutoTokenizer", checkpoint.source, subfolder=checkpoint.folder),
            checkpoint,
        )

    def token(self, name: str) -> int:
        """Number of a token that the authors added.

        Raises:
            WeightsError: when the tokenizer does not have it.
        """
        return added_token(self.tokenizer, name, self._source)

    def tokens(self, pattern: str) -> dict[str, int]:
        """Numbers of the tokens `pattern` with 0, 1, … in it, as many as the authors added.

        Raises:
            WeightsError: when there is not one.
        """
        added = self.tokenizer.get_added_vocab()
        found: dict[str, int] = {}
        while (name := pattern.format(len(found))) in added:
            found[name] = added[name]
        return found or {pattern.format(0): self.token(pattern.format(0))}

    def look(self, image: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """Hidden states of CLIP for a picture (H, W, 3) uint8 RGB, (1 + T, width) each.

        The first is what enters its first layer.
        """
        pixels = self.processor(image, return_tensors="pt").pixel_values
        with torch.inference_mode(), out_of_memory(self._source):
            states = self.vision(
                pixels.to(self.vision.device, self.vision.dtype), output_hidden_states=True
            ).hidden_states
        return tuple(state[0] for state in states)

    def words_of(self, states: Sequence[Tensor]) -> Tensor:
        """What the language model reads, (T, width), of a picture that CLIP has looked at."""
        with torch.inference_mode():
            projected: Tensor = self._projector(states[self.layer][1:])
        return projected

    def speak(
        self, pieces: Sequence[Piece], *, most_tokens: int, forced: str | None = None
    ) -> Spoken:
        """Answer, always with the likeliest token.

        Args:
            pieces: what is read; words before the first states begin the text.
            most_tokens: after which the answer is cut.
            forced: answer that is put into the model's mouth instead.
        """
        given = None if forced is None else self.ids(forced)
        limit = most_tokens if given is None else len(given)
        ids: list[int] = []
        states: list[Tensor] = []
        with torch.inference_mode(), out_of_memory(self._source):
            embedded, visible = self._embedded(pieces)
            read = self._language.model(
                inputs_embeds=embedded, attention_mask=visible, use_cache=True
            )
            while True:
                state = read.last_hidden_state[:, -1]
                likeliest = int(self._language.lm_head(state).argmax())
                ids.append(likeliest if given is None else given[len(ids)])
                states.append(state[0])
                if len(ids) == limit or ids[-1] == self.tokenizer.eos_token_id:
                    return Spoken(ids, torch.stack(states))
                visible = functional.pad(visible, (0, 1), value=1)
                read = self._language.model(
                    input_ids=torch.tensor([ids[-1:]], device=state.device),
                    attention_mask=visible,
                    past_key_values=read.past_key_values,
                    use_cache=True,
                )

    def follow(self, pieces: Sequence[Piece], ids: Sequence[int]) -> Tensor:
        """Let N given tokens be the answer, in one pass, with gradients where they are on.

        Args:
            pieces: what is read; see `speak`.
            ids: the answer.

        Returns:
            (N, width) last hidden states, each the one that its token is said from.
        """
        read, visible = self._embedded(pieces)
        embed = self._language.get_input_embeddings()
        told = embed(torch.tensor([ids[:-1]], dtype=torch.long, device=read.device))
        with out_of_memory(self._source):
            states: Tensor = self._language.model(
                inputs_embeds=torch.cat([read, told], 1),
                attention_mask=functional.pad(visible, (0, len(ids) - 1), value=1),
                use_cache=False,
            ).last_hidden_state[0]
        return states[-len(ids) :]

    def ids(self, text: str) -> list[int]:
        """Tokens of `text`, without a beginning, as the authors' version of transformers made them.

        It split at added tokens, dropped the blanks around them, and began each piece between them
        as if it were a text of its own; tokenizers of today do neither.
        """
        ids: list[int] = []
        added = self.tokenizer.get_added_vocab()
        pieces = self._added.split(text)
        for place, piece in enumerate(pieces):
            if piece in added:
                ids.append(added[piece])
                continue
            piece = piece.lstrip() if place > 0 else piece
            piece = piece.rstrip() if place + 1 < len(pieces) else piece
            if piece:
                ids += self.tokenizer(piece, add_special_tokens=False).input_ids
        return ids

    def said(self, spoken: Spoken) -> str:
        """The answer in words."""
        said: str = self.tokenizer.decode(spoken.ids, skip_special_tokens=True)
        return " ".join(said.split())

    def _embedded(self, pieces: Sequence[Piece]) -> tuple[Tensor, Tensor]:
        """(1, T, width) of everything that is read, and (1, T) whether it may be looked at."""
        embed = self._language.get_input_embeddings()
        device = embed.weight.device
        states, visible = [], []
        for place, piece in enumerate(pieces):
            if isinstance(piece, str):
                start = [self.tokenizer.bos_token_id] if place == 0 else []
                ids = torch.tensor(start + self.ids(piece), dtype=torch.long, device=device)
                piece = embed(ids)
            if not isinstance(piece, Patches):
                piece = Patches(piece, torch.ones(len(piece)))
            states.append(piece.states.to(embed.weight))
            visible.append(piece.visible.to(device, torch.long))
        return torch.cat(states)[None], torch.cat(visible)[None]
