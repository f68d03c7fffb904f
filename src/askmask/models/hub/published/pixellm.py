"""PixelLM as published: a codebook of tokens for each target, and a light decoder on CLIP.

Ren et al., "PixelLM: Pixel Reasoning with Large Multimodal Model", CVPR 2024 (arXiv 2312.02228).
The model says [SEG0] … [SEG5] for each target: three tokens a level of features, whose sum prompts
that level. The factors of that sum are in no published file, as the authors hold them outside of
their module; they are what they were when training began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.hub.loading import Where, load_file, out_of_memory
from askmask.models.hub.preprocessing import SAM1, Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, nested
from askmask.models.hub.published.light_decoder import DECODER, LightDecoder
from askmask.models.hub.published.llava import Llava, Patches, Piece, question_of
from askmask.models.hub.published.llava_parts import (
    LLAVA_RULES,
    PROMPT_RULES,
    language_on_meta,
    perceptron_on_meta,
    projector,
    prompt_projection,
)
from askmask.models.hub.published.prompted_sam import PERCEPTRON_RULES, TWO_WAY_RULES
from askmask.models.hub.published.speaker import PublishedSpeaker
from askmask.types import Query

__all__ = ["PixellmSeen", "PublishedPixellm"]

_FOLDER = "hf_model"
"""Where the authors' repositories have the checkpoint."""

_SIDE = 448
"""Pixels of the square input, by the authors' settings."""

_WORDS_SIDE = 16
"""Rows and columns of a picture that the language model reads."""

_EARLY = -11
"""Layer of CLIP whose features the decoder sees beside those that the language model reads."""

_MAPS = "model.out_mm_projector."

_RULES: Rules = (
    *LLAVA_RULES,
    *PROMPT_RULES,
    (_MAPS, "maps."),
    ("model.image_feature_neck.", "decoder.neck."),
    (
        "model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "decoder.places.0.positional_embedding",
    ),
    ("model.prompt_encoder.no_mask_embed.", "decoder.no_mask."),
    ("model.prompt_encoder.", None),  # for points, boxes and masks, which are no prompts here
    (
        f"{DECODER}pe1.positional_encoding_gaussian_matrix",
        "decoder.places.1.positional_embedding",
    ),
    (f"{DECODER}iou_token.", "decoder.iou_token."),
    (f"{DECODER}mask_tokens.", "decoder.mask_tokens."),
    (f"{DECODER}level_embed.", "decoder.level."),
    (f"{DECODER}upsample_2x.", "decoder.enlarge."),
    (f"{DECODER}output_upscaling.", "decoder.upscale."),
    *nested(TWO_WAY_RULES, f"{DECODER}transformer.*.", "decoder.transformer.*."),
    *nested(PERCEPTRON_RULES, f"{DECODER}output_hypernetworks_mlps.0.", "decoder.hyper."),
    (f"{DECODER}output_hypernetworks_mlps.", None),  # of masks that are never asked for
    (f"{DECODER}iou_prediction_head.", None),  # not trained
)


class PixellmSeen(NamedTuple):
    """A picture that CLIP has seen.

    Attributes:
        words: what the language model reads of it.
        maps: (L, C, h, w) what the decoder draws from.
        placement: where the picture lies in the square input.
    """

    words: Patches
    maps: Tensor
    placement: Placement


