"""SAM whose prompts are hidden states of a language model, as LISA and GLaMM use it.

Names are those of Meta's code, which the authors keep; sizes are read off the tensors, so that
ViT-H, L and B all load.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.hub.loading import Where, out_of_memory, transformers
from askmask.models.hub.preprocessing import SAM1, Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, nested
from askmask.models.hub.sam import Sam

__all__ = [
    "PERCEPTRON_RULES",
    "SAM_RULES",
    "TWO_WAY_RULES",
    "PromptedSam",
    "SamSeen",
    "decoder_config",
    "sam_on_meta",
]

_HEADS = 8
"""Heads of Meta's decoder, which no tensor tells."""

PERCEPTRON_RULES: Rules = (
    ("layers.0.", "proj_in."),
    ("layers.1.", "layers.0."),
    ("layers.2.", "proj_out."),
)
"""Perceptron of three layers of Meta -> `SamFeedForward`."""

TWO_WAY_RULES: Rules = (
    ("layers.*.norm1.", "layers.*.layer_norm1."),
    ("layers.*.norm2.", "layers.*.layer_norm2."),
    ("layers.*.norm3.", "layers.*.layer_norm3."),
    ("layers.*.norm4.", "layers.*.layer_norm4."),
    ("norm_final_attn.", "layer_norm_final_attn."),
    ("", ""),
)
"""Transformer of Meta's decoder -> `SamTwoWayTransformer`."""

_DECODER: Rules = (
    *nested(TWO_WAY_RULES, "transformer.", "transformer."),
    ("output_upscaling.0.", "upscale_conv1."),
    ("output_upscaling.1.", "upscale_layer_norm."),
    ("output_upscaling.3.", "upscale_conv2."),
    *nested(PERCEPTRON_RULES, "output_hypernetworks_mlps.*.", "output_hypernetworks_mlps.*."),
    *nested(PERCEPTRON_RULES, "iou_prediction_head.", "iou_prediction_head."),
    ("", ""),
)

SAM_RULES: Rules = (
    ("image_encoder.patch_embed.proj.", "vision_encoder.patch_embed.projection."),
    ("image_encoder.blocks.*.norm1.", "vision_encoder.layers.*.layer_norm1."),
    ("image_encoder.blocks.*.norm2.", "vision_encoder.layers.*.layer_norm2."),
    ("image_encoder.blocks.", "vision_encoder.layers."),
    ("image_encoder.neck.0.", "vision_encoder.neck.conv1."),
    ("image_encoder.neck.1.", "vision_encoder.neck.layer_norm1."),
    ("image_encoder.neck.2.", "vision_encoder.neck.conv2."),
    ("image_encoder.neck.3.", "vision_encoder.neck.layer_norm2."),
    ("image_encoder.", "vision_encoder."),
    (
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "shared_image_embedding.positional_embedding",
    ),
    ("prompt_encoder.point_embeddings.", "prompt_encoder.point_embed."),
    ("prompt_encoder.mask_downscaling.0.", "prompt_encoder.mask_embed.conv1."),
    ("prompt_encoder.mask_downscaling.1.", "prompt_encoder.mask_embed.layer_norm1."),
    ("prompt_encoder.mask_downscaling.3.", "prompt_encoder.mask_embed.conv2."),
    ("prompt_encoder.mask_downscaling.4.", "prompt_encoder.mask_embed.layer_norm2."),
    ("prompt_encoder.mask_downscaling.6.", "prompt_encoder.mask_embed.conv3."),
    *nested(_DECODER, "mask_decoder.", "mask_decoder."),
    ("prompt_encoder.", "prompt_encoder."),
)
"""SAM of Meta -> `SamModel`."""


