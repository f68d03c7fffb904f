"""PSALM as published: a language model reads picture, sentence and queries; queries draw masks.

Zhang et al., "PSALM: Pixelwise SegmentAtion with Large Multi-Modal Model", ECCV 2024 (arXiv
2403.14598). Phi-1.5 reads it all in one pass and says nothing. The states of the queries enter the
masked decoder of Mask2Former; the mean state of the sentence says which of them are meant.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.preprocessing import SAM1, Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, fill, nested
from askmask.models.hub.published.llava import added_token, conversation_of
from askmask.models.hub.published.mask2former import (
    PIXEL_RULES,
    masked_rules,
    pixel_decoder_on_meta,
    swin_on_meta,
    swin_parted,
    swin_rules,
)
from askmask.models.hub.published.psalm_parts import QueryDecoder, Shrinker, phi_on_meta
from askmask.models.hub.published.segmenter import Drawn, PublishedSegmenter, certainty
from askmask.types import Query

__all__ = ["PsalmSeen", "PublishedPsalm"]

_SIDE = 1024
"""Pixels of the square input, by the authors' settings."""

_GREY = 128
"""What pictures are filled up with, before they are normalised."""

_SWIN = "model.vision_tower."

_QUESTION = (
    "This is an image <image>, Please doing Referring Segmentation according to the following "
    "instruction:\n<refer>"
)

_ANSWER = " \nSure, the segmentation result is "

_RULES: Rules = (
    *swin_rules(_SWIN, "eyes."),
    ("model.mm_projector.layer1.0.downsample.", "projector.skip."),
    ("model.mm_projector.layer1.0.", "projector."),
    ("model.mm_projector.fc.", "projector.fc."),
    ("model.layers.*.self_attn.rotary_emb.", None),  # computed, not learned
    ("model.", "language."),
    ("lm_head.", None),  # nothing is said
    *nested(PIXEL_RULES, "pixel_decoder.", "pixels."),
    *masked_rules(
        "predictor.",
        "queries.",
        "transformer_cross_attention_layers",
        "transformer_self_attention_layers",
    ),
    *((f"predictor.SEG_proj.layers.{layer}.", f"queries.match.{2 * layer}.") for layer in range(2)),
    ("predictor.", None),  # for classes, regions, and queries without a language model
    ("seg_query_projector.", "queries.of_query."),
    ("SEG_token_projector.", "queries.of_sentence."),
    ("seg_query", "queries.asked"),
    ("class_name_projector.", None),  # for segmentation without a sentence
    ("region_projector.", None),
    ("criterion.", None),
)


class PsalmSeen(NamedTuple):
    """A picture that Swin has seen.

    Attributes:
        words: (T, width) what the language model reads of it.
        levels: (1, C, h, w) each, from coarse to fine, that queries look at.
        pixels: (1, C, H, W) that masks are drawn from.
        placement: where the picture lies in the square input.
    """

    words: Tensor
    levels: tuple[Tensor, ...]
    pixels: Tensor
    placement: Placement


class PublishedPsalm(PublishedSegmenter):
    """PSALM; of its hundred masks those that the sentence means."""

    system: ClassVar[str] = "PSALM"

    def __init__(
        self,
        source: str,
        where: Where,
        *,
        least_score: float = 0.6,
        side: int = _SIDE,
        **options: Any,
    ) -> None:
        """Load a checkpoint; see `load`."""
        super().__init__(source, **options)
        checkpoint = swin_parted(Checkpoint.open(source), _SWIN)
        eyes = swin_on_meta(checkpoint, _SWIN)
        net = nn.ModuleDict(
            {
                "language": phi_on_meta(checkpoint),
                "eyes": eyes,
                "projector": Shrinker.on_meta(checkpoint),
                "pixels": pixel_decoder_on_meta(checkpoint, "pixel_decoder.", eyes.channels),
                "queries": QueryDecoder.on_meta(checkpoint),
            }
        )
        fill(net, checkpoint, _RULES, where, exact=("eyes", "projector", "pixels", "queries"))
        self._language: Any = net["language"]
        self._net = net
        self._tokenizer = load_part("AutoTokenizer", source)
        self._seg = added_token(self._tokenizer, "[SEG]", source)
        self._where, self._side, self._least = where, side, least_score

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Load a checkpoint that the authors published, e.g. "EnmingZhang/PSALM".

        All but the language model stays in float32.

        Args:
            source: folder, or hub repository with or without @REVISION.
            where: device and precision.
            options: `least_score` of the masks that belong to the answer, 0.6 as in the authors'
                evaluation of several targets; where none has it, the best one is the answer.
                `side` of the square input in pixels. And those of `PublishedSegmenter`.

        Raises:
            ConfigError: for an unknown completer or mask typer.
            WeightsError: when files are missing, gated or broken, or tensors do not fit.
            NoRoomError: when the GPU's memory is too small.
        """
        return cls(source, where or Where(), **options)

    def _see(self, image: NDArray[np.uint8]) -> PsalmSeen:
        placement = SAM1.placement((image.shape[0], image.shape[1]), self._side)
        pixels = _on_grey(SAM1.pixels(image, self._side), placement)
        with out_of_memory(self.model_id):
            features = self._net["eyes"](pixels.to(self._where.torch_device())).feature_maps
            decoded = self._net["pixels"](features)
        return PsalmSeen(
            self._net["projector"](features[-1])[0],
            decoded.multi_scale_features,
            decoded.mask_features,
            placement,
        )

    def _draw(self, seen: PsalmSeen, query: Query) -> Drawn:
        states, sentence = self._read(seen, query)
        with out_of_memory(self.model_id):
            logits, meant = self._net["queries"](seen.levels, seen.pixels, states, sentence)
        scores = meant.sigmoid().cpu().numpy() * certainty(seen.placement.used(logits))
        chosen = np.flatnonzero(scores >= min(self._least, scores.max()))
        return Drawn(seen.placement.rles(logits[chosen]), scores[chosen])

    def _read(self, seen: PsalmSeen, query: Query) -> tuple[Tensor, Tensor]:
        """States of the queries, (Q, width), and of the sentence, (T, width), in float32."""
        queries: Any = self._net["queries"]
        stop = "" if query.text.rstrip().endswith(".") else "."
        sentence = self._embedded([*self._ids(f" {query.text.strip()}{stop}"), self._seg])
        prompt = conversation_of("llava_llama_2").format(question=_QUESTION) + _ANSWER
        before, between, after = (
            self._embedded(self._ids(words)) for words in re.split("<image>|<refer>", prompt)
        )
        pieces = [before, seen.words, between, sentence, after, queries.asked]
        start = len(before) + len(seen.words) + len(between)
        with out_of_memory(self.model_id):
            read = self._language(
                inputs_embeds=torch.cat([piece.to(before) for piece in pieces])[None]
            )
        states = read.last_hidden_state[0].float()
        return states[-len(queries.asked) :], states[start : start + len(sentence)]

    def _embedded(self, ids: list[int]) -> Tensor:
        embed = self._language.get_input_embeddings()
        embedded: Tensor = embed(torch.tensor(ids, device=embed.weight.device))
        return embedded

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return ids


def _on_grey(pixels: Tensor, placement: Placement) -> Tensor:
    """Fill what the picture does not cover with grey instead of the mean."""
    height, width = placement.used_hw or placement.input_hw
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (SAM1.mean, SAM1.std))
    grey = ((_GREY / 255 - mean) / std).expand_as(pixels).clone()
    grey[..., :height, :width] = pixels[..., :height, :width]
    return grey
