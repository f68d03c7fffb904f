"""Proposers that look for words: Grounding DINO and OWLv2 find boxes, SAM turns them into masks.

A proposer sees a picture before any sentence is known. These two have nothing to look for then,
and there are two ways out:

- *A vocabulary*, given when the model is loaded: its phrases are looked for once, in `propose`,
  and all sentences choose among what was found, as with any proposer.
- *Sentences*, without a vocabulary: `propose` finds nothing, `needs_text` says why, and the
  pipeline asks `propose_for` for candidates of each sentence. The noun phrases of the sentence are
  looked for, those of occluders and neighbours too: the selector needs something to compare with.

So no other stage, and no proposer that needs no words, knows of sentences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.nms import box_iou, suppress
from askmask.models.hub.phrases import noun_phrases
from askmask.models.hub.sam import Sam
from askmask.models.visible import visible_candidates
from askmask.types import Candidates

__all__ = ["DEFAULT_SAM", "GroundingDino", "Owlv2", "WordProposer"]

DEFAULT_SAM = "facebook/sam2.1-hiera-tiny"
"""Repository of the model that turns boxes into masks."""

_MOST_OVERLAP = 0.7
"""Of two boxes with a greater IoU, the surer one stays."""


class WordProposer(ABC):
    """A proposer that looks for phrases; see the head of this file."""

    vocabulary: tuple[str, ...]

    @property
    def needs_text(self) -> bool:
        """Whether it has to be asked again for each sentence."""
        return not self.vocabulary

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find what the vocabulary names in `image`, (H, W, 3) uint8 RGB; nothing without one."""
        if self.needs_text:
            return visible_candidates((), (), (image.shape[0], image.shape[1]))
        return self.find(image, self.vocabulary)

    def propose_for(self, image: NDArray[np.uint8], text: str) -> Candidates:
        """Find what a sentence names in `image`, (H, W, 3) uint8 RGB; there may be nothing."""
        return self.find(image, noun_phrases(text))

    @abstractmethod
    def find(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> Candidates:
        """Find what `phrases`, one at least, name in a picture, the surest first."""


class _Boxes(NamedTuple):
    """Boxes (N, 4) x0, y0, x1, y1 in pixels of the picture, and scores (N,) in [0, 1]."""

    xyxy: Tensor
    score: Tensor


class _BoxProposer(WordProposer):
    """A detector of words, and SAM."""

    _CLASS: str
    _LEAST_SCORE: float

    def __init__(
        self,
        model: Any,
        processor: Any,
        tokenizer: Any,
        sam: Sam,
        where: Where,
        *,
        vocabulary: Sequence[str] = (),
        least_score: float | None = None,
    ) -> None:
        self.vocabulary = tuple(vocabulary)
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._sam = sam
        self._device = where.torch_device()
        self._least_score = self._LEAST_SCORE if least_score is None else least_score

    @classmethod
    def load(
        cls,
        source: str,
        where: Where | None = None,
        *,
        sam: str = DEFAULT_SAM,
        vocabulary: Sequence[str] = (),
        least_score: float | None = None,
    ) -> Self:
        """Load the detector and SAM from folders or repositories.

        Args:
            source: of the detector.
            where: device and precision; the detector, whose boxes must be exact, stays in float32.
            sam: source of SAM 1, 2 or 3.
            vocabulary: phrases that are looked for in every picture; none asks per sentence.
            least_score: boxes below it are dropped; None for what the detector's authors use.
        """
        where = where or Where()
        exact = replace(where, dtype="float32", four_bit=False)
        return cls(
            load_part(cls._CLASS, source, exact),
            load_part("AutoImageProcessor", source),
            load_part("AutoTokenizer", source),
            Sam.load(sam, where),
            where,
            vocabulary=vocabulary,
            least_score=least_score,
        )

    def find(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> Candidates:
        """Find what `phrases`, one at least, name in a picture, the surest first."""
        with torch.inference_mode(), out_of_memory(self._CLASS):
            boxes = self._boxes(image, phrases)
        sure = boxes.score >= self._least_score
        boxes = _Boxes(boxes.xyxy[sure], boxes.score[sure])
        keep = suppress(box_iou(boxes.xyxy), boxes.score, _MOST_OVERLAP).nonzero()[:, 0]
        if not len(keep):
            return visible_candidates((), (), (image.shape[0], image.shape[1]))
        keep = keep[boxes.score[keep].argsort(descending=True, stable=True)]
        found = self._sam.refine(image, boxes=boxes.xyxy[keep].cpu().numpy())
        return replace(found, score=boxes.score[keep].cpu().numpy())

    @abstractmethod
    def _boxes(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> _Boxes: ...

    def _pixels(self, image: NDArray[np.uint8]) -> dict[str, Tensor]:
        """Inputs that hold the picture."""
        made = self._processor(images=image, input_data_format="channels_last", return_tensors="pt")
        return {
            name: values.to(self._device)
            for name, values in made.items()
            if name in ("pixel_values", "pixel_mask")
        }


class GroundingDino(_BoxProposer):
    """Grounding DINO and MM Grounding DINO: all phrases are read in one pass."""

    _CLASS = "AutoModelForZeroShotObjectDetection"
    _LEAST_SCORE = 0.25

    def _boxes(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> _Boxes:
        caption = ". ".join(phrase.lower().replace(".", " ") for phrase in phrases) + "."
        words = self._tokenizer(
            caption,
            return_tensors="pt",
            return_token_type_ids=True,
            truncation=True,
            max_length=self._model.config.max_text_len,
        ).to(self._device)
        found = self._model(**self._pixels(image), **words)
        score = found.logits[0].sigmoid().amax(1)
        return _Boxes(_corners(found.pred_boxes[0], (image.shape[0], image.shape[1])), score)


class Owlv2(_BoxProposer):
    """OWLv2: each phrase is compared with every place of the picture."""

    _CLASS = "Owlv2ForObjectDetection"
    _LEAST_SCORE = 0.1

    def _boxes(self, image: NDArray[np.uint8], phrases: Sequence[str]) -> _Boxes:
        words = self._tokenizer(
            [f"a photo of a {phrase}" for phrase in phrases],
            return_tensors="pt",
            padding="max_length",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
        )
        found = self._model(
            **self._pixels(image),
            input_ids=words["input_ids"].to(self._device),
            attention_mask=words["attention_mask"].to(self._device),
        )
        score = found.logits[0].amax(1).sigmoid()
        side = max(image.shape[:2])  # its input is the picture, made square below or at the right
        boxes = _corners(found.pred_boxes[0], (side, side))
        limits = boxes.new_tensor([image.shape[1], image.shape[0]] * 2)
        return _Boxes(torch.minimum(boxes, limits), score)


def _corners(boxes: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Turn (N, 4) centre x, y, width and height, as shares of a size, into corners in pixels."""
    centre, extent = boxes[:, :2], boxes[:, 2:]
    corners = torch.cat([centre - extent / 2, centre + extent / 2], 1)
    return corners * boxes.new_tensor([size_hw[1], size_hw[0]] * 2)