def sam_on_meta(checkpoint: Checkpoint, prefix: str) -> Any:
    """Build a `SamModel`, without weights, of the sizes that the tensors under `prefix` have."""
    library = transformers()
    vision = f"{prefix}image_encoder."
    _, rows, _, width = checkpoint.shape(f"{vision}pos_embed")
    patch = checkpoint.shape(f"{vision}patch_embed.proj.weight")[-1]
    layers = checkpoint.count(f"{vision}blocks.")
    reach = [
        (checkpoint.shape(f"{vision}blocks.{layer}.attn.rel_pos_h")[0] + 1) // 2
        for layer in range(layers)
    ]
    head_width = checkpoint.shape(f"{vision}blocks.0.attn.rel_pos_h")[1]
    channels = checkpoint.shape(f"{vision}neck.0.weight")[0]
    config = library.SamConfig(
        vision_config={
            "hidden_size": width,
            "output_channels": channels,
            "num_hidden_layers": layers,
            "num_attention_heads": width // head_width,
            "image_size": rows * patch,
            "patch_size": patch,
            "window_size": min(reach),
            "global_attn_indexes": [layer for layer, cells in enumerate(reach) if cells == rows],
            "mlp_dim": checkpoint.shape(f"{vision}blocks.0.mlp.lin1.weight")[0],
            "num_pos_feats": channels // 2,
        },
        prompt_encoder_config={
            "hidden_size": channels,
            "image_size": rows * patch,
            "patch_size": patch,
            "image_embedding_size": rows,
            "mask_input_channels": checkpoint.shape(
                f"{prefix}prompt_encoder.mask_downscaling.3.weight"
            )[0],
        },
        mask_decoder_config=decoder_config(checkpoint, f"{prefix}mask_decoder."),
    )
    with torch.device("meta"):
        return library.SamModel(config)


def decoder_config(
    checkpoint: Checkpoint, prefix: str, transformer: str = "transformer."
) -> dict[str, Any]:
    """Arguments of `SamMaskDecoderConfig` for the decoder under `prefix`."""
    masks, width = checkpoint.shape(f"{prefix}mask_tokens.weight")
    layers, head = f"{prefix}{transformer}layers.", f"{prefix}iou_prediction_head.layers."
    return {
        "hidden_size": width,
        "mlp_dim": checkpoint.shape(f"{layers}0.mlp.lin1.weight")[0],
        "num_hidden_layers": checkpoint.count(layers),
        "num_attention_heads": _HEADS,
        "layer_norm_eps": 1e-5,  # torch's own, as Meta's code has it; transformers says 1e-6
        "num_multimask_outputs": masks - 1,
        "iou_head_depth": checkpoint.count(head),
        "iou_head_hidden_dim": checkpoint.shape(f"{head}0.weight")[0],
    }


class SamSeen(NamedTuple):
    """A picture that SAM has seen.

    Attributes:
        embedding: (1, C, h, w) float32.
        placement: where the picture lies in the square input.
    """

    embedding: Tensor
    placement: Placement


class PromptedSam:
    """The image encoder and the mask decoder, with prompts from elsewhere."""

    def __init__(self, model: Any, where: Where) -> None:
        """Wrap a `SamModel` in float32; its image encoder computes in the precision of `where`."""
        self._sam = Sam(model, SAM1, where)

    def see(self, image: NDArray[np.uint8]) -> SamSeen:
        """Encode a picture, (H, W, 3) uint8 RGB."""
        return SamSeen(self._sam.embedding(image), self._sam.placement(image))

    def draw(self, seen: SamSeen, prompts: Tensor) -> Tensor:
        """One mask a prompt, with gradients where they are on.

        Args:
            seen: the picture.
            prompts: (M, C) hidden states, projected to the decoder's width.

        Returns:
            (M, h, w) float32 logits on a grid over the square input.
        """
        model = self._sam.model
        with out_of_memory("SAM"):
            _, dense = model.prompt_encoder(
                input_points=None, input_labels=None, input_boxes=None, input_masks=None
            )
            masks, _ = model.mask_decoder(
                image_embeddings=seen.embedding,
                image_positional_embeddings=model.get_image_wide_positional_embeddings(),
                sparse_prompt_embeddings=prompts.float()[None, :, None],
                dense_prompt_embeddings=dense,
                multimask_output=False,
            )
        found: Tensor = masks[0, :, 0]
        return found
