"""The decoder of PixelLM: as SAM's, once for each level of features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint
from askmask.models.hub.published.prompted_sam import decoder_config

__all__ = ["DECODER", "LightDecoder"]

DECODER = "model.mask_decoder."
"""Beginning of the names of its tensors."""


class LightDecoder(nn.Module):
    """A SAM decoder for each level of features; the second looks where the first drew."""

    def __init__(self, config: Any, levels: int, channels: int) -> None:
        """Make a decoder of parts of transformers.

        Args:
            config: a `SamMaskDecoderConfig`.
            levels: of features.
            channels: of these.
        """
        super().__init__()
        parts = transformers().models.sam.modeling_sam
        width = config.hidden_size

        def norm(width: int) -> nn.Module:
            layer: nn.Module = parts.SamLayerNorm(width, data_format="channels_first")
            return layer

        self.neck = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            norm(width),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            norm(width),
        )
        self.places = nn.ModuleList(
            parts.SamPositionalEmbedding(transformers().SamVisionConfig(num_pos_feats=width // 2))
            for _ in range(levels)
        )
        self.no_mask, self.iou_token = nn.Embedding(1, width), nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(1 + config.num_multimask_outputs, width)
        self.level = nn.Embedding(levels, width)
        self.transformer = nn.ModuleList(parts.SamTwoWayTransformer(config) for _ in range(levels))
        self.enlarge = nn.Sequential(
            nn.ConvTranspose2d(width, width, 2, stride=2), norm(width), nn.GELU()
        )
        self.upscale = nn.Sequential(
            nn.ConvTranspose2d(width, width // 8, 2, stride=2), norm(width // 8), nn.GELU()
        )
        self.hyper = parts.SamFeedForward(width, width, width // 8, 3)

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint) -> LightDecoder:
        """Build one, without weights, of the sizes that the tensors have."""
        sizes = decoder_config(checkpoint, DECODER, "transformer.0.")
        config = transformers().SamMaskDecoderConfig(**sizes)
        config._attn_implementation = "sdpa"
        levels, _ = checkpoint.shape(f"{DECODER}level_embed.weight")
        channels = checkpoint.shape("model.image_feature_neck.0.weight")[1]
        with torch.device("meta"):
            return cls(config, levels, channels)

    def forward(self, maps: Tensor, prompts: Tensor) -> Tensor:
        """Draw masks.

        Args:
            maps: (L, C, h, w).
            prompts: (M, L, width).

        Returns:
            (M, 4 h, 4 w) logits, the mean over levels.
        """
        embedded = self.neck(maps.to(self.level.weight.device))
        size_hw = 4 * maps.shape[2], 4 * maps.shape[3]
        total: Tensor | None = None
        previous: Tensor | None = None
        for number in range(len(maps)):
            previous = self._level(number, embedded[number], prompts[:, number], previous)
            large = functional.interpolate(previous[:, None], size_hw, mode="bilinear")[:, 0]
            total = large if total is None else total + large
        assert total is not None
        return total / len(maps)

    def _level(
        self, number: int, embedded: Tensor, prompts: Tensor, previous: Tensor | None
    ) -> Tensor:
        """(M, 2 h, 2 w) logits of one level, of (C, h, w), or of twice that after the first."""
        count = len(prompts)
        grid = embedded.expand(count, *embedded.shape)
        if previous is not None:
            grid = self.enlarge(grid) * (previous.sigmoid() + 1)[:, None]
        grid = grid + self.no_mask.weight[0][:, None, None]
        tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([tokens.expand(count, -1, -1), prompts[:, None]], 1)
        tokens = tokens + self.level.weight[number]
        rows, columns = grid.shape[2:]
        y, x = torch.meshgrid(
            (torch.arange(rows, device=grid.device) + 0.5) / rows,
            (torch.arange(columns, device=grid.device) + 0.5) / columns,
            indexing="ij",
        )
        place = self.places[number](torch.stack([x, y], -1)).permute(2, 0, 1)
        heard, drawn = self.transformer[number](
            point_embeddings=tokens[:, None],
            image_embeddings=grid,
            image_positional_embeddings=place.expand(count, -1, -1, -1),
            attention_similarity=None,
        )
        pixels = self.upscale(drawn[:, 0].transpose(1, 2).reshape(grid.shape))
        logits: Tensor = torch.einsum("mc,mchw->mhw", self.hyper(heard[:, 0, 1]), pixels)
        return logits
