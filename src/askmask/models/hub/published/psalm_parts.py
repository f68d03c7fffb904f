"""Parts of PSALM, built without weights of the sizes that a checkpoint has."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint
from askmask.models.hub.published.llava import perceptron

__all__ = [
    "SWIN",
    "QueryDecoder",
    "Shrinker",
    "phi_on_meta",
    "pixel_decoder_on_meta",
    "swin_on_meta",
]

SWIN = "model.vision_tower."
"""Beginning of the names of Swin's tensors."""

_LEVELS = 3
"""Of features that queries look at in turn."""

_HEADS = 8
"""Of every attention of the decoders, which no tensor tells."""


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


class QueryDecoder(nn.Module):
    """The masked decoder of Mask2Former on queries that a language model has read."""

    def __init__(self, queries: int, width: int, inner: int, layers: int, said: int) -> None:
        """Make a decoder.

        Args:
            queries: how many masks it draws.
            width: of its states.
            inner: of its perceptrons.
            layers: how often queries look at the picture.
            said: width of the language model.
        """
        super().__init__()
        self.asked = nn.Parameter(torch.zeros(queries, said))
        self.of_query, self.of_sentence = nn.Linear(said, width), nn.Linear(said, width)
        self.place, self.level = nn.Embedding(queries, width), nn.Embedding(_LEVELS, width)
        self.look, self.talk = (
            nn.ModuleList(nn.MultiheadAttention(width, _HEADS) for _ in range(layers))
            for _ in range(2)
        )
        self.think = nn.ModuleList(
            perceptron(width, inner, width, between=nn.ReLU) for _ in range(layers)
        )
        self.look_norm, self.talk_norm, self.think_norm = (
            nn.ModuleList(nn.LayerNorm(width) for _ in range(layers)) for _ in range(3)
        )
        self.norm = nn.LayerNorm(width)
        self.draw = perceptron(width, width, width, width, between=nn.ReLU)
        self.match = perceptron(width, width, width, between=nn.ReLU)
        self._where = transformers().models.mask2former.modeling_mask2former

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint) -> QueryDecoder:
        """Build one, without weights, of the sizes that the tensors have."""
        queries, said = checkpoint.shape("seg_query")
        inner, width = checkpoint.shape("predictor.transformer_ffn_layers.0.linear1.weight")
        layers = checkpoint.count("predictor.transformer_ffn_layers.")
        with torch.device("meta"):
            return cls(queries, width, inner, layers, said)

    def forward(
        self, levels: tuple[Tensor, ...], pixels: Tensor, queries: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draw masks.

        Args:
            levels: (1, C, h, w) each, from coarse to fine.
            pixels: (1, C, H, W).
            queries: (Q, width of the language model) their states.
            sentence: (T, width of the language model) the states of its words.

        Returns:
            (Q, H, W) logits of masks, and (Q,) of whether the sentence means them.
        """
        keys, places = zip(*(self._flat(*one) for one in enumerate(levels)), strict=True)
        states, target = self.of_query(queries), self.of_sentence(sentence.mean(0))
        for number, look in enumerate(self.look):
            at = number % _LEVELS
            size_hw = levels[at].shape[-2:]
            small = functional.interpolate(
                self._drawn(states, pixels)[None], size_hw, mode="bilinear"
            )
            hidden = small[0].flatten(1) < 0  # a probability below one half
            hidden[hidden.all(1)] = False
            found = look(
                states + self.place.weight,
                keys[at] + places[at],
                keys[at],
                attn_mask=hidden,
                need_weights=False,
            )
            states = self.look_norm[number](states + found[0])
            placed = states + self.place.weight
            found = self.talk[number](placed, placed, states, need_weights=False)
            states = self.talk_norm[number](states + found[0])
            states = self.think_norm[number](states + self.think[number](states))
        return self._drawn(states, pixels), self.match(self.norm(states)) @ target

    def _flat(self, number: int, level: Tensor) -> tuple[Tensor, Tensor]:
        """Cells of a level, (h w, C), and where they are."""
        embedding = self._where.Mask2FormerSinePositionEmbedding(
            level.shape[1] // 2, normalize=True
        )
        place = embedding(level.shape, level.device, level.dtype)
        return level[0].flatten(1).T + self.level.weight[number], place[0].flatten(1).T

    def _drawn(self, states: Tensor, pixels: Tensor) -> Tensor:
        return torch.einsum("qc,chw->qhw", self.draw(self.norm(states)), pixels[0])


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


def swin_on_meta(checkpoint: Checkpoint) -> Any:
    """The eyes, a `SwinBackbone`."""
    library = transformers()
    stages = range(checkpoint.count(f"{SWIN}layers."))
    tables = [
        checkpoint.shape(f"{SWIN}layers.{stage}.blocks.0.attn.relative_position_bias_table")
        for stage in stages
    ]
    config = library.SwinConfig(
        embed_dim=checkpoint.shape(f"{SWIN}patch_embed.proj.weight")[0],
        depths=[checkpoint.count(f"{SWIN}layers.{stage}.blocks.") for stage in stages],
        num_heads=[heads for _, heads in tables],
        window_size=(round(tables[0][0] ** 0.5) + 1) // 2,
        out_features=[f"stage{stage + 1}" for stage in stages],
    )
    with torch.device("meta"):
        return library.SwinBackbone(config)


def pixel_decoder_on_meta(checkpoint: Checkpoint, channels: list[int]) -> nn.Module:
    """The `Mask2FormerPixelDecoder` of features with `channels`, from fine to coarse."""
    library = transformers()
    pixels, width, _, _ = checkpoint.shape("pixel_decoder.mask_features.weight")
    layers = "pixel_decoder.transformer.encoder.layers."
    config = library.Mask2FormerConfig(
        feature_size=width,
        mask_feature_size=pixels,
        hidden_dim=width,
        encoder_feedforward_dim=checkpoint.shape(f"{layers}0.linear1.weight")[0],
        encoder_layers=checkpoint.count(layers),
        num_attention_heads=_HEADS,
    )
    parts = library.models.mask2former.modeling_mask2former
    with torch.device("meta"):
        decoder: nn.Module = parts.Mask2FormerPixelDecoder(config, channels)
    return decoder
