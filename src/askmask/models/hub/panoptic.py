"""Mask2Former and EoMT: every mask that they are sure of is a candidate, whatever its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.nms import mask_iou, suppress
from askmask.models.hub.preprocessing import Placement
from askmask.models.visible import visible_candidates
from askmask.types import Candidates

__all__ = ["PanopticProposer"]


class PanopticProposer:
    """`Proposer` of the segments of a model with a fixed set of classes.

    The score of a segment is the probability of its best class times the mean probability of its
    pixels. Segments may overlap: unlike in panoptic maps, no pixel has to be given to one of them.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        where: Where,
        *,
        least_score: float = 0.3,
        most_overlap: float = 0.7,
    ) -> None:
        """Wrap a model.

        Args:
            model: with `masks_queries_logits` and `class_queries_logits` in its output.
            processor: of its pictures.
            where: device and precision.
            least_score: segments below it are dropped.
            most_overlap: of two segments with a greater IoU the surer one stays.
        """
        self._model = model
        self._processor = processor
        self._where = where
        self._least_score = least_score
        self._most_overlap = most_overlap

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: float) -> PanopticProposer:
        """Load Mask2Former or EoMT from a folder or a repository.

        Args:
            source: of the model and its image processor.
            where: device and precision.
            options: of the class.
        """
        where = where or Where()
        model = load_part("AutoModelForUniversalSegmentation", source, where)
        return cls(model, load_part("AutoImageProcessor", source), where, **options)

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find segments in `image`, (H, W, 3) uint8 RGB, the surest first; there may be none."""
        made = self._processor(images=image, input_data_format="channels_last", return_tensors="pt")
        pixels = made["pixel_values"].to(self._where.torch_device(), self._where.torch_dtype())
        with torch.inference_mode(), out_of_memory(type(self._model).__name__):
            found = self._model(pixel_values=pixels)
        placement = self._placement(made, (image.shape[0], image.shape[1]))
        logits = found.masks_queries_logits[0].float()
        score = _scores(found.class_queries_logits[0].float(), placement.used(logits))
        order = score.argsort(descending=True, stable=True)
        order = order[score[order] >= self._least_score]
        inside = placement.used(logits[order]) > 0
        order = order[suppress(mask_iou(inside), score[order], self._most_overlap)]
        codes = placement.rles(logits[order])
        return visible_candidates(codes, score[order].cpu().numpy(), placement.picture_hw)

    def _placement(self, made: Mapping[str, Tensor], picture_hw: tuple[int, int]) -> Placement:
        """How the processor placed the picture: stretched, or at the top left and filled up."""
        height, width = input_hw = made["pixel_values"].shape[2], made["pixel_values"].shape[3]
        if "pixel_mask" in made:
            covered = made["pixel_mask"][0].bool()
            used_hw = int(covered.any(1).sum()), int(covered.any(0).sum())
        elif getattr(self._processor, "do_pad", False):
            scale = min(height / picture_hw[0], width / picture_hw[1])
            used_hw = round(picture_hw[0] * scale), round(picture_hw[1] * scale)
        else:
            used_hw = input_hw
        return Placement(picture_hw, input_hw, None if used_hw == input_hw else used_hw)


def _scores(classes: Tensor, masks: Tensor) -> Tensor:
    """Scores (N,) from class logits (N, C + 1), the last "nothing", and mask logits (N, h, w).

    A segment without a pixel has score 0.
    """
    best = classes.softmax(1)[:, :-1].amax(1)
    inside = (masks > 0).flatten(1)
    likely = (masks.sigmoid().flatten(1) * inside).sum(1)
    return best * likely / inside.sum(1).clamp(min=1)
