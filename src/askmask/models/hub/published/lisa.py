"""LISA as published: LLaVA answers with [SEG], whose hidden state prompts SAM.

Lai et al., "LISA: Reasoning Segmentation via Large Language Model", CVPR 2024 (arXiv 2308.00692).
The prompt is made of the state that [SEG] is said from, one place before the token, as the authors'
code does it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.models.hub.loading import Where
from askmask.models.hub.published.keys import Checkpoint, Rules, fill, nested
from askmask.models.hub.published.llava import Llava, Piece, conversation_of, question_of
from askmask.models.hub.published.llava_parts import (
    LLAVA_RULES,
    PROMPT_RULES,
    language_on_meta,
    projector,
    prompt_projection,
)
from askmask.models.hub.published.prompted_sam import (
    SAM_RULES,
    PromptedSam,
    SamSeen,
    sam_on_meta,
)
from askmask.models.hub.published.segmenter import Drawn, PublishedSegmenter
from askmask.types import Query

__all__ = ["LisaSeen", "PublishedLisa"]

_FORCED = "[SEG]."


class LisaSeen(NamedTuple):
    """A picture that both eyes have seen.

    Attributes:
        words: (T, width) what the language model reads of it.
        sam: what SAM made of it.
    """

    words: Tensor
    sam: SamSeen


class PublishedLisa(PublishedSegmenter):
    """LISA; one mask for each [SEG] that it says."""

    system: ClassVar[str] = "LISA"
    sam_prefix: ClassVar[str] = "model.visual_model."

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
        checkpoint = Checkpoint.open(source)
        self._net = self._network(checkpoint)
        fill(self._net, checkpoint, self._rules(), where, exact=("sam",))
        self._llava = Llava.of(self._net, checkpoint, where, vision)
        self._sam = PromptedSam(self._net["sam"], where)
        self._forced = _FORCED if forced else None
        self._most_tokens = most_tokens
        self._seg = self._llava.token("[SEG]")

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Load a checkpoint that the authors published, e.g. "xinlai/LISA-7B-v1".

        SAM stays in float32, and only its encoder computes in the precision of `where`: half
        precision blanks or moves masks.

        Args:
            source: folder, or hub repository with or without @REVISION.
            where: device and precision.
            options: `vision`, where CLIP is, if not where the checkpoint says; `conversation`,
                "llava_v1" or "llava_llama_2"; `forced`, to put "[SEG]." into its mouth, as the
                authors' evaluation does, so that there is always one mask; `most_tokens` of an
                answer; and those of `PublishedSegmenter`.

        Raises:
            ConfigError: for an unknown conversation, completer or mask typer.
            WeightsError: when files are missing, gated or broken, or tensors do not fit.
            NoRoomError: when the GPU's memory is too small.
        """
        return cls(source, where or Where(), **options)

    def _network(self, checkpoint: Checkpoint) -> nn.ModuleDict:
        """Build all parts without weights."""
        return nn.ModuleDict(
            {
                "language": language_on_meta(checkpoint),
                "projector": projector(checkpoint),
                "to_prompt": prompt_projection(checkpoint),
                "sam": sam_on_meta(checkpoint, self.sam_prefix),
            }
        )

    def _rules(self) -> Rules:
        return (*LLAVA_RULES, *PROMPT_RULES, *nested(SAM_RULES, self.sam_prefix, "sam."))

    def _see(self, image: NDArray[np.uint8]) -> Any:
        states = self._llava.look(image)
        return LisaSeen(self._llava.words_of(states), self._sam.see(image))

    def _draw(self, seen: Any, query: Query) -> Drawn:
        spoken = self._llava.speak(
            self._pieces(seen, query), most_tokens=self._most_tokens, forced=self._forced
        )
        said = torch.tensor([token == self._seg for token in spoken.ids])
        prompts = self._net["to_prompt"](spoken.states[said.to(spoken.states.device)])
        words = self._llava.said(spoken)
        if not len(prompts):
            return Drawn([], np.zeros(0, np.float32), words)
        return Drawn.of(self._sam.draw(seen.sam, prompts), seen.sam.placement, words)

    def _pieces(self, seen: Any, query: Query) -> list[Piece]:
        before, after = self._conversation.split("{question}")
        question = question_of(query.text)
        return [f"{before}<im_start>", seen.words, f"<im_end>\n{question}{after}"]
