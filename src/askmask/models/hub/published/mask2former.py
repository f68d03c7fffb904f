"""Swin and the decoders of Mask2Former, as PSALM and ReLA carry them under detectron2's names.

Nothing here compiles: attention to points is what transformers makes of it in torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint, Rules, nested
from askmask.models.hub.published.llava_parts import perceptron

__all__ = [
    "PIXEL_RULES",
    "MaskedDecoder",
    "masked_rules",
    "pixel_decoder_on_meta",
    "swin_on_meta",
    "swin_parted",
    "swin_rules",
]

_LEVELS = 3
"""Of features that queries look at in turn."""

_HEADS = 8
"""Of every attention of the decoders, which no tensor tells."""

_BLOCK = "layers.*.blocks.*."

PIXEL_RULES: Rules = (
    ("input_proj.", "input_projections."),
    ("transformer.level_embed", "level_embed"),
    *nested(
        (
            ("norm1.", "self_attn_layer_norm."),
            ("linear1.", "fc1."),
            ("linear2.", "fc2."),
            ("norm2.", "final_layer_norm."),
            ("", ""),
        ),
        "transformer.encoder.layers.*.",
        "encoder.layers.*.",
    ),
    ("mask_features.", "mask_projection."),
    ("adapter_1.norm.", "adapter_1.1."),
    ("adapter_1.weight", "adapter_1.0.weight"),
    ("layer_1.norm.", "layer_1.1."),
    ("layer_1.weight", "layer_1.0.weight"),
    ("", ""),
)
"""Pixel decoder -> `Mask2FormerPixelDecoder`."""


def swin_parted(checkpoint: Checkpoint, prefix: str) -> Checkpoint:
    """Part what Swin's attention holds in one tensor, as `swin_rules` expects it."""
    block = f"{prefix}{_BLOCK}attn."
    return checkpoint.parted(f"{block}qkv.", tuple(f"{block}{part}." for part in "qkv"))


def swin_rules(prefix: str, ours: str) -> Rules:
    """Swin -> `SwinBackbone`."""
    block = "swin.encoder.layers.*.blocks.*."
    rules: Rules = (
        ("patch_embed.proj.", "swin.embeddings.patch_embeddings.projection."),
        ("patch_embed.norm.", "swin.embeddings.norm."),
        (f"{_BLOCK}norm1.", f"{block}layernorm_before."),
        (f"{_BLOCK}norm2.", f"{block}layernorm_after."),
        (f"{_BLOCK}attn.relative_position_index", None),  # computed, not learned
        (
            f"{_BLOCK}attn.relative_position_bias_table",
            f"{block}attention.relative_position_bias.relative_position_bias_table",
        ),
        (f"{_BLOCK}attn.proj.", f"{block}attention.o_proj."),
        *((f"{_BLOCK}attn.{part}.", f"{block}attention.{part}_proj.") for part in "qkv"),
        (f"{_BLOCK}mlp.", f"{block}mlp."),
        ("layers.*.downsample.", "swin.encoder.layers.*.downsample."),
        *((f"norm{stage}.", f"hidden_states_norms.stage{stage + 1}.") for stage in range(4)),
    )
    return nested(rules, prefix, ours)


def masked_rules(prefix: str, ours: str, look: str, talk: str) -> Rules:
    """Masked decoder -> `MaskedDecoder`; `look` and `talk` are its names of the two attentions."""
    rules: Rules = (
        (f"{look}.*.multihead_attn.", "look.*."),
        (f"{look}.*.norm.", "look_norm.*."),
        (f"{talk}.*.self_attn.", "talk.*."),
        (f"{talk}.*.norm.", "talk_norm.*."),
        ("transformer_ffn_layers.*.linear1.", "think.*.0."),
        ("transformer_ffn_layers.*.linear2.", "think.*.2."),
        ("transformer_ffn_layers.*.norm.", "think_norm.*."),
        ("decoder_norm.", "norm."),
        ("query_embed.", "place."),
        ("level_embed.", "level."),
        *((f"mask_embed.layers.{layer}.", f"draw.{2 * layer}.") for layer in range(3)),
    )
    return nested(rules, prefix, ours)