class PublishedPixellm(PublishedSpeaker):
    """PixelLM; one mask for each complete codebook that it says."""

    system: ClassVar[str] = "PixelLM"
    exact: ClassVar[tuple[str, ...]] = ("decoder",)

    def __init__(self, source: str, where: Where, **options: Any) -> None:
        """Load a checkpoint, e.g. "maverickrzw/PixelLM-7B"; see `load`."""
        super().__init__(source, where, **options)
        _resize_places(self._llava.vision, self._side)

    def _opened(self, source: str) -> Checkpoint:
        inside = load_file(source, f"{_FOLDER}/config.json") is not None
        return Checkpoint.open(source, _FOLDER if inside else "")

    def _network(self, checkpoint: Checkpoint) -> nn.ModuleDict:
        self._side: int = checkpoint.config.get("resize_vision_tower_size", _SIDE)
        return nn.ModuleDict(
            {
                "language": language_on_meta(checkpoint),
                "projector": projector(checkpoint),
                "to_prompt": prompt_projection(checkpoint),
                "maps": perceptron_on_meta(checkpoint, _MAPS),
                "decoder": LightDecoder.on_meta(checkpoint),
            }
        )

    def _rules(self) -> Rules:
        return _RULES

    def _marks_of(self, llava: Llava) -> dict[str, int]:
        return llava.tokens("[SEG{}]")

    def _see(self, image: NDArray[np.uint8]) -> PixellmSeen:
        placement = SAM1.placement((image.shape[0], image.shape[1]), self._side)
        states, visible = _looked(self._llava.vision, SAM1.pixels(image, self._side), placement)
        late, early = states[self._llava.layer][1:], states[_EARLY][1:]
        cells = visible.shape[-1]
        grid = late.T.view(1, -1, cells, cells)
        small = functional.interpolate(grid.float(), (_WORDS_SIDE, _WORDS_SIDE), mode="bilinear")
        read = functional.interpolate(visible, (_WORDS_SIDE, _WORDS_SIDE), mode="nearest")
        words = self._net["projector"](small[0].flatten(1).T.to(late.dtype))
        maps = self._net["maps"](torch.stack([late, early])).float()
        return PixellmSeen(
            Patches(words, read.flatten() > 0),
            maps.transpose(1, 2).unflatten(2, (cells, cells)),
            placement,
        )

    def _pieces(self, seen: Any, query: Query) -> list[Piece]:
        before, after = self._conversation.split("{question}")
        question = f"<im_end>\n{question_of(query.text)}{after}"
        return [f"{before}<im_start>", seen.words, question]

    def _masks(self, seen: Any, prompts: Tensor) -> Tensor:
        levels, marks = len(seen.maps), len(self._marks)
        # (M, L, tokens a level, C), of which each level's are summed.
        books = prompts.float().view(-1, levels, marks // levels, prompts.shape[1])
        with out_of_memory(self.model_id):
            logits: Tensor = self._net["decoder"](seen.maps, books.sum(2) / marks)
        return logits


def _resize_places(vision: Any, side: int) -> None:
    """Stretch CLIP's learned places to a larger input, as the authors do.

    They take the last place for that of the class token, which is the first: all places are off by
    one. The weights were trained so.
    """
    parts = vision.embeddings
    places = parts.position_embedding.weight
    before, cells = round((len(places) - 1) ** 0.5), side // parts.patch_size
    grid = places[:-1].T.reshape(1, -1, before, before).float()
    grid = functional.interpolate(grid, (cells, cells), mode="bilinear")
    stretched = torch.cat([grid[0].flatten(1).T.to(places.dtype), places[-1:]])
    parts.position_embedding.weight = nn.Parameter(stretched, requires_grad=False)
    parts.position_ids = torch.arange(len(stretched), device=places.device)[None]
    parts.image_size = side


def _looked(vision: Any, pixels: Tensor, placement: Placement) -> tuple[Sequence[Tensor], Tensor]:
    """Hidden states of CLIP, (1 + T, width) each, none of which looks at what fills up.

    Returns:
        The states, and (1, 1, rows, columns) 1.0 where a patch begins in the picture.
    """
    height, width = placement.used_hw or placement.input_hw
    inside = torch.zeros(1, 1, *placement.input_hw, device=vision.device)
    inside[..., :height, :width] = 1
    cells = placement.input_hw[0] // vision.embeddings.patch_size
    visible = functional.interpolate(inside, (cells, cells), mode="nearest")
    with torch.inference_mode(), out_of_memory("CLIP"):
        x = vision.pre_layrnorm(vision.embeddings(pixels.to(vision.device, vision.dtype)))
        unseen = functional.pad(visible.flatten(), (1, 0), value=1) == 0
        mask = torch.zeros(1, 1, 1, len(unseen), dtype=x.dtype, device=x.device)
        mask = mask.masked_fill(unseen, torch.finfo(x.dtype).min).expand(-1, -1, len(unseen), -1)
        states = [x[0]]
        for layer in vision.encoder.layers:
            x = layer(x, mask)
            states.append(x[0])
    return states, visible
