"""Tiny models with random weights, saved as the hub has them: configuration, weights, processor."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from askmask.models.hub.loading import transformers

SIDE = 64
"""Input of the tiny SAMs: 8 x 8 cells, masks of 32 x 32."""

_PROMPTS = {"hidden_size": 32, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 16}
_DECODER = {
    "hidden_size": 32,
    "mlp_dim": 32,
    "num_attention_heads": 2,
    "iou_head_hidden_dim": 16,
}
_SWIN = {
    "embed_dim": 8,
    "depths": [1, 1, 1, 1],
    "num_heads": [1, 1, 1, 1],
    "window_size": 4,
    "out_features": ["stage2", "stage3", "stage4"],
}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
_WORDS = ("a", "photo", "of", "red", "mug", "box", "cup", "green")


def picture(height: int = 45, width: int = 60) -> np.ndarray:
    """(H, W, 3) uint8: two blocks on a noisy ground."""
    image = np.random.default_rng(0).integers(60, 120, (height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 4 : width // 2] = (220, 60, 40)
    image[height // 2 :, width // 2 : width * 3 // 4] = (40, 180, 60)
    return image


def _saved(model: Any, folder: Path) -> str:
    """Save a model whose weights are so large that its outputs are not all about 0."""
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=weights[0].numel() ** -0.5)
    model.save_pretrained(folder)
    return str(folder)


def sam1(folder: Path) -> str:
    """Save a SAM."""
    library = transformers()
    torch.manual_seed(0)
    vision = {
        "hidden_size": 32,
        "output_channels": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 8,
        "window_size": 2,
        "global_attn_indexes": [1],
        "mlp_dim": 32,
        "num_pos_feats": 16,
    }
    prompts = {**_PROMPTS, "num_point_embeddings": 4, "image_embedding_size": SIDE // 8}
    config = library.SamConfig(
        vision_config=vision,
        prompt_encoder_config=prompts,
        mask_decoder_config={**_DECODER, "num_hidden_layers": 2},
    )
    return _saved(library.SamModel(config), folder)


def _sam2_parts() -> dict[str, Any]:
    library = transformers()
    backbone = library.Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[8, 4, 4, 2],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[7, 7],
    )
    vision = library.Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[SIDE // 4] * 2, [SIDE // 8] * 2, [SIDE // 16] * 2],
        fpn_hidden_size=32,
    )
    return {
        "vision_config": vision,
        "prompt_encoder_config": {**_PROMPTS, "patch_size": 16},
        "mask_decoder_config": _DECODER,
    }


def sam2(folder: Path) -> str:
    """Save a SAM 2."""
    library = transformers()
    torch.manual_seed(0)
    return _saved(library.Sam2Model(library.Sam2Config(**_sam2_parts())), folder)


def sam2_video(folder: Path) -> str:
    """Save a SAM 2 with its memory of videos, as the published ones are."""
    library = transformers()
    torch.manual_seed(0)
    config = library.Sam2VideoConfig(
        **_sam2_parts(),
        memory_attention_hidden_size=32,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=16,
        memory_attention_rope_feat_sizes=[SIDE // 16] * 2,
        memory_encoder_hidden_size=32,
        memory_encoder_output_channels=16,
        mask_downsampler_embed_dim=32,
        memory_fuser_embed_dim=32,
        memory_fuser_intermediate_dim=16,
        memory_fuser_num_layers=1,
    )
    return _saved(library.Sam2VideoModel(config), folder)


def _sam3_vision() -> Any:
    library = transformers()
    cells = SIDE // 8
    backbone = library.Sam3ViTConfig(
        **{**_TEXT, "num_hidden_layers": 2},
        image_size=SIDE,
        pretrain_image_size=SIDE,
        patch_size=8,
        window_size=4,
        global_attn_indexes=[1],
    )
    return library.Sam3VisionConfig(
        backbone_config=backbone,
        fpn_hidden_size=32,
        backbone_feature_sizes=[[cells * 4] * 2, [cells * 2] * 2, [cells] * 2],
    )


def sam3_tracker(folder: Path) -> str:
    """Save the part of SAM 3 that takes points."""
    library = transformers()
    torch.manual_seed(0)
    config = library.Sam3TrackerConfig(
        vision_config=_sam3_vision(),
        prompt_encoder_config=_PROMPTS,
        mask_decoder_config=_DECODER,
    )
    return _saved(library.Sam3TrackerModel(config), folder)


def sam3(folder: Path) -> str:
    """Save the part of SAM 3 that takes words, with a tokenizer."""
    library = transformers()
    torch.manual_seed(0)
    part = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2}
    config = library.Sam3Config(
        vision_config=_sam3_vision(),
        text_config={
            **_TEXT,
            "vocab_size": 32,
            "projection_dim": 32,
            "max_position_embeddings": 32,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        geometry_encoder_config={**part, "num_layers": 1},
        detr_encoder_config={**part, "num_layers": 1},
        detr_decoder_config={**part, "num_layers": 2, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    tokenizer({word: 4 + place for place, word in enumerate(_WORDS)}).save_pretrained(folder)
    return _saved(library.Sam3Model(config), folder)


def grounding_dino(folder: Path) -> str:
    """Save a Grounding DINO with a processor for small pictures and a tokenizer."""
    library = transformers()
    torch.manual_seed(0)
    config = library.GroundingDinoConfig(
        backbone_config=library.SwinConfig(**_SWIN),
        text_config=library.BertConfig(
            **_TEXT, vocab_size=1100, max_position_embeddings=64, pad_token_id=0
        ),
        d_model=32,
        encoder_layers=1,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        num_queries=6,
        num_feature_levels=4,
        max_text_len=64,
    )
    library.GroundingDinoImageProcessorPil(
        size={"shortest_edge": 96, "longest_edge": 128}
    ).save_pretrained(folder)
    # The model knows the ends of phrases by the numbers that BERT's tokens have.
    words = {word: 1020 + place for place, word in enumerate(_WORDS)}
    tokenizer({**words, ".": 1012, "[CLS]": 101, "[SEP]": 102}, "[CLS]", "[SEP]").save_pretrained(
        folder
    )
    return _saved(library.GroundingDinoForObjectDetection(config), folder)


def owlv2(folder: Path) -> str:
    """Save an OWLv2 with a processor for small pictures and a tokenizer."""
    library = transformers()
    torch.manual_seed(0)
    config = library.Owlv2Config(
        text_config={
            **_TEXT,
            "vocab_size": 32,
            "max_position_embeddings": 16,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={**_TEXT, "image_size": SIDE, "patch_size": 16},
        projection_dim=32,
    )
    library.Owlv2ImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    tokenizer({word: 4 + place for place, word in enumerate(_WORDS)}).save_pretrained(folder)
    return _saved(library.Owlv2ForObjectDetection(config), folder)


def mask2former(folder: Path) -> str:
    """Save a Mask2Former with a processor for small pictures."""
    library = transformers()
    torch.manual_seed(0)
    config = library.Mask2FormerConfig(
        backbone_config=library.SwinConfig(
            **{**_SWIN, "out_features": ["stage1", "stage2", "stage3", "stage4"]}
        ),
        hidden_dim=32,
        feature_size=32,
        mask_feature_size=32,
        encoder_feedforward_dim=32,
        dim_feedforward=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=6,
    )
    library.Mask2FormerImageProcessorPil(
        size={"shortest_edge": 48, "longest_edge": 96}
    ).save_pretrained(folder)
    return _saved(library.Mask2FormerForUniversalSegmentation(config), folder)


def eomt(folder: Path) -> str:
    """Save an EoMT with a processor for small pictures, which it fills up to a square."""
    library = transformers()
    torch.manual_seed(0)
    config = library.EomtConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=1,
        image_size=SIDE,
        patch_size=8,
        num_blocks=1,
        num_queries=6,
        num_upscale_blocks=1,
        num_register_tokens=1,
    )
    library.EomtImageProcessorPil(
        size={"shortest_edge": SIDE, "longest_edge": SIDE}, do_pad=True
    ).save_pretrained(folder)
    return _saved(library.EomtForUniversalSegmentation(config), folder)


def tokenizer(words: dict[str, int], start: str = "<start>", end: str = "<end>") -> Any:
    """Whole words, put between a start and an end; what fills up is number 0."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = {"<pad>": 0, "<unknown>": 1, start: 2, end: 3, **words}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unknown>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, words[start]), (end, words[end])]
    )
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unknown>", eos_token=end
    )
