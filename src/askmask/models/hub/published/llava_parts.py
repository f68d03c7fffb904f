"""Parts of LLaVA and of what hangs on it, built without weights of the sizes of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from askmask.models.hub.loading import transformers
from askmask.models.hub.published.keys import Checkpoint, Rules

__all__ = [
    "LLAVA_RULES",
    "PROMPT_RULES",
    "language_on_meta",
    "perceptron",
    "perceptron_on_meta",
    "projector",
    "prompt_projection",
]

LLAVA_RULES: Rules = (
    ("lm_head.", "language.lm_head."),
    ("model.layers.*.self_attn.rotary_emb.inv_freq", None),  # computed, not learned
    ("model.layers.", "language.model.layers."),
    ("model.embed_tokens.", "language.model.embed_tokens."),
    ("model.norm.", "language.model.norm."),
    ("model.mm_projector.", "projector."),
    ("model.vision_tower.", None),  # frozen: from its own repository
)
"""LLaVA as published -> children `language` and `projector`."""

PROMPT_RULES: Rules = (("model.text_hidden_fcs.0.", "to_prompt."),)
"""What makes prompts of hidden states -> child `to_prompt`."""

_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
    "rms_norm_eps",
)


def language_on_meta(checkpoint: Checkpoint) -> Any:
    """Build a `LlamaForCausalLM`, without weights, of the sizes that `config.json` says."""
    library = transformers()
    sizes = {name: checkpoint.config[name] for name in _SIZES if name in checkpoint.config}
    sizes["vocab_size"], _ = checkpoint.shape("model.embed_tokens.weight")
    with torch.device("meta"):
        return library.LlamaForCausalLM(library.LlamaConfig(**sizes, tie_word_embeddings=False))


def perceptron(*widths: int, between: Callable[[], nn.Module] = nn.GELU) -> nn.Sequential:
    """Linear layers of `widths`, and something between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [between(), nn.Linear(before, after)]
    return nn.Sequential(*layers[1:])


def perceptron_on_meta(checkpoint: Checkpoint, name: str) -> nn.Sequential:
    """Build a perceptron of two layers, without weights, of the sizes that the tensors have."""
    hidden, seen = checkpoint.shape(f"{name}0.weight")
    with torch.device("meta"):
        return perceptron(seen, hidden, checkpoint.shape(f"{name}2.weight")[0])


def projector(checkpoint: Checkpoint) -> nn.Module:
    """LLaVA 1's single layer, or the perceptron of LLaVA 1.5, whichever the tensors are of."""
    if "model.mm_projector.weight" not in checkpoint.tensors:
        return perceptron_on_meta(checkpoint, "model.mm_projector.")
    width, seen = checkpoint.shape("model.mm_projector.weight")
    return nn.Linear(seen, width, device="meta")


def prompt_projection(checkpoint: Checkpoint) -> nn.Sequential:
    """Build `text_hidden_fcs`, without weights: hidden states -> prompts."""
    hidden, width = checkpoint.shape("model.text_hidden_fcs.0.0.weight")
    prompts, _ = checkpoint.shape("model.text_hidden_fcs.0.2.weight")
    with torch.device("meta"):
        return perceptron(width, hidden, prompts, between=nn.ReLU)
