"""The selector network: sentence, references and candidates -> group, mask type, "nothing fits".

Candidate and reference masks are tokens with their own prefix embeddings (RAS); they attend to each
other, with a bias from how each pair of masks stands to one another, and to the sentence. The mask
type is read from the sentence alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.text_net import TextTower
from askmask.models.embedded.tokens import GEOMETRY, PAIR

__all__ = ["SelectorNet"]

_WIDTH, _HEADS, _LAYERS = 192, 6, 4


class _Attention(nn.Module):
    def __init__(self, source_width: int) -> None:
        super().__init__()
        self.query = nn.Linear(_WIDTH, _WIDTH)
        self.key = nn.Linear(source_width, _WIDTH)
        self.value = nn.Linear(source_width, _WIDTH)
        self.output = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor, source: Tensor, bias: Tensor) -> Tensor:
        def split(t: Tensor) -> Tensor:  # (B, L, C) -> (B, heads, L, C / heads)
            return t.reshape(t.shape[0], t.shape[1], _HEADS, -1).transpose(1, 2)

        query, key = split(self.query(x)), split(self.key(source))
        # Written out: the fused operator does not export with a dynamic length plus one.
        weight = torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5 + bias, -1)
        mixed = weight @ split(self.value(source))
        result: Tensor = self.output(mixed.transpose(1, 2).contiguous().flatten(2))
        return result


class _Layer(nn.Module):
    """Masks attend to masks, then to the sentence; pre-norm."""

    def __init__(self, text_width: int) -> None:
        super().__init__()
        self.masks = _Attention(_WIDTH)
        self.words = _Attention(text_width)
        self.inner = nn.Sequential(
            nn.Linear(_WIDTH, 4 * _WIDTH), nn.GELU(), nn.Linear(4 * _WIDTH, _WIDTH)
        )
        self.pair_bias = nn.Linear(32, _HEADS)
        self.norms = nn.ModuleList(nn.LayerNorm(_WIDTH) for _ in range(3))

    def forward(
        self, x: Tensor, pairs: Tensor, blocked: Tensor, words: Tensor, padded: Tensor
    ) -> Tensor:
        normed = self.norms[0](x)
        bias = self.pair_bias(pairs).permute(0, 3, 1, 2) + blocked
        x = x + self.masks(normed, normed, bias)
        x = x + self.words(self.norms[1](x), words, padded)
        result: Tensor = x + self.inner(self.norms[2](x))
        return result


class SelectorNet(nn.Module):
    """Text tower, mask tokenizer and a comparative transformer over the candidates."""

    def __init__(self, tower: TextTower, config: EmbeddedConfig | None = None) -> None:
        super().__init__()
        config = config or EmbeddedConfig()
        self.tower = tower
        self.appearance = nn.Sequential(
            nn.LayerNorm(2 * config.appearance), nn.Linear(2 * config.appearance, _WIDTH)
        )
        self.geometry = nn.Sequential(
            nn.Linear(GEOMETRY, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH)
        )
        # Prefix 0 marks a candidate, 1 to max_references the reference masks [1], [2], …
        self.prefix = nn.Embedding(config.max_references + 1, _WIDTH)
        self.pair = nn.Sequential(nn.Linear(PAIR, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU())
        self.whole = nn.Parameter(0.02 * torch.randn(1, 1, _WIDTH))
        self.layers = nn.ModuleList(_Layer(tower.width) for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.select = nn.Linear(_WIDTH, 1)
        self.none = nn.Linear(_WIDTH, 1)
        self.mask_type = nn.Sequential(
            nn.Linear(tower.width, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, 3)
        )

    def forward(
        self,
        ids: Tensor,
        words_valid: Tensor,
        appearance: Tensor,
        geometry: Tensor,
        pairs: Tensor,
        prefix: Tensor,
        masks_valid: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Judge every candidate at once.

        Args:
            ids: (B, T) long word pieces.
            words_valid: (B, T) bool.
            appearance: (B, M, 2D) float, see `tokens.MaskTokens`.
            geometry: (B, M, GEOMETRY) float.
            pairs: (B, M, M, PAIR) float.
            prefix: (B, M) long, 0 for a candidate, k for the reference mask [k].
            masks_valid: (B, M) bool, False where padded.

        Returns:
            Logits of selection (B, M), of the mask type (B, 3; modal, amodal, hidden) and of
            "nothing fits" (B,).
        """
        words = self.tower(ids, words_valid)
        weight = words_valid[..., None].to(words.dtype)
        sentence = (words * weight).sum(1) / weight.sum(1)
        masks = self.appearance(appearance) + self.geometry(geometry) + self.prefix(prefix)
        x = torch.cat([self.whole.expand(len(masks), -1, -1), masks], 1)  # (B, 1 + M, C)
        related = functional.pad(self.pair(pairs), (0, 0, 1, 0, 1, 0))
        blocked = _block(functional.pad(masks_valid, (1, 0), value=True), x.dtype)
        padded = _block(words_valid, x.dtype)
        for layer in self.layers:
            x = layer(x, related, blocked, words, padded)
        x = self.norm(x)
        return self.select(x[:, 1:])[..., 0], self.mask_type(sentence), self.none(x[:, 0])[:, 0]


def _block(valid: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, 1, L) additive mask that hides what is not valid."""
    return torch.zeros(valid.shape, dtype=dtype).masked_fill(~valid, -1e4)[:, None, None]
