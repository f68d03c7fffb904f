"""SAM whose mask decoder has learnt whole shapes: from the box of what is seen, all that is there.

After SAMEO (Tai et al., "Segment Anything, Even Occluded", CVPR 2025, arXiv 2503.06261): the image
encoder stays as it was published, so that one embedding of a picture serves all its masks; a box
prompts each shape, and the head that expects the IoU of a mask says how sure it is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import WeightsError
from askmask.formats.files import write_json
from askmask.models.completion import MaskCompleter
from askmask.models.hub.loading import Where, load_file
from askmask.models.hub.prompts import Prompts, boxes_of
from askmask.models.hub.sam import Sam

__all__ = ["MARK", "AmodalSam"]

MARK = "amodal_sam.json"
"""File beside the weights of a SAM that completes; a published SAM draws visible parts only."""


class AmodalSam(MaskCompleter):
    """Completes masks by a SAM of any generation with a decoder trained for it.

    Attributes:
        sam: the model.
    """

    def __init__(self, sam: Sam, model_id: str) -> None:
        """Use a model that is loaded; `load` opens one that `save_pretrained` wrote."""
        self.sam = sam
        self.model_id = model_id

    @classmethod
    def load(cls, name: str, where: Where | None = None, *, batch: int | None = None) -> AmodalSam:
        """Open what `save_pretrained` wrote.

        Args:
            name: folder, or name of a hub repository.
            where: device and precision.
            batch: masks that are completed at once; None for what suits the device.

        Raises:
            WeightsError: when the files are missing, broken, too large for the memory, or those of
                a SAM that has not learnt whole shapes.
        """
        if load_file(name, MARK) is None:
            raise WeightsError(
                f"{name}: {MARK} is missing, so this SAM draws what is seen, not whole shapes; "
                "train one with `askmask train hub:amodal-sam`"
            )
        return cls(Sam.load(name, where, batch=batch), name)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the whole SAM, which transformers can load too, and what says that it completes.

        Raises:
            OutputError: when it cannot be written.
        """
        self.sam.model.save_pretrained(folder)
        write_json(Path(folder) / MARK, {"prompt": "box"})

    def _guess(
        self, image: NDArray[np.uint8], modal: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        amodal, confidence = modal.copy(), np.zeros(len(modal), np.float32)
        asked = np.flatnonzero(modal.any((1, 2)))
        if not len(asked):
            return amodal, confidence
        placement = self.sam.placement(image)
        prompts = Prompts(boxes_xyxy=boxes_of(modal[asked]))
        start = 0
        for found in self.sam.decode(image, prompts, several=False):
            rows = asked[start : start + len(found.iou)]
            start += len(rows)
            amodal[rows] = [rle.decode(code) for code in placement.rles(found.logits[:, 0])]
            confidence[rows] = found.iou[:, 0].clamp(0, 1).cpu().numpy()
        return amodal, confidence
