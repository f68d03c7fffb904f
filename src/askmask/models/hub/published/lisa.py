"""LISA as published: LLaVA answers with [SEG], whose hidden state prompts SAM.

Lai et al., "LISA: Reasoning Segmentation via Large Language Model", CVPR 2024 (arXiv 2308.00692).
The prompt is made of the state that [SEG] is said from, one place before the token, as the authors'
code does it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, nested
from askmask.models.hub.published.llava import Llava, Piece, question_of
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
from askmask.models.hub.published.speaker import PublishedSpeaker
from askmask.types import Query

__all__ = ["LisaSeen", "PublishedLisa"]


class LisaSeen(NamedTuple):
    """A picture that both eyes have seen.

    Attributes:
        words: (T, width) what the language model reads of it.
        sam: what SAM made of it.
    """

    words: Tensor
    sam: SamSeen

    @property
    def placement(self) -> Placement:
        """Where the picture lies in the input of SAM."""
        return self.sam.placement


class PublishedLisa(PublishedSpeaker):
    """LISA; one mask for each [SEG] that it says."""

    system: ClassVar[str] = "LISA"
    sam_prefix: ClassVar[str] = "model.visual_model."
    exact: ClassVar[tuple[str, ...]] = ("sam",)

    def __init__(self, source: str, where: Where, **options: Any) -> None:
        """Load a checkpoint; see `load`."""
        super().__init__(source, where, **options)
        self._sam = PromptedSam(self._net["sam"], where)

    def _network(self, checkpoint: Checkpoint) -> nn.ModuleDict:
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

    def _marks_of(self, llava: Llava) -> dict[str, int]:
        return {"[SEG]": llava.token("[SEG]")}

    def _see(self, image: NDArray[np.uint8]) -> Any:
        states = self._llava.look(image)
        return LisaSeen(self._llava.words_of(states), self._sam.see(image))

    def _pieces(self, seen: Any, query: Query) -> list[Piece]:
        before, after = self._conversation.split("{question}")
        question = question_of(query.text)
        return [f"{before}<im_start>", seen.words, f"<im_end>\n{question}{after}"]

    def _masks(self, seen: Any, prompts: Tensor) -> Tensor:
        return self._sam.draw(seen.sam, prompts)
