"""Published systems on LLaVA: they answer in words, and the states of some of these draw masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from askmask.models.hub.loading import Where
from askmask.models.hub.published.keys import Checkpoint, Rules, fill
from askmask.models.hub.published.llava import Llava, Piece, conversation_of
from askmask.models.hub.published.segmenter import Drawn, PublishedSegmenter
from askmask.types import Query

__all__ = ["PublishedSpeaker"]


class PublishedSpeaker(PublishedSegmenter):
    """LLaVA that says marks, such as [SEG]; the states that they are said from prompt masks."""

    exact: ClassVar[tuple[str, ...]]
    """Parts of the network that stay in float32."""

    def __init__(
        self,
        source: str,
        where: Where,
        *,
        vision: str | None = None,
        conversation: str = "llava_v1",
        forced: bool = False,
        most_tokens: int = 512,
        **options: Any,
    ) -> None:
        """Load a checkpoint; see `load`."""
        super().__init__(source, **options)
        self._conversation = conversation_of(conversation)
        checkpoint = self._opened(source)
        self._net = self._network(checkpoint)
        fill(self._net, checkpoint, self._rules(), where, exact=self.exact)
        self._llava = Llava.of(self._net, checkpoint, where, vision)
        self._marks = self._marks_of(self._llava)
        self._answer = " ".join(self._marks) + "."
        self._forced, self._most_tokens = forced, most_tokens

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Load a checkpoint that the authors published, e.g. "xinlai/LISA-7B-v1".

        What draws masks stays in float32, and of a SAM only the encoder computes in the precision
        of `where`: half precision blanks or moves masks.

        Args:
            source: folder, or hub repository with or without @REVISION.
            where: device and precision.
            options: `vision`, where CLIP is, if not where the checkpoint says; `conversation`,
                "llava_v1" or "llava_llama_2"; `forced`, to put the marks of one mask into its
                mouth, as the authors' evaluation does, so that there is always one; `most_tokens`
                of an answer; and those of `PublishedSegmenter`.

        Raises:
            ConfigError: for an unknown conversation, completer or mask typer.
            WeightsError: when files are missing, gated or broken, or tensors do not fit.
            NoRoomError: when the GPU's memory is too small.
        """
        return cls(source, where or Where(), **options)

    def _opened(self, source: str) -> Checkpoint:
        return Checkpoint.open(source)

    @abstractmethod
    def _network(self, checkpoint: Checkpoint) -> nn.ModuleDict:
        """Build all parts without weights, `language`, `projector` and `to_prompt` among them."""

    @abstractmethod
    def _rules(self) -> Rules:
        """Published names of the tensors -> names in the network."""

    @abstractmethod
    def _marks_of(self, llava: Llava) -> dict[str, int]:
        """Names and numbers of the tokens that one mask is drawn of, as they are said."""

    @abstractmethod
    def _pieces(self, seen: Any, query: Query) -> list[Piece]:
        """What the language model reads."""

    @abstractmethod
    def _masks(self, seen: Any, prompts: Tensor) -> Tensor:
        """One mask for as many prompts as there are marks, with gradients where they are on.

        Args:
            seen: what `_see` made of a picture; it has a `placement`.
            prompts: (M x marks, C) projected states.

        Returns:
            (M, h, w) float32 logits on a grid over the input.
        """

    def _draw(self, seen: Any, query: Query) -> Drawn:
        spoken = self._llava.speak(
            self._pieces(seen, query),
            most_tokens=self._most_tokens,
            forced=self._answer if self._forced else None,
        )
        marks = set(self._marks.values())
        said = torch.tensor([token in marks for token in spoken.ids])
        prompts = self._net["to_prompt"](spoken.states[said.to(spoken.states.device)])
        words = self._llava.said(spoken)
        if not len(prompts) or len(prompts) % len(marks):
            return Drawn([], np.zeros(0, np.float32), words)
        return Drawn.of(self._masks(seen, prompts), seen.placement, words)
