"""What the authors' modules compute, in our words, with random weights under the authors' names."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class Official(dict[str, Tensor]):
    """Random weights by name, each made where a reference first asks for it.

    So that the names and shapes which a loader must fit come from the reference alone.
    """

    def __init__(self, gain: float = 1.5) -> None:
        """Make none yet; `gain` says how much larger than its input an output is, about."""
        super().__init__()
        self._gain = gain
        self._random = torch.Generator().manual_seed(0)

    def made(self, name: str, *shape: int, around: float = 0) -> Tensor:
        """Weight `name`, random around a value."""
        if name not in self:
            inputs = torch.Size(shape[1:]).numel() if len(shape) > 1 else 16
            spread = self._gain * inputs**-0.5
            self[name] = around + torch.randn(shape, generator=self._random) * spread
        assert self[name].shape == shape, name
        return self[name]

    def scale(self, name: str, width: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a norm."""
        return self.made(f"{name}.weight", width, around=1), self.made(f"{name}.bias", width)

    def linear(self, name: str, x: Tensor, width: int) -> Tensor:
        weight = self.made(f"{name}.weight", width, x.shape[-1])
        return functional.linear(x, weight, self.made(f"{name}.bias", width))

    def norm(self, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
        width = x.shape[-1]
        return functional.layer_norm(x, (width,), *self.scale(name, width), eps)

    def norm2d(self, name: str, x: Tensor) -> Tensor:
        return self.norm(name, x.movedim(1, -1), 1e-6).movedim(-1, 1)

    def conv(
        self, name: str, x: Tensor, width: int, side: int, bias: bool = True, **how: Any
    ) -> Tensor:
        weight = self.made(f"{name}.weight", width, x.shape[1], side, side)
        return functional.conv2d(
            x, weight, self.made(f"{name}.bias", width) if bias else None, **how
        )

    def doubled(self, name: str, x: Tensor, width: int) -> Tensor:
        weight = self.made(f"{name}.weight", x.shape[1], width, 2, 2)
        return functional.conv_transpose2d(x, weight, self.made(f"{name}.bias", width), stride=2)

    def mlp(self, name: str, x: Tensor, *widths: int) -> Tensor:
        for number, width in enumerate(widths):
            x = self.linear(f"{name}.layers.{number}", x, width)
            x = x if number + 1 == len(widths) else x.relu()
        return x


class OfficialSam:
    """Meta's SAM, with a text embedding as its only prompt (LISA's change), tiny."""

    side, patch, width, heads, window, channels = 64, 8, 32, 2, 3, 32

    def __init__(self, weights: Official, prefix: str) -> None:
        self.weights, self.prefix = weights, prefix
        decoder, prompts = f"{prefix}mask_decoder.", f"{prefix}prompt_encoder."
        weights.made(f"{decoder}iou_token.weight", 1, self.channels)
        weights.made(f"{decoder}mask_tokens.weight", 4, self.channels)
        weights.made(f"{prompts}no_mask_embed.weight", 1, self.channels)
        weights.made(
            f"{prompts}pe_layer.positional_encoding_gaussian_matrix", 2, self.channels // 2
        )
        # What points, boxes and masks need, which text does not.
        for number in range(4):
            weights.made(f"{prompts}point_embeddings.{number}.weight", 1, self.channels)
        weights.made(f"{prompts}not_a_point_embed.weight", 1, self.channels)
        down = weights.conv(f"{prompts}mask_downscaling.0", torch.zeros(1, 1, 8, 8), 1, 2, stride=2)
        weights.norm2d(f"{prompts}mask_downscaling.1", down)
        down = weights.conv(f"{prompts}mask_downscaling.3", down, 4, 2, stride=2)
        weights.norm2d(f"{prompts}mask_downscaling.4", down)
        weights.conv(f"{prompts}mask_downscaling.6", down, self.channels, 1)
        weights.mlp(f"{decoder}iou_prediction_head", torch.zeros(1, self.channels), 16, 16, 4)

    def encode(self, pixels: Tensor) -> Tensor:
        """(1, 3, S, S) -> (1, C, h, w)."""
        w, name = self.weights, f"{self.prefix}image_encoder."
        x = w.conv(f"{name}patch_embed.proj", pixels, self.width, self.patch, stride=self.patch)
        x = x.permute(0, 2, 3, 1)
        x = x + w.made(f"{name}pos_embed", *x.shape)
        for number, window in enumerate((self.window, None)):
            block = f"{name}blocks.{number}."
            y = w.norm(f"{block}norm1", x, 1e-6)
            x = x + (self._windows(block, y, window) if window else self._attend(block, y))
            y = w.norm(f"{block}norm2", x, 1e-6)
            y = functional.gelu(w.linear(f"{block}mlp.lin1", y, 2 * self.width))
            x = x + w.linear(f"{block}mlp.lin2", y, self.width)
        x = w.conv(f"{name}neck.0", x.permute(0, 3, 1, 2), self.channels, 1, bias=False)
        x = w.norm2d(f"{name}neck.1", x)
        x = w.conv(f"{name}neck.2", x, self.channels, 3, bias=False, padding=1)
        return w.norm2d(f"{name}neck.3", x)

    def _windows(self, block: str, x: Tensor, size: int) -> Tensor:
        """Attention inside of squares; what they lack at the edges is zero."""
        rows, columns = x.shape[1:3]
        padded = functional.pad(x, (0, 0, 0, -columns % size, 0, -rows % size))
        found = torch.zeros_like(padded)
        for top in range(0, rows, size):
            for left in range(0, columns, size):
                there = (slice(None), slice(top, top + size), slice(left, left + size))
                found[there] = self._attend(block, padded[there])
        return found[:, :rows, :columns]

    def _attend(self, block: str, x: Tensor) -> Tensor:
        """Attention over a square, with learned relative positions."""
        n, depth = x.shape[1], self.width // self.heads
        qkv = self.weights.linear(f"{block}attn.qkv", x.reshape(n * n, -1), 3 * self.width)
        q, k, v = qkv.view(n * n, 3, self.heads, depth).permute(1, 2, 0, 3)
        apart = torch.arange(n)[:, None] - torch.arange(n) + n - 1
        down, right = (
            self.weights.made(f"{block}attn.rel_pos_{axis}", 2 * n - 1, depth)[apart]
            for axis in "hw"
        )
        grid = q.view(self.heads, n, n, depth)
        bias = torch.einsum("hyxc,ykc->hyxk", grid, down)[..., None]
        bias = bias + torch.einsum("hyxc,xkc->hyxk", grid, right)[..., None, :]
        scores = q @ k.transpose(1, 2) * depth**-0.5 + bias.reshape(self.heads, n * n, n * n)
        out = (scores.softmax(-1) @ v).transpose(0, 1).reshape(1, n, n, self.width)
        return self.weights.linear(f"{block}attn.proj", out, self.width)

    def decode(self, embedding: Tensor, prompts: Tensor) -> Tensor:
        """(1, C, h, w), (M, C) -> (M, 4 h, 4 w) logits."""
        w, name, width = self.weights, f"{self.prefix}mask_decoder.", self.channels
        rows, columns = embedding.shape[-2:]
        prompt = f"{self.prefix}prompt_encoder."
        dense = w[f"{prompt}no_mask_embed.weight"].view(1, width, 1, 1)
        place = positions(
            w[f"{prompt}pe_layer.positional_encoding_gaussian_matrix"], (rows, columns)
        )
        masks = []
        for one in prompts:
            tokens = torch.cat(
                [w[f"{name}iou_token.weight"], w[f"{name}mask_tokens.weight"], one[None]]
            )
            keys = (embedding + dense).flatten(2)[0].T
            tokens, keys = two_way(w, f"{name}transformer.", tokens, keys, place)
            grid = keys.T.view(1, width, rows, columns)
            grid = w.doubled(f"{name}output_upscaling.0", grid, width // 4)
            grid = functional.gelu(w.norm2d(f"{name}output_upscaling.1", grid))
            grid = functional.gelu(w.doubled(f"{name}output_upscaling.3", grid, width // 8))
            found = [
                w.mlp(
                    f"{name}output_hypernetworks_mlps.{n}", tokens[1 + n], width, width, width // 8
                )
                for n in range(4)
            ]
            masks.append(torch.einsum("c,chw->hw", found[0], grid[0]))
        return torch.stack(masks)

    def masks(self, logits: Tensor, used_hw: tuple[int, int], size_hw: tuple[int, int]) -> Tensor:
        """(M, h, w) logits -> (M, H, W) in the picture's size."""
        large = functional.interpolate(logits[None], (self.side, self.side), mode="bilinear")
        large = large[..., : used_hw[0], : used_hw[1]]
        return functional.interpolate(large, size_hw, mode="bilinear")[0]


def positions(frequencies: Tensor, hw: tuple[int, int]) -> Tensor:
    """(h w, C) random Fourier features of the cells' middles."""
    rows, columns = ((torch.arange(n) + 0.5) / n for n in hw)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    angles = 2 * torch.pi * ((2 * torch.stack([x, y], -1) - 1) @ frequencies)
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(0, 1)


def two_way(
    w: Official, name: str, tokens: Tensor, keys: Tensor, place: Tensor
) -> tuple[Tensor, Tensor]:
    """Meta's transformer of two layers and 8 heads; tokens (T, C), keys and their places (K, C)."""
    queries, width = tokens, tokens.shape[-1]

    def attend(name: str, q: Tensor, k: Tensor, v: Tensor, inner: int) -> Tensor:
        q, k, v = (
            w.linear(f"{name}.{part}_proj", x, inner).view(len(x), 8, -1).transpose(0, 1)
            for part, x in zip("qkv", (q, k, v), strict=True)
        )
        scores = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1)
        return w.linear(f"{name}.out_proj", (scores @ v).transpose(0, 1).flatten(1), width)

    for number in range(2):
        layer = f"{name}layers.{number}."
        if number == 0:
            queries = attend(f"{layer}self_attn", queries, queries, queries, width)
        else:
            q = queries + tokens
            queries = queries + attend(f"{layer}self_attn", q, q, queries, width)
        queries = w.norm(f"{layer}norm1", queries)
        q, k = queries + tokens, keys + place
        queries = queries + attend(f"{layer}cross_attn_token_to_image", q, k, keys, width // 2)
        queries = w.norm(f"{layer}norm2", queries)
        y = w.linear(f"{layer}mlp.lin1", queries, 2 * width).relu()
        queries = w.norm(f"{layer}norm3", queries + w.linear(f"{layer}mlp.lin2", y, width))
        q, k = queries + tokens, keys + place
        keys = keys + attend(f"{layer}cross_attn_image_to_token", k, q, queries, width // 2)
        keys = w.norm(f"{layer}norm4", keys)
    q, k = queries + tokens, keys + place
    queries = queries + attend(f"{name}final_attn_token_to_image", q, k, keys, width // 2)
    return w.norm(f"{name}norm_final_attn", queries), keys
