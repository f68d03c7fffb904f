"""Tiny CLIP and SigLIP models with random weights, saved as the hub has them."""

from pathlib import Path
from typing import Any

import torch
from tiny_proposers import tokenizer

from askmask.models.hub.loading import transformers

WORDS = ("a", "red", "mug", "green", "box", "the")
SIDE = 32

_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 16,
    "max_position_embeddings": 12,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 0,
}
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 8,
}


def clip(folder: Path) -> str:
    """Save a CLIP with tokenizer and processor."""
    library = transformers()
    config = library.CLIPConfig(text_config=_TEXT, vision_config=_VISION, projection_dim=16)
    processor = library.CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return _saved(library.CLIPModel, config, processor, folder)


def siglip(folder: Path) -> str:
    """Save a SigLIP with tokenizer and processor."""
    library = transformers()
    config = library.SiglipConfig(
        text_config={**_TEXT, "projection_size": 32}, vision_config=_VISION
    )
    processor = library.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return _saved(library.SiglipModel, config, processor, folder)


def _saved(model: Any, config: Any, processor: Any, folder: Path) -> str:
    torch.manual_seed(0)
    made = model(config)
    for weights in made.parameters():
        if weights.dim() > 1:  # so large that outputs are not all about 0
            torch.nn.init.normal_(weights, std=weights[0].numel() ** -0.5)
    with torch.no_grad():
        made.logit_scale.fill_(2.0)
        if hasattr(made, "logit_bias"):
            made.logit_bias.fill_(-0.5)
    made.save_pretrained(folder)
    processor.save_pretrained(folder)
    tokenizer({word: 4 + place for place, word in enumerate(WORDS)}).save_pretrained(folder)
    return str(folder)
