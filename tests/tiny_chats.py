"""Tiny multimodal language models with random weights, as folders that `save_pretrained` wrote."""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from askmask.models.hub.loading import transformers

_SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|video_pad|>",
    "<|image_pad|>",
]
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CORPUS = ["Which candidate is meant by the sentence? Answer with its label, yes or no."] * 9

CHATS = ("qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "llava_onevision")


def save_tiny(kind, folder, width=64, layers=4, heads=4, vision_width=32):
    """Write a model of `kind`, its tokenizer and its image processor to `folder`."""
    library = transformers()
    tokenizer = _tokenizer()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in _SPECIAL}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads // 2,
        "max_position_embeddings": 8192,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    tokens = {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
    }
    torch.manual_seed(0)
    made = _qwen if kind.startswith("qwen") else _llava
    config, processor = made(library, kind, text, tokens, ids, vision_width)
    model = library.AutoModelForImageTextToText.from_config(config).eval()
    for name, weight in model.named_parameters():
        if "embed" not in name and weight.dim() > 1:
            # Random weights of the usual size leave attention flat and all answers alike.
            weight.data.mul_(4)
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    for part in (model, tokenizer, processor):
        part.save_pretrained(folder)
    return folder


def _qwen(library, kind, text, tokens, ids, vision_width):
    patch = 16 if kind == "qwen3_vl" else 14
    half = text["hidden_size"] // text["num_attention_heads"] // 2
    sections = [half - 2 * (3 * half // 8), 3 * half // 8, 3 * half // 8]
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}
    vision = {
        "depth": 2,
        "hidden_size": vision_width,
        "intermediate_size": 2 * vision_width,
        "num_heads": 2,
        "patch_size": patch,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": text["hidden_size"],
    }
    ends = {
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }
    if kind == "qwen3_vl":
        rope["mrope_interleaved"] = True
        text["head_dim"] = 2 * half
        vision |= {"num_position_embeddings": 256, "deepstack_visual_indexes": [0, 1]}
        kind_config = library.Qwen3VLConfig
    else:
        vision |= {"window_size": 56, "fullatt_block_indexes": [1]}
        kind_config = library.Qwen2_5_VLConfig
    config = kind_config(
        text_config={**text, "rope_parameters": rope}, vision_config=vision, **tokens, **ends
    )
    processor = library.Qwen2VLImageProcessorPil(
        patch_size=patch,
        merge_size=2,
        temporal_patch_size=2,
        size={"shortest_edge": 64 * 64, "longest_edge": 2048 * 2048},
    )
    return config, processor


def _llava(library, kind, text, tokens, ids, vision_width):
    side = 56
    vision = {
        "hidden_size": vision_width,
        "intermediate_size": 2 * vision_width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": side,
        "patch_size": 14,
    }
    if kind == "llava":
        config = library.LlavaConfig(
            text_config=library.LlamaConfig(**text),
            vision_config=library.CLIPVisionConfig(**vision),
            vision_feature_layer=-1,
            image_token_id=tokens["image_token_id"],
        )
        return config, library.CLIPImageProcessorPil(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        )
    points = [[side, 2 * side], [2 * side, side], [2 * side, 2 * side]]
    if kind == "llava_next":
        config = library.LlavaNextConfig(
            text_config=library.LlamaConfig(**text),
            vision_config=library.CLIPVisionConfig(**vision),
            vision_feature_layer=-1,
            image_grid_pinpoints=points,
            image_token_id=tokens["image_token_id"],
        )
        return config, library.LlavaNextImageProcessorPil(
            size={"shortest_edge": side},
            crop_size={"height": side, "width": side},
            image_grid_pinpoints=points,
        )
    config = library.LlavaOnevisionConfig(
        text_config=library.Qwen2Config(**text),
        vision_config=library.SiglipVisionConfig(**vision),
        vision_feature_layer=-1,
        image_grid_pinpoints=points,
        **tokens,
    )
    return config, library.LlavaOnevisionImageProcessorPil(
        size={"height": side, "width": side}, image_grid_pinpoints=points
    )


def _tokenizer():
    library = transformers()
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(_CORPUS, trainer)
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=_SPECIAL[1:],
    )
    tokenizer.chat_template = _TEMPLATE
    return tokenizer
