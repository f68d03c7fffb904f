"""PSALM fine-tuned: each of its masks is of the type that the sentence asks for."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from askmask.images import ImageLike, as_rgb
from askmask.models.hub.loading import out_of_memory
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.psalm import PublishedPsalm
from askmask.models.hub.published.tuned import Tuned
from askmask.types import Query

__all__ = ["Proposed", "TunedPsalm"]


class Proposed(NamedTuple):
    """What PSALM makes of a sentence.

    Attributes:
        layers: of its decoder, the best last, each (Q, h, w) logits of masks on a grid over the
            input, and (Q,) of whether the sentence means them.
        placement: where the picture lies in that.
    """

    layers: list[tuple[Tensor, Tensor]]
    placement: Placement


class TunedPsalm(Tuned, PublishedPsalm):
    """PSALM, of which all but Swin learns; with adapters, Phi stays too."""

    name: ClassVar[str] = "psalm"

    def _learning(self) -> dict[str, nn.Module]:
        return {name: self._net[name] for name in ("language", "projector", "pixels", "queries")}

    def follow(self, image: ImageLike, query: Query) -> Proposed:
        """Propose masks for a sentence about a picture, with gradients where they are on."""
        device = self._where.torch_device().type
        queries: Any = self._net["queries"]
        # All but the language model is in float32: half precision blanks or moves masks.
        with torch.autocast(device, enabled=False):
            seen = self._see(as_rgb(image))
        states, sentence = self._read(seen, query)
        with torch.autocast(device, enabled=False), out_of_memory(self.model_id):
            layers = queries.layers(seen.levels, seen.pixels, states, sentence)
        return Proposed(layers, seen.placement)
