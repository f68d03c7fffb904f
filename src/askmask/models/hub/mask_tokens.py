"""What RAS adds to a multimodal language model: masks become tokens, and tokens are chosen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.chat import Grid
from askmask.models.pretrained import Pretrained
from askmask.models.trunk import plane_positions, pool_masks

__all__ = ["MaskTokens", "MaskTokensConfig", "coverage"]


@dataclass(frozen=True)
class MaskTokensConfig:
    """Sizes; saved as `config.json` beside the weights.

    Attributes:
        width: of the language model's hidden states, and of the picture's tokens in them.
        positions: width of the waves that say where a mask is, a multiple of 4.
    """

    width: int
    positions: int = 64

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read saved values."""
        return cls(**values)


class MaskTokens(Pretrained):
    """Projector of pooled features, the two learned prefixes, and the classifier."""

    settings = MaskTokensConfig

    def __init__(self, config: MaskTokensConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.project = nn.Sequential(
            nn.LayerNorm(width + config.positions),
            nn.Linear(width + config.positions, width),
            nn.GELU(),
            nn.Linear(width, width),
        )
        self.pool_prefix = nn.Parameter(0.02 * torch.randn(width))  # <mask-pool-pre>
        self.reference_prefix = nn.Parameter(0.02 * torch.randn(width))  # <mask-ref-pre>
        self.select = nn.Linear(width, 1)

    def forward(self, picture: Tensor, shares: Tensor) -> Tensor:
        """Tokens of masks, the same for candidates and references.

        Args:
            picture: (rows * columns, width), the picture's tokens as the language model reads them.
            shares: (N, rows, columns), share of each token's cell that a mask covers.

        Returns:
            (N, width) float32.
        """
        grid = picture.float().T.reshape(1, self.config.width, *shares.shape[1:])
        place = plane_positions(grid, self.config.positions)[None]
        pooled = [pool_masks(each, shares[None])[0] for each in (grid, place)]
        tokens: Tensor = self.project(torch.cat(pooled, 1))
        return tokens

    def candidates(self, tokens: Tensor) -> Tensor:
        """(2 N, width): each candidate after its prefix."""
        return _behind(self.pool_prefix, tokens)

    def references(self, tokens: Tensor) -> Tensor:
        """(2 R, width): each reference after its prefix."""
        return _behind(self.reference_prefix, tokens)


def _behind(prefix: Tensor, tokens: Tensor) -> Tensor:
    return torch.stack([prefix.expand_as(tokens), tokens], 1).flatten(0, 1)


def coverage(mask: Tensor, grid: Grid) -> Tensor:
    """Share of the cell of each of a picture's tokens that a mask covers.

    Args:
        mask: (H, W) bool in the picture's size.
        grid: where the tokens look, perhaps beyond the picture.

    Returns:
        (rows, columns) float32.
    """
    height, width = mask.shape
    x0, y0, x1, y1 = grid.box_xyxy
    # Padding is negative where the tokens see less than the picture.
    seen = functional.pad(mask.float(), (-x0, x1 - width, -y0, y1 - height))
    return functional.adaptive_avg_pool2d(seen[None], grid.hw)[0]
