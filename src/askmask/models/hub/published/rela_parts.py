"""Parts of ReLA that transformers has not, and its text encoder."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint
from askmask.models.hub.published.llava_parts import perceptron
from askmask.models.hub.published.mask2former import MaskedDecoder

__all__ = ["Mixer", "RegionDecoder", "Voted", "bert_on_meta"]

_HEAD_WIDTH = 64
"""Of BERT, which no tensor tells."""

_SHARE = 0.1
"""Of what is heard in the states of regions."""

_FAR = 1e4
"""Taken off the attention to what fills a sentence up."""


class Mixer(nn.Module):
    """Cells of a picture, each multiplied by what the words tell it (PWAM)."""

    def __init__(self, width: int, said: int, *, gated: bool) -> None:
        """Make one of `width` for words of width `said`; `gated` where a stage follows."""
        super().__init__()
        self.look, self.query, self.tell, self.mix = (nn.Conv1d(width, width, 1) for _ in range(4))
        self.key, self.value = (nn.Conv1d(said, width, 1) for _ in range(2))
        self.gate = nn.Sequential(
            nn.Linear(width, width, bias=False),
            nn.ReLU(),
            nn.Linear(width, width, bias=False),
            nn.Tanh(),
        )
        if not gated:
            self.gate = nn.Sequential()

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint, prefix: str) -> nn.ModuleList:
        """Build one for each stage, without weights, of the sizes that the tensors have."""
        mixers = nn.ModuleList()
        for stage in range(checkpoint.count(f"{prefix}layers.")):
            layer = f"{prefix}layers.{stage}."
            width, said, _ = checkpoint.shape(f"{layer}fusion.image_lang_att.f_key.0.weight")
            with torch.device("meta"):
                gated = f"{layer}res_gate.0.weight" in checkpoint.tensors
                mixers.append(cls(width, said, gated=gated))
        return mixers

    def forward(self, cells: Tensor, words: Tensor, heard: Tensor) -> Tensor:
        """Mix.

        Args:
            cells: (N, width).
            words: (T, said).
            heard: (T,) 1 for words and 0 for what fills up.

        Returns:
            (N, width).
        """
        grid = cells.T[None]
        query = functional.instance_norm(self.query(grid))[0].T
        key, value = ((part(words.T[None])[0] * heard) for part in (self.key, self.value))
        shares = (query @ key * len(key) ** -0.5 + _FAR * (heard - 1)).softmax(-1)
        told = functional.instance_norm(self.tell((shares @ value.T).T[None]))
        mixed: Tensor = functional.gelu(self.mix(functional.gelu(self.look(grid)) * told))
        return mixed[0].T


class Voted(NamedTuple):
    """What Q regions say of a sentence.

    Attributes:
        masks: (2, H, W) logits of not meant and meant.
        votes: (Q, 2) the same of each region, which lie in rows and columns.
        absent: (2,) logits of something and nothing being meant.
    """

    masks: Tensor
    votes: Tensor
    absent: Tensor


class RegionDecoder(MaskedDecoder):
    """A masked decoder whose queries are regions that listen once and then vote."""

    def __init__(self, queries: int, width: int, inner: int, layers: int, said: int) -> None:
        """Make a decoder for words of width `said`; see `MaskedDecoder`."""
        super().__init__(queries, width, inner, layers)
        self.start = nn.Embedding(queries, width)
        self.hear = nn.Linear(said, width, bias=False)
        self.listen = nn.MultiheadAttention(width, self.look[0].num_heads)
        self.listen_norm = nn.LayerNorm(width)
        self.loudness = nn.Parameter(torch.zeros(()))
        self.minimap = nn.Linear(width, 2)
        self.absent = perceptron(width, width, 2, between=nn.ReLU)

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint, prefix: str) -> RegionDecoder:
        """Build one, without weights, of the sizes that the tensors have."""
        _, said = checkpoint.shape(f"{prefix}lang_proj.weight")
        with torch.device("meta"):
            return cls(*cls.sizes(checkpoint, prefix), said)

    def forward(self, levels: tuple[Tensor, ...], pixels: Tensor, words: Tensor) -> Voted:
        """Draw one mask.

        Args:
            levels: (1, C, h, w) each, from coarse to fine.
            pixels: (1, C, H, W).
            words: (T, said).
        """
        heard = self.hear(words)

        def listen(states: Tensor) -> Tensor:
            told, _ = self.listen(states, heard, heard, need_weights=False)
            told = self.listen_norm(states + told) * self.loudness.sigmoid()
            louder: Tensor = states + _SHARE * told
            return louder

        normed = self.read(self.start.weight, levels, pixels, listen)[-1]
        votes = self.minimap(normed)
        logits = torch.einsum("ac,chw->ahw", votes.T @ self.draw(normed), pixels[0])
        return Voted(logits, votes, self.absent(normed).mean(0))


def bert_on_meta(checkpoint: Checkpoint, prefix: str) -> Any:
    """Build a `BertModel`, without weights, of the sizes that the tensors have."""
    library = transformers()
    vocabulary, width = checkpoint.shape(f"{prefix}embeddings.word_embeddings.weight")
    layers = f"{prefix}encoder.layer."
    config = library.BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=checkpoint.count(layers),
        num_attention_heads=max(1, width // _HEAD_WIDTH),
        intermediate_size=checkpoint.shape(f"{layers}0.intermediate.dense.weight")[0],
        max_position_embeddings=checkpoint.shape(f"{prefix}embeddings.position_embeddings.weight")[
            0
        ],
    )
    with torch.device("meta"):
        bert = library.BertModel(config, add_pooling_layer=False)
    bert.built_with = {"add_pooling_layer": False}
    return bert
