"""ReLA as published: Swin hears the sentence after each stage; regions vote for one fused mask.

Liu et al., "GRES: Generalized Referring Expression Segmentation", CVPR 2023 (arXiv 2306.00968). The
authors' checkpoint is a file of detectron2's, on no hub.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.preprocessing import SAM2, Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, fill, nested
from askmask.models.hub.published.mask2former import (
    PIXEL_RULES,
    masked_rules,
    pixel_decoder_on_meta,
    swin_on_meta,
    swin_parted,
    swin_rules,
)
from askmask.models.hub.published.rela_parts import Mixer, RegionDecoder, Voted, bert_on_meta
from askmask.models.hub.published.segmenter import Drawn, PublishedSegmenter
from askmask.types import Query

__all__ = ["PublishedRela", "RelaSeen"]

_SIDE = 480
"""Pixels of the square input, over which pictures are stretched, by the authors' settings."""

_MOST_WORDS = 20
"""Word pieces that are read; shorter sentences are filled up, and the fill is heard too."""

_TOKENIZER = "google-bert/bert-base-uncased"

_SWIN = "backbone."

_PIXELS = "sem_seg_head.pixel_decoder."

_REGIONS = "sem_seg_head.predictor."

_FUSION = f"{_SWIN}layers.*.fusion."

_RULES: Rules = (
    (f"{_FUSION}vis_project.0.", "mixers.*.look."),
    (f"{_FUSION}image_lang_att.f_query.0.", "mixers.*.query."),
    (f"{_FUSION}image_lang_att.f_key.0.", "mixers.*.key."),
    (f"{_FUSION}image_lang_att.f_value.0.", "mixers.*.value."),
    (f"{_FUSION}image_lang_att.W.0.", "mixers.*.tell."),
    (f"{_FUSION}project_mm.0.", "mixers.*.mix."),
    (f"{_SWIN}layers.*.res_gate.", "mixers.*.gate."),
    *swin_rules(_SWIN, "eyes."),
    *nested(PIXEL_RULES, _PIXELS, "pixels."),
    *masked_rules(_REGIONS, "regions.", "RIA_layers", "RLA_vision"),
    (f"{_REGIONS}query_feat.", "regions.start."),
    (f"{_REGIONS}lang_proj.", "regions.hear."),
    (f"{_REGIONS}RLA_lang_att.multihead_attn.", "regions.listen."),
    (f"{_REGIONS}RLA_lang_att.norm.", "regions.listen_norm."),
    (f"{_REGIONS}lang_weight", "regions.loudness"),
    (f"{_REGIONS}minimap_embed.", "regions.minimap."),
    *(
        (f"{_REGIONS}nt_embed.layers.{layer}.", f"regions.absent.{2 * layer}.")
        for layer in range(2)
    ),
    ("text_encoder.embeddings.position_ids", None),  # computed, not learned
    ("text_encoder.pooler.", None),
    ("text_encoder.", "words."),
    ("criterion.", None),
)


class RelaSeen(NamedTuple):
    """A picture; what is seen in it depends on the sentence.

    Attributes:
        pixels: (1, 3, S, S) the input of Swin.
        placement: how the picture lies in it.
    """

    pixels: Tensor
    placement: Placement


class PublishedRela(PublishedSegmenter):
    """ReLA; one fused mask of all that is meant, or none."""

    system: ClassVar[str] = "ReLA"

    def __init__(
        self,
        source: str,
        where: Where,
        *,
        tokenizer: str = _TOKENIZER,
        side: int = _SIDE,
        **options: Any,
    ) -> None:
        """Load a checkpoint; see `load`."""
        super().__init__(source, **options)
        checkpoint = swin_parted(Checkpoint.of_file(source), _SWIN)
        eyes = swin_on_meta(checkpoint, _SWIN)
        parts = {
            "words": bert_on_meta(checkpoint, "text_encoder."),
            "eyes": eyes,
            "mixers": Mixer.on_meta(checkpoint, _SWIN),
            "pixels": pixel_decoder_on_meta(checkpoint, _PIXELS, eyes.channels),
            "regions": RegionDecoder.on_meta(checkpoint, _REGIONS),
        }
        self._net = nn.ModuleDict(parts)
        fill(self._net, checkpoint, _RULES, where, exact=tuple(parts))
        self._tokenizer = load_part("AutoTokenizer", tokenizer)
        self._device, self._side = where.torch_device(), side

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Load a checkpoint that the authors published.

        All of it stays in float32.

        Args:
            source: the file.
            where: device.
            options: `tokenizer`, a folder or hub repository; `side` of the square input in pixels;
                and those of `PublishedSegmenter`.

        Raises:
            ConfigError: for an unknown completer or mask typer.
            WeightsError: when files are missing or broken, or tensors do not fit.
            NoRoomError: when the GPU's memory is too small.
        """
        return cls(source, where or Where(), **options)

    def _see(self, image: NDArray[np.uint8]) -> RelaSeen:
        pixels = SAM2.pixels(image, self._side).to(self._device)
        return RelaSeen(pixels, SAM2.placement((image.shape[0], image.shape[1]), self._side))

    def _draw(self, seen: RelaSeen, query: Query) -> Drawn:
        voted = self._voted(seen, query)
        none = float(voted.absent.softmax(0)[1])
        if none > 0.5:
            return Drawn([], np.zeros(0, np.float32), none=none)
        logits = voted.masks[1] - voted.masks[0]
        return Drawn.of(logits[None], seen.placement)._replace(none=none)

    def _voted(self, seen: RelaSeen, query: Query) -> Voted:
        """What regions say of a sentence, with gradients where they are on."""
        ids = self._tokenizer(query.text).input_ids[:_MOST_WORDS]
        fill_up = [0] * (_MOST_WORDS - len(ids))
        heard = torch.tensor([[1] * len(ids) + fill_up], device=self._device)
        with out_of_memory(self.model_id):
            read = torch.tensor([ids + fill_up], device=self._device)
            words = self._net["words"](read, attention_mask=heard).last_hidden_state[0]
            decoded = self._net["pixels"](self._features(seen.pixels, words, heard[0]))
            voted: Voted = self._net["regions"](
                decoded.multi_scale_features, decoded.mask_features, words
            )
        return voted

    def _features(self, pixels: Tensor, words: Tensor, heard: Tensor) -> list[Tensor]:
        """Features (1, C, h, w) of four stages, each told the words before the next looks."""
        eyes: Any = self._net["eyes"]
        mixers: Any = self._net["mixers"]
        x, size_hw = eyes.swin.embeddings(pixels)
        features = []
        norms = eyes.hidden_states_norms.values()
        for stage, mixer, norm in zip(eyes.swin.encoder.layers, mixers, norms, strict=True):
            for block in stage.blocks:
                x = block(x, size_hw, always_partition=True)[0]
            mixed = mixer(x[0], words, heard)[None]
            features.append(norm(mixed).mT.unflatten(2, size_hw))
            if stage.downsample is not None:
                x = stage.downsample(x + mixer.gate(mixed) * mixed, size_hw)
                size_hw = ((size_hw[0] + 1) // 2, (size_hw[1] + 1) // 2)
        return features
