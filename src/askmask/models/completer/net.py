"""The completer's network: a crop with a modal mask -> the complete shape and how sure it is.

A small U-Net (Ronneberger et al. 2015) that adds its skips instead of stacking them. The last layer
gives four pixels a cell (sub-pixel convolution, Shi et al. 2016), so that nothing is computed at
the full size of the crop.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.blocks import Residual, conv
from askmask.models.completer.config import CHANNELS, CompleterConfig
from askmask.models.pretrained import Pretrained

__all__ = ["CompleterNet"]

_DEEPEST = 3
"""Residual blocks at 1/16: each cell there sees the whole crop."""


class _Up(nn.Module):
    """Widen a coarse map to the channels and size of its skip, add both and smooth."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.smooth = conv(fine, fine)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        raised = functional.interpolate(self.narrow(coarse), scale_factor=2.0, mode="nearest")
        smoothed: Tensor = self.smooth(skip + raised)
        return smoothed


class CompleterNet(Pretrained):
    """Crops (B, 5, S, S) float -> logits of the shape (B, S, S) and of its IoU (B,)."""

    settings = CompleterConfig

    def __init__(self, config: CompleterConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CompleterConfig()
        w2, w4, w8, w16 = config.widths
        self.stem = conv(CHANNELS, w2, 2)
        self.stage4 = nn.Sequential(conv(w2, w4, 2), Residual(w4))
        self.stage8 = nn.Sequential(conv(w4, w8, 2), Residual(w8), Residual(w8))
        self.stage16 = nn.Sequential(conv(w8, w16, 2), *(Residual(w16) for _ in range(_DEEPEST)))
        self.up8, self.up4, self.up2 = _Up(w16, w8), _Up(w8, w4), _Up(w4, w2)
        self.shape = nn.Conv2d(w2, 4, 1)
        self.quality = nn.Sequential(nn.Linear(w16 + 1, 32), nn.SiLU(), nn.Linear(32, 1))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Guess the complete shape of the masked object in each crop.

        Args:
            crops: (B, 5, S, S) float as `Window.crop` makes them.

        Returns:
            (B, S, S) logits of the amodal mask, and (B,) logits of the IoU that the mask above 0,
            together with the modal mask, is expected to have with the true one.
        """
        x2 = self.stem(crops)
        x4 = self.stage4(x2)
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        fine = self.up2(self.up4(self.up8(x16, x8), x4), x2)
        logits = functional.pixel_shuffle(self.shape(fine), 2)[:, 0]
        own = _expected_iou(logits.detach().sigmoid(), crops[:, 3])
        summary = torch.cat([x16.mean((2, 3)), own[:, None]], 1)
        return logits, self.quality(summary)[:, 0]


def _expected_iou(probability: Tensor, modal: Tensor) -> Tensor:
    """Log-odds, (B,), of the IoU to expect if pixels were independent and rightly judged."""
    probability = torch.maximum(probability, modal)
    shape = (probability > 0.5).to(probability.dtype)
    shared = (probability * shape).sum((1, 2))
    either = torch.maximum(probability, shape).sum((1, 2))
    iou = ((shared + 1) / (either + 1)).clamp(1e-3, 1 - 1e-3)
    return torch.log(iou / (1 - iou))
