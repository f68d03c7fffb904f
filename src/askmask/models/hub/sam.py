"""SAM 1, 2 and 3 behind one adapter: a picture is encoded once, prompts are decoded in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from askmask.errors import ConfigError
from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.preprocessing import SAM1, SAM2, SAM3, Placement, Preprocessing
from askmask.models.hub.prompts import Prompts
from askmask.models.hub.remembered import Remembered
from askmask.models.visible import visible_candidates
from askmask.rle import RLE
from askmask.types import Candidates, Masks

__all__ = ["Decoded", "Sam"]

_FAMILIES: dict[str, tuple[str, Preprocessing]] = {
    "sam": ("SamModel", SAM1),
    "sam2": ("Sam2Model", SAM2),
    "sam2_video": ("Sam2Model", SAM2),
    "sam3": ("Sam3TrackerModel", SAM3),
    "sam3_video": ("Sam3TrackerModel", SAM3),
    "sam3_tracker": ("Sam3TrackerModel", SAM3),
    "sam3_tracker_video": ("Sam3TrackerModel", SAM3),
}
"""`model_type` of a published configuration -> class that takes prompts, and its input."""

_INSIDE = 10.0
"""Logit of a pixel inside a mask that is given as a prompt; outside it is minus that."""


class Decoded(NamedTuple):
    """Answers to P prompts.

    Attributes:
        logits: (P, M, h, w) float32 on the decoder's grid, positive inside.
        iou: (P, M) float32, the IoU that the model expects each mask to have.
    """

    logits: Tensor
    iou: Tensor


class Sam:
    """A promptable model of any of the three generations.

    Attributes:
        model: `SamModel`, `Sam2Model` or `Sam3TrackerModel`.
        preprocessing: what it wants pictures to be.
        on_cpu: whether it computes without a GPU.
    """

    def __init__(
        self, model: Any, preprocessing: Preprocessing, where: Where, *, batch: int | None = None
    ) -> None:
        """Wrap a model.

        Args:
            model: of one of the three classes.
            preprocessing: of its pictures.
            where: device, and precision of the image encoder.
            batch: prompts that are decoded at once; None for 64 on a GPU and 4 on a CPU, where more
                only take more memory.
        """
        self.model = model
        self.preprocessing = preprocessing
        self._where = where
        self._device = where.torch_device()
        self.on_cpu: bool = self._device.type == "cpu"
        self._batch = batch or (4 if self.on_cpu else 64)
        self._side: int = model.config.prompt_encoder_config.image_size
        self._patch: int = model.config.prompt_encoder_config.patch_size
        self._embedding = Remembered(self._encoded)

    @classmethod
    def load(cls, source: str, where: Where | None = None, *, batch: int | None = None) -> Sam:
        """Load a model.

        The weights stay in float32, and where a lower precision is asked for only the image encoder
        computes in it: bfloat16 cannot tell a pixel of 1024 from its neighbours.

        Args:
            source: folder that `save_pretrained` wrote, or name of a hub repository.
            where: device and precision.
            batch: prompts that are decoded at once; None for what suits the device.

        Raises:
            ConfigError: when the folder holds another kind of model.
            WeightsError: when the files are missing, gated, broken or too large for the memory.
        """
        where = where or Where()
        kind = load_part("AutoConfig", source).model_type
        if kind not in _FAMILIES:
            raise ConfigError(
                f"{source}: expected a model of kind {', '.join(_FAMILIES)}, got {kind!r}"
            )
        class_name, preprocessing = _FAMILIES[kind]
        exact = replace(where, dtype="float32", four_bit=False)
        return cls(load_part(class_name, source, exact), preprocessing, where, batch=batch)

    def placement(self, image: NDArray[np.uint8]) -> Placement:
        """How `image` lies in the model's input."""
        return self.preprocessing.placement((image.shape[0], image.shape[1]), self._side)

    def embedding(self, image: NDArray[np.uint8]) -> Any:
        """Encode a picture, (H, W, 3) uint8 RGB; the last one is kept.

        Returns:
            What the model takes as `image_embeddings`: a tensor of SAM 1, a list of 2 and 3.
        """
        return self._embedding(image)

    def decode(
        self, image: NDArray[np.uint8], prompts: Prompts, *, several: bool
    ) -> Iterator[Decoded]:
        """Decode prompts, batch by batch.

        Args:
            image: (H, W, 3) uint8 RGB.
            prompts: P of them.
            several: three masks a prompt, of a part, an object and a group; else one.
        """
        embedding, placement = self.embedding(image), self.placement(image)
        for start in range(0, len(prompts), self._batch):
            some = self.inputs(prompts[start : start + self._batch], placement)
            with torch.inference_mode():
                found = self.ask(embedding, some, several=several)
            yield found

    def ask(self, embedding: Any, inputs: Mapping[str, Tensor], *, several: bool) -> Decoded:
        """Decode prompts, with gradients where they are on.

        Args:
            embedding: of the picture.
            inputs: prompts as `inputs` makes them.
            several: see `decode`.
        """
        count = len(next(iter(inputs.values())))
        # One prompt a row, and so an embedding for each: only so can a prompt have a mask.
        rows = _each(embedding, partial(_repeated, times=count))
        with out_of_memory("SAM"):
            found = self.model(image_embeddings=rows, multimask_output=several, **inputs)
        return Decoded(found.pred_masks[:, 0], found.iou_scores[:, 0])

    def refine(
        self,
        image: NDArray[np.uint8],
        *,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        masks: Masks | NDArray[np.bool_] | None = None,
    ) -> Candidates:
        """Find the one mask that each prompt means.

        Args:
            image: (H, W, 3) uint8 RGB.
            points: (P, K, 2) x and y in pixels of the picture.
            labels: (P, K): 1 on the object, 0 beside it, -10 no point; None means all are 1.
            boxes: (P, 4) x0, y0, x1, y1.
            masks: P rough masks, each with a pixel at least; their boxes are used too unless
                `boxes` are given.

        Returns:
            P candidates in the order of the prompts, scored by the IoU that the model expects; a
            mask may be empty.

        Raises:
            ShapeError: when an argument has another shape, or masks another size than the picture.
            QueryError: when a mask has no pixels.
        """
        size_hw = image.shape[0], image.shape[1]
        prompts = Prompts.of(size_hw, points, labels, boxes, masks)
        placement = self.placement(image)
        codes: list[RLE] = []
        scores = [np.zeros(0, np.float32)]
        for found in self.decode(image, prompts, several=prompts.ambiguous):
            best = found.iou.argmax(1)
            rows = torch.arange(len(best), device=best.device)
            codes += placement.rles(found.logits[rows, best])
            scores.append(found.iou[rows, best].clamp(0, 1).cpu().numpy())
        return visible_candidates(codes, np.concatenate(scores), size_hw)

    def _encoded(self, image: NDArray[np.uint8]) -> Any:
        pixels = self.preprocessing.pixels(image, self._side).to(self._device)
        dtype = self._where.torch_dtype()
        half = torch.autocast(self._device.type, dtype, enabled=dtype != torch.float32)
        with torch.inference_mode(), out_of_memory("SAM"), half:
            found = self.model.get_image_embeddings(pixels)
        return _each(found, Tensor.float)

    @property
    def grid_hw(self) -> tuple[int, int]:
        """Height and width of the grid over the input that masks are drawn on."""
        cells = 4 * (self._side // self._patch)
        return cells, cells

    def inputs(self, prompts: Prompts, placement: Placement) -> dict[str, Tensor]:
        """Arguments of the model for some prompts."""
        inputs = {}
        if prompts.points_xy is not None:
            points = placement.points(torch.from_numpy(prompts.points_xy))
            labels = prompts.labels
            if labels is None:
                labels = np.ones(points.shape[:2], np.int64)
            inputs["input_points"] = points[:, None]
            inputs["input_labels"] = torch.from_numpy(labels)[:, None]
        if prompts.boxes_xyxy is not None:
            corners = torch.from_numpy(prompts.boxes_xyxy).view(-1, 2, 2)
            inputs["input_boxes"] = placement.points(corners).flatten(1)[:, None]
        if prompts.masks is not None:
            inside = torch.from_numpy(prompts.masks).float()
            share = placement.grids(inside, self.grid_hw)
            inputs["input_masks"] = ((2 * share - 1) * _INSIDE)[:, None]
        return {name: values.to(self._device) for name, values in inputs.items()}


def _each(embedding: Any, change: Any) -> Any:
    """Change the tensors of an embedding: one of SAM 1, a list of 2 and 3."""
    if isinstance(embedding, Tensor):
        return change(embedding)
    return [change(part) for part in embedding]


def _repeated(part: Tensor, times: int) -> Tensor:
    return part.float().expand(times, *part.shape[1:])
