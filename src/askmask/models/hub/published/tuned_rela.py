"""ReLA fine-tuned: its fused mask is of the type that the sentence asks for."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn

from askmask.images import ImageLike, as_rgb
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.rela import PublishedRela
from askmask.models.hub.published.rela_parts import Voted
from askmask.models.hub.published.tuned import Tuned
from askmask.types import Query

__all__ = ["TunedRela"]

_LAYERS = 10
"""Of BERT that learn, the first ones; the authors leave the last two and the embeddings."""


class TunedRela(Tuned, PublishedRela):
    """ReLA, all of which learns but the ends of BERT."""

    name: ClassVar[str] = "rela"
    adapts: ClassVar[str] = "words"

    def _learning(self) -> dict[str, nn.Module]:
        bert: Any = self._net["words"]
        parts = {name: self._net[name] for name in ("eyes", "mixers", "pixels", "regions")}
        return {"words": bert.encoder.layer[:_LAYERS], **parts}

    def follow(self, image: ImageLike, query: Query) -> tuple[Voted, Placement]:
        """Judge a sentence about a picture, with gradients where they are on.

        Returns:
            What regions say, and how the picture lies in the input that the grid is over.
        """
        seen = self._see(as_rgb(image))
        # Half precision blanks or moves masks.
        with torch.autocast(self._device.type, enabled=False):
            return self._voted(seen, query), seen.placement
