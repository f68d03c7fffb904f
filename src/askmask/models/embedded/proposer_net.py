"""The proposer and completer network: picture -> centres, dynamic mask heads, feature maps.

Dense assignment with a dynamic mask head per candidate as in CondInst (Tian et al. 2020, section
3), here with two output channels, the modal and the amodal mask of the same object. The appearance
map is what mask tokens are pooled from (RAS, mask tokenizer).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.blocks import Residual, conv
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.pretrained import Pretrained

__all__ = ["ProposerNet", "dynamic_masks"]

_WIDTHS = (16, 32, 64, 128, 192)
_PYRAMID = 64


class ProposerNet(Pretrained):
    """Plain convolutional encoder, feature pyramid, dense heads; fully convolutional."""

    settings = EmbeddedConfig

    def __init__(self, config: EmbeddedConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EmbeddedConfig()
        w2, w4, w8, w16, w32 = _WIDTHS
        self.stem = conv(3, w2, 2)
        self.stage4 = nn.Sequential(conv(w2, w4, 2), Residual(w4))
        self.stage8 = nn.Sequential(conv(w4, w8, 2), Residual(w8), Residual(w8))
        self.stage16 = nn.Sequential(conv(w8, w16, 2), Residual(w16), Residual(w16))
        self.stage32 = nn.Sequential(conv(w16, w32, 2), Residual(w32), Residual(w32))
        self.lateral4 = nn.Conv2d(w4, _PYRAMID // 2, 1)
        self.lateral8 = nn.Conv2d(w8, _PYRAMID, 1)
        self.lateral16 = nn.Conv2d(w16, _PYRAMID, 1)
        self.lateral32 = nn.Conv2d(w32, _PYRAMID, 1)
        self.smooth8 = conv(_PYRAMID, _PYRAMID)
        self.smooth16 = conv(_PYRAMID, _PYRAMID)
        self.reduce8 = conv(_PYRAMID, _PYRAMID // 2, kernel=1)
        self.mask_map = nn.Sequential(
            conv(_PYRAMID // 2, _PYRAMID // 2),
            nn.Conv2d(_PYRAMID // 2, config.mask_features, 1),
        )
        self.head = nn.Sequential(conv(_PYRAMID + 2, _PYRAMID), conv(_PYRAMID, _PYRAMID))
        self.centre = nn.Conv2d(_PYRAMID, 1, 1)
        self.dynamic = nn.Conv2d(_PYRAMID, config.dynamic_parameters, 1)
        self.appearance = nn.Sequential(
            conv(_PYRAMID, config.appearance), nn.Conv2d(config.appearance, config.appearance, 1)
        )
        # Few cells hold a centre: start from a low score, or the first steps learn only "none".
        nn.init.constant_(self.centre.bias, -4.0)  # type: ignore[arg-type]
        nn.init.normal_(self.dynamic.weight, std=0.01)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode pictures.

        Args:
            images: (B, 3, H, W) float, normalised; H and W multiples of 16.

        Returns:
            centre logits (B, H/8, W/8), dynamic head parameters (B, P, H/8, W/8), mask features
            (B, K, H/4, W/4) and appearance (B, D, H/8, W/8).
        """
        x4 = self.stage4(self.stem(images))
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x32 = self.stage32(x16)
        p16 = self.smooth16(self.lateral16(x16) + _to(self.lateral32(x32), x16))
        p8 = self.smooth8(self.lateral8(x8) + _to(p16, x8))
        masks = self.mask_map(self.lateral4(x4) + _to(self.reduce8(p8), x4))
        cells = self.head(torch.cat([p8, _position(p8)], 1))
        return self.centre(cells)[:, 0], self.dynamic(cells), masks, self.appearance(p8)


def _position(like: Tensor) -> Tensor:
    """(B, 2, h, w) x and y of each cell in [-1, 1]."""
    height, width = like.shape[-2:]
    rows, columns = (
        torch.linspace(-1, 1, size, dtype=like.dtype, device=like.device)
        for size in (height, width)
    )
    rows = rows[:, None].expand(height, width)
    columns = columns[None].expand(height, width)
    return torch.stack([columns, rows])[None].expand(len(like), -1, -1, -1)


def _to(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=like.shape[-2:], mode="nearest")


def dynamic_masks(
    config: EmbeddedConfig, masks: Tensor, parameters: Tensor, batch: Tensor, cells_yx: Tensor
) -> Tensor:
    """Run the mask head of P candidates; `decode.mask_logits` is the NumPy twin.

    Args:
        config: sizes of the head.
        masks: (B, K, h, w) mask features.
        parameters: (P, n) parameters of each candidate's head.
        batch: (P,) long, picture of each candidate.
        cells_yx: (P, 2) long, its cell at 1/8.

    Returns:
        (P, 2, h, w) logits of the modal and the amodal mask.
    """
    height, width = masks.shape[-2:]
    rows, columns = (torch.arange(size, device=masks.device) * 4 + 2.0 for size in (height, width))
    rows = rows[:, None].expand(height, width)
    columns = columns[None].expand(height, width)
    grid = torch.stack([columns, rows]).flatten(1)[None]  # (1, 2, h*w), pixels of the input
    centre = (cells_yx.flip(1).float() * 8 + 4)[:, :, None]
    x = torch.cat([masks.flatten(2)[batch], (grid - centre) / 64], 1)
    start = 0
    for layer, (inputs, outputs) in enumerate(config.dynamic_sizes):
        weight = parameters[:, start : start + inputs * outputs].reshape(-1, outputs, inputs)
        start += inputs * outputs
        bias = parameters[:, start : start + outputs, None]
        start += outputs
        x = torch.baddbmm(bias, weight, x)
        if layer + 1 < len(config.dynamic_sizes):
            x = functional.relu(x)
    return x.reshape(-1, 2, height, width)
