"""LISA, GLaMM and PixelLM fine-tuned: they say the marks of one mask, which fuses all targets."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from askmask.images import ImageLike, as_rgb
from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.glamm import PublishedGlamm
from askmask.models.hub.published.lisa import PublishedLisa
from askmask.models.hub.published.pixellm import PublishedPixellm
from askmask.models.hub.published.speaker import PublishedSpeaker
from askmask.models.hub.published.tuned import Tuned
from askmask.types import Query

__all__ = ["Followed", "TunedGlamm", "TunedLisa", "TunedPixellm", "TunedSpeaker"]


class Followed(NamedTuple):
    """What a system makes of a sentence when the answer is given.

    Attributes:
        ids: (N,) long, tokens of the answer and its end.
        words: (N, V) logits that they are said by.
        masks: (1, h, w) logits of the mask on a grid over the input.
        placement: where the picture lies in that.
    """

    ids: Tensor
    words: Tensor
    masks: Tensor
    placement: Placement


class TunedSpeaker(Tuned, PublishedSpeaker):
    """A system on LLaVA whose answer is always one mask."""

    def __init__(self, source: str, where: Where, **options: Any) -> None:
        """Load a published checkpoint; prefer `load`, or `new` to train one."""
        super().__init__(source, where, forced=True, **options)
        # Small steps of learning are lost in half precision.
        for part in self._learning().values():
            part.float().register_forward_pre_hook(_exact)

    def follow(self, image: ImageLike, query: Query) -> Followed:
        """Draw for a sentence about a picture, with gradients where they are on."""
        seen = self._see(as_rgb(image))
        ids = [*self._llava.ids(self._answer), self._llava.tokenizer.eos_token_id]
        states = self._llava.follow(self._pieces(seen, query), ids)
        language: Any = self._net["language"]
        words = language.lm_head(states)
        prompts = self._net["to_prompt"](states[[ids.index(mark) for mark in self._marks.values()]])
        # What draws is in float32: half precision blanks or moves masks.
        with torch.autocast(states.device.type, enabled=False):
            masks = self._masks(seen, prompts.float())
        told = torch.tensor(ids, device=states.device)
        return Followed(told, words, masks, seen.placement)


class TunedLisa(TunedSpeaker, PublishedLisa):
    """LISA, of which SAM's mask decoder and the projection of prompts learn."""

    name: ClassVar[str] = "lisa"

    def _learning(self) -> dict[str, nn.Module]:
        sam: Any = self._net["sam"]
        return {"to_prompt": self._net["to_prompt"], "mask_decoder": sam.mask_decoder}


class TunedGlamm(TunedLisa, PublishedGlamm):
    """GLaMM, of which the same learns; its encoder of regions stays."""

    name: ClassVar[str] = "glamm"


class TunedPixellm(TunedSpeaker, PublishedPixellm):
    """PixelLM, of which the light decoder and all projections learn, as its authors train it."""

    name: ClassVar[str] = "pixellm"

    def _learning(self) -> dict[str, nn.Module]:
        return {name: self._net[name] for name in ("projector", "to_prompt", "maps", "decoder")}


def _exact(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(each.float() for each in inputs)
