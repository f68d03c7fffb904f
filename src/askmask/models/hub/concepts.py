"""SAM 3 asked for concepts: noun phrases -> masks of all instances, without boxes in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.hub.grounding import WordProposer
from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.nms import mask_iou, suppress
from askmask.models.hub.preprocessing import SAM3
from askmask.models.hub.remembered import Remembered
from askmask.models.visible import visible_candidates
from askmask.types import Candidates

__all__ = ["Sam3Concepts"]

_MOST_OVERLAP = 0.7
"""Of two masks with a greater IoU, as two phrases may find them, the surer one stays."""

_WORDS = 32
"""Length of a phrase, in tokens, that the text encoder was trained with."""


class Sam3Concepts(WordProposer):
    """SAM 3's own detector; the picture is encoded once for all phrases and sentences."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        where: Where,
        *,
        vocabulary: Sequence[str] = (),
        least_score: float = 0.3,
    ) -> None:
        """Wrap a `Sam3Model`; `least_score` is its authors' choice."""
        self.vocabulary = tuple(vocabulary)
        self._model = model
        self._tokenizer = tokenizer
        self._where = where
        self._least_score = least_score
        self._seen = Remembered(self._encoded)
        self._side: int = model.config.vision_config.backbone_config.image_size

    @classmethod
    def load(
        cls,
        source: str,
        where: Where | None = None,
        *,
        vocabulary: Sequence[str] = (),
        least_score: float = 0.3,
    ) -> Sam3Concepts:
        """Load SAM 3 from a folder or a repository.

        Args:
            source: of a `Sam3Model` and its tokenizer.
            where: device and precision.
            vocabulary: phrases that are looked for in every picture; none asks per sentence.
            least_score: masks below it are dropped.
        """
        where = replace(where or Where(), four_bit=False)
        model = load_part("Sam3Model", source, where)
        tokenizer = load_part("AutoTokenizer", source)
        return cls(model, tokenizer, where, vocabulary=vocabulary, least_score=least_score)

    def find(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> Candidates:
        """Find what `phrases`, one at least, name in a picture, the surest first."""
        with torch.inference_mode(), out_of_memory("SAM 3"):
            seen = self._seen(image)
            found = [self._masks(seen, phrase) for phrase in phrases]
        logits, score = (torch.cat(parts) for parts in zip(*found, strict=True))
        order = score.argsort(descending=True, stable=True)
        order = order[suppress(mask_iou(logits[order] > 0), score[order], _MOST_OVERLAP)]
        size_hw = image.shape[0], image.shape[1]
        codes = SAM3.placement(size_hw, self._side).rles(logits[order])
        return visible_candidates(codes, score[order].cpu().numpy(), size_hw)

    def _encoded(self, image: NDArray[np.uint8]) -> Any:
        pixels = SAM3.pixels(image, self._side)
        where = self._where
        return self._model.get_vision_features(pixels.to(where.torch_device(), where.torch_dtype()))

    def _masks(self, seen: Any, phrase: str) -> tuple[Tensor, Tensor]:
        """Logits (N, h, w) and scores (N,) of what one phrase names."""
        words = self._tokenizer(
            phrase, return_tensors="pt", padding="max_length", truncation=True, max_length=_WORDS
        ).to(self._where.torch_device())
        found = self._model(
            vision_embeds=seen,
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
        )
        score = (found.pred_logits.sigmoid() * found.presence_logits.sigmoid())[0].float()
        sure = score >= self._least_score
        return found.pred_masks[0][sure].float(), score[sure]