class MaskedDecoder(nn.Module):
    """Queries that look at the picture where they have drawn, in turn at three levels."""

    def __init__(self, queries: int, width: int, inner: int, layers: int) -> None:
        """Make a decoder.

        Args:
            queries: how many masks it draws.
            width: of its states.
            inner: of its perceptrons.
            layers: how often queries look at the picture.
        """
        super().__init__()
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
        self._places = transformers().models.mask2former.modeling_mask2former

    @staticmethod
    def sizes(checkpoint: Checkpoint, prefix: str) -> tuple[int, int, int, int]:
        """The arguments of a decoder that the tensors under `prefix` are of."""
        inner, width = checkpoint.shape(f"{prefix}transformer_ffn_layers.0.linear1.weight")
        queries, _ = checkpoint.shape(f"{prefix}query_embed.weight")
        return queries, width, inner, checkpoint.count(f"{prefix}transformer_ffn_layers.")

    def read(
        self,
        states: Tensor,
        levels: tuple[Tensor, ...],
        pixels: Tensor,
        listen: Callable[[Tensor], Tensor] | None = None,
    ) -> list[Tensor]:
        """Let the queries look at a picture.

        Args:
            states: (Q, width) those at the start.
            levels: (1, C, h, w) each, from coarse to fine.
            pixels: (1, C, H, W).
            listen: what changes states once, after the first look.

        Returns:
            (Q, width) each, their normed states at the start and after each layer.
        """
        normed: list[Tensor] = [self.norm(states)]
        keys, places = zip(*(self._flat(*one) for one in enumerate(levels)), strict=True)
        for number, look in enumerate(self.look):
            at = number % _LEVELS
            found = look(
                states + self.place.weight,
                keys[at] + places[at],
                keys[at],
                attn_mask=self._hidden(normed[-1], pixels, levels[at]),
                need_weights=False,
            )
            states = self.look_norm[number](states + found[0])
            if listen is not None and number == 0:
                states = listen(states)
            placed = states + self.place.weight
            found = self.talk[number](placed, placed, states, need_weights=False)
            states = self.talk_norm[number](states + found[0])
            states = self.think_norm[number](states + self.think[number](states))
            normed.append(self.norm(states))
        return normed

    def drawn(self, normed: Tensor, pixels: Tensor) -> Tensor:
        """(Q, H, W) logits of the queries' masks."""
        return torch.einsum("qc,chw->qhw", self.draw(normed), pixels[0])

    def _hidden(self, normed: Tensor, pixels: Tensor, level: Tensor) -> Tensor:
        """(Q, h w) bool: cells that a query does not look at; one that drew nothing sees all."""
        masks = self.drawn(normed, pixels)[None]
        small = functional.interpolate(masks, level.shape[-2:], mode="bilinear")[0]
        hidden = small.flatten(1) < 0  # a probability below one half
        hidden[hidden.all(1)] = False
        return hidden

    def _flat(self, number: int, level: Tensor) -> tuple[Tensor, Tensor]:
        """Cells of a level, (h w, C), and where they are."""
        embedding = self._places.Mask2FormerSinePositionEmbedding(
            level.shape[1] // 2, normalize=True
        )
        place = embedding(level.shape, level.device, level.dtype)
        return level[0].flatten(1).T + self.level.weight[number], place[0].flatten(1).T


def swin_on_meta(checkpoint: Checkpoint, prefix: str) -> Any:
    """Build a `SwinBackbone`, without weights, of the sizes that the tensors have."""
    library = transformers()
    stages = range(checkpoint.count(f"{prefix}layers."))
    tables = [
        checkpoint.shape(f"{prefix}layers.{stage}.blocks.0.attn.relative_position_bias_table")
        for stage in stages
    ]
    config = library.SwinConfig(
        embed_dim=checkpoint.shape(f"{prefix}patch_embed.proj.weight")[0],
        depths=[checkpoint.count(f"{prefix}layers.{stage}.blocks.") for stage in stages],
        num_heads=[heads for _, heads in tables],
        window_size=(round(tables[0][0] ** 0.5) + 1) // 2,
        drop_path_rate=0.3,  # of training, by the authors' settings
        out_features=[f"stage{stage + 1}" for stage in stages],
    )
    with torch.device("meta"):
        return library.SwinBackbone(config)


def pixel_decoder_on_meta(checkpoint: Checkpoint, prefix: str, channels: list[int]) -> nn.Module:
    """Build a `Mask2FormerPixelDecoder` of features with `channels`, from fine to coarse."""
    library = transformers()
    pixels, width, _, _ = checkpoint.shape(f"{prefix}mask_features.weight")
    layers = f"{prefix}transformer.encoder.layers."
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
