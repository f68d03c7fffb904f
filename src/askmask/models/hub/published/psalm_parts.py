"""Parts of PSALM that transformers has not, and its language model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint
from askmask.models.hub.published.llava_parts import perceptron
from askmask.models.hub.published.mask2former import MaskedDecoder

__all__ = ["QueryDecoder", "Shrinker", "phi_on_meta"]


class Shrinker(nn.Module):
    """The coarsest features at half their size, as words of the language model."""

    def __init__(self, seen: int, width: int, out: int) -> None:
        """Make one of `seen` channels to `out`, over `width`."""
        super().__init__()
        self.conv1 = nn.Conv2d(seen, width, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.skip = nn.Sequential(
            nn.Conv2d(seen, width, 1, stride=2, bias=False), nn.BatchNorm2d(width)
        )
        self.fc = nn.Linear(width, out)

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint) -> Shrinker:
        """Build one, without weights, of the sizes that the tensors have."""
        width, seen, _, _ = checkpoint.shape("model.mm_projector.layer1.0.conv1.weight")
        with torch.device("meta"):
            return cls(seen, width, checkpoint.shape("model.mm_projector.fc.weight")[0])

    def forward(self, grid: Tensor) -> Tensor:
        """(P, C, h, w) -> (P, h w / 4, width); as theirs, the second convolution acts twice."""
        found = self.conv2(self.conv2(self.bn1(self.conv1(grid)).relu()))
        words: Tensor = self.fc((self.bn2(found) + self.skip(grid)).relu().flatten(2).mT)
        return words


class QueryDecoder(MaskedDecoder):
    """A masked decoder on queries that a language model has read."""

    def __init__(self, queries: int, width: int, inner: int, layers: int, said: int) -> None:
        """Make a decoder on states of width `said`; see `MaskedDecoder`."""
        super().__init__(queries, width, inner, layers)
        self.asked = nn.Parameter(torch.zeros(queries, said))
        self.of_query, self.of_sentence = nn.Linear(said, width), nn.Linear(said, width)
        self.match = perceptron(width, width, width, between=nn.ReLU)

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint) -> QueryDecoder:
        """Build one, without weights, of the sizes that the tensors have."""
        _, said = checkpoint.shape("seg_query")
        with torch.device("meta"):
            return cls(*cls.sizes(checkpoint, "predictor."), said)

    def forward(
        self, levels: tuple[Tensor, ...], pixels: Tensor, queries: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draw masks, those of the last layer.

        Args, and Returns: see `layers`.
        """
        normed = self.read(self.of_query(queries), levels, pixels)[-1]
        return self._judged(normed, pixels, sentence)

    def layers(
        self, levels: tuple[Tensor, ...], pixels: Tensor, queries: Tensor, sentence: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """Draw masks before the first layer and after each.

        Args:
            levels: (1, C, h, w) each, from coarse to fine.
            pixels: (1, C, H, W).
            queries: (Q, width of the language model) their states.
            sentence: (T, width of the language model) the states of its words.

        Returns:
            For each (Q, H, W) logits of masks, and (Q,) of whether the sentence means them.
        """
        read = self.read(self.of_query(queries), levels, pixels)
        return [self._judged(normed, pixels, sentence) for normed in read]

    def _judged(self, normed: Tensor, pixels: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor]:
        return self.drawn(normed, pixels), self.match(normed) @ self.of_sentence(sentence.mean(0))


def phi_on_meta(checkpoint: Checkpoint) -> Any:
    """The language model, a `PhiModel`, by `config.json`."""
    library, config = transformers(), checkpoint.config
    names = (
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "max_position_embeddings",
        "layer_norm_eps",
    )
    rope = {
        "rope_type": "default",
        "rope_theta": config.get("rope_theta", 10_000.0),
        "partial_rotary_factor": config.get("partial_rotary_factor", 0.5),
    }
    with torch.device("meta"):
        return library.PhiModel(
            library.PhiConfig(
                vocab_size=checkpoint.shape("model.embed_tokens.weight")[0],
                rope_parameters=rope,
                **{name: checkpoint.option(name) for name in names},
            )
        )
