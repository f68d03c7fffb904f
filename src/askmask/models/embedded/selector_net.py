"""The selector network: sentence, references and candidates -> group and "nothing fits".

Candidate and reference masks are tokens with their own prefix embeddings (RAS); they attend to each
other, with a bias from how each pair of masks stands to one another, and to the sentence. Half way,
they learn to tell the steps of the sentence: what it names, where its relations start, and among
what it compares.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.text_net import TextTower, hide
from askmask.models.embedded.tokens import GEOMETRY, PAIR, STEPS
from askmask.models.pretrained import Pretrained

__all__ = ["Judgement", "SelectorNet"]

_WIDTH, _HEADS, _LAYERS, _WORD_LAYERS = 192, 6, 4, 2


class Judgement(NamedTuple):
    """What `SelectorNet` says of B sentences about M masks each.

    Attributes:
        select: (B, M) logits.
        none: (B,) logits of "nothing fits".
        steps: (B, M, 3) logits of `tokens.STEPS`, for training.
    """

    select: Tensor
    none: Tensor
    steps: Tensor


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(_WIDTH, _WIDTH)
        self.key = nn.Linear(_WIDTH, _WIDTH)
        self.value = nn.Linear(_WIDTH, _WIDTH)
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


def _inner() -> nn.Sequential:
    return nn.Sequential(nn.Linear(_WIDTH, 2 * _WIDTH), nn.GELU(), nn.Linear(2 * _WIDTH, _WIDTH))


class _WordLayer(nn.Module):
    """Words attend to words; pre-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.words = _Attention()
        self.inner = _inner()
        self.norms = nn.ModuleList(nn.LayerNorm(_WIDTH) for _ in range(2))

    def forward(self, x: Tensor, padded: Tensor) -> Tensor:
        normed = self.norms[0](x)
        x = x + self.words(normed, normed, padded)
        result: Tensor = x + self.inner(self.norms[1](x))
        return result


class _MaskLayer(nn.Module):
    """Masks attend to masks, then to the sentence; pre-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.masks = _Attention()
        self.words = _Attention()
        self.inner = _inner()
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


def _alone(prefix: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, 1 + M, 1 + M) attention mask under which a mask sees itself and references only.

    The token before the masks sees them all, and no mask sees it.
    """
    seen = functional.pad(prefix > 0, (1, 0))[:, None]  # (B, 1, 1 + M)
    seen = seen | torch.eye(seen.shape[-1], dtype=torch.bool, device=seen.device)
    first = torch.arange(seen.shape[-1], device=seen.device)[:, None] == 0
    return torch.zeros_like(seen, dtype=dtype).masked_fill(~(seen | first), -1e4)[:, None]


class SelectorNet(Pretrained):
    """Mask tokenizer, word adapter and a comparative transformer over the candidates.

    Attributes:
        reads: layers of the text tower whose outputs, side by side, are the words here.
    """

    settings = EmbeddedConfig
    reads = (4, 6)

    def __init__(self, config: EmbeddedConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EmbeddedConfig()
        width = TextTower.width * len(self.reads)
        self.adapt = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, _WIDTH))
        self.word_layers = nn.ModuleList(_WordLayer() for _ in range(_WORD_LAYERS))
        self.word_norm = nn.LayerNorm(_WIDTH)
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
        self.layers = nn.ModuleList(_MaskLayer() for _ in range(_LAYERS))
        self.steps = nn.Linear(_WIDTH, len(STEPS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.select = nn.Linear(_WIDTH, 1)
        self.none = nn.Linear(_WIDTH, 1)

    def forward(
        self,
        words: Tensor,
        words_valid: Tensor,
        appearance: Tensor,
        geometry: Tensor,
        pairs: Tensor,
        prefix: Tensor,
        masks_valid: Tensor,
    ) -> Judgement:
        """Judge every candidate at once.

        Args:
            words: (B, T, 768) float, the tower's states `reads` side by side.
            words_valid: (B, T) bool.
            appearance: (B, M, 2D) float, see `tokens.MaskTokens`.
            geometry: (B, M, GEOMETRY) float.
            pairs: (B, M, M, PAIR) float.
            prefix: (B, M) long, 0 for a candidate, k for the reference mask [k].
            masks_valid: (B, M) bool, False where padded.
        """
        padded = hide(words_valid, words.dtype)
        words = self.adapt(words)
        for word_layer in self.word_layers:
            words = word_layer(words, padded)
        words = self.word_norm(words)
        masks = self.appearance(appearance) + self.geometry(geometry) + self.prefix(prefix)
        x = torch.cat([self.whole.expand(len(masks), -1, -1), masks], 1)  # (B, 1 + M, C)
        related = functional.pad(self.pair(pairs), (0, 0, 1, 0, 1, 0))
        blocked = hide(functional.pad(masks_valid, (1, 0), value=True), x.dtype)
        if not self.config.comparative:
            blocked = blocked + _alone(prefix, x.dtype)
        for layer in self.layers[: _LAYERS // 2]:
            x = layer(x, related, blocked, words, padded)
        steps = self.steps(x[:, 1:])
        for layer in self.layers[_LAYERS // 2 :]:
            x = layer(x, related, blocked, words, padded)
        x = self.norm(x)
        return Judgement(self.select(x[:, 1:])[..., 0], self.none(x[:, 0])[:, 0], steps)
