"""Completers that can be used alone: any modal masks of a picture -> amodal masks, with confidence.

The modal masks may come from anywhere: a user, another model, a data set. Nothing is imported until
a completer is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ShapeError
from askmask.images import ImageLike, as_rgb
from askmask.models.by_name import class_at, unknown
from askmask.types import Candidates, Masks

__all__ = [
    "COMPLETERS",
    "DEFAULT_COMPLETER",
    "Completion",
    "MaskCompleter",
    "completers",
    "load_completer",
]

DEFAULT_COMPLETER = "completer-v1"

COMPLETERS: dict[str, str] = {
    "completer-v1": "askmask.models.completer.crop_completer:CropCompleter",
    "convex-hull": "askmask.models.completer.baselines:HullCompleter",
    "none": "askmask.models.completer.baselines:NoCompleter",
}
"""Name -> "module:Class"; the class has a method `load(name)` that returns a `MaskCompleter`."""

_AMODAL_SAM = "askmask.models.hub.amodal_sam:AmodalSam"
"""What a folder with `amodal_sam.json` holds: a SAM that learnt whole shapes."""


@dataclass(frozen=True)
class Completion:
    """Complete shapes of N masks of one picture.

    Attributes:
        modal: the masks that were given.
        amodal: their complete shapes inside the picture; each holds its modal mask.
        confidence: (N,) float32 in [0, 1], expected IoU of each amodal mask with the true one; 0
            for an empty mask, of which nothing can be said.
    """

    modal: Masks
    amodal: Masks
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.modal)

    @property
    def hidden(self) -> Masks:
        """What was added to each mask: amodal minus modal."""
        return Masks.from_dense(self.amodal.dense() & ~self.modal.dense())


class MaskCompleter(ABC):
    """Completes masks; also the `Completer` stage of a `Pipeline`.

    Attributes:
        model_id: name under which `load_completer` finds it.
        weights_hash: SHA-256 over the weight files, or None without weights.
    """

    model_id: str
    weights_hash: str | None = None

    def complete_masks(self, image: ImageLike, masks: Masks | NDArray[np.bool_]) -> Completion:
        """Complete modal masks of one picture.

        Args:
            image: (H, W, 3) uint8 RGB, a path, or a Pillow picture.
            masks: N masks in the picture's size, (N, H, W) bool or one (H, W) bool; may be none.
                An empty mask stays empty.

        Raises:
            ImageError: when the picture cannot be read.
            ShapeError: when the masks are of another dtype or size than the picture.
        """
        pixels = as_rgb(image)
        given = masks if isinstance(masks, Masks) else _stack(masks)
        if given.size_hw != pixels.shape[:2]:
            raise ShapeError(
                f"the masks are {given.size_hw[1]} x {given.size_hw[0]} pixels, the picture is "
                f"{pixels.shape[1]} x {pixels.shape[0]}: give masks in the picture's size"
            )
        modal = given.dense()
        amodal, confidence = self._guess(pixels, modal)
        return Completion(given, Masks.from_dense(amodal | modal), confidence)

    def complete(self, image: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Return the same candidates with amodal masks; the proposer's scores stay."""
        return replace(candidates, amodal=self.complete_masks(image, candidates.modal).amodal)

    @abstractmethod
    def _guess(
        self, image: NDArray[np.uint8], modal: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Guess shapes, (N, H, W) bool, which need not hold `modal`, and confidences, (N,)."""


def _stack(masks: NDArray[np.bool_]) -> Masks:
    if not isinstance(masks, np.ndarray) or masks.ndim not in (2, 3) or masks.dtype != np.bool_:
        found = f"{masks.shape} {masks.dtype}" if isinstance(masks, np.ndarray) else type(masks)
        raise ShapeError(
            f"masks: expected Masks, (N, H, W) bool or (H, W) bool, got {found}; use mask > 0"
        )
    return Masks.from_dense(masks[None] if masks.ndim == 2 else masks)


def completers() -> list[str]:
    """Names that `load_completer` accepts, sorted."""
    return sorted(COMPLETERS)


def load_completer(model_id: str = DEFAULT_COMPLETER) -> MaskCompleter:
    """Load a completer by name.

    Args:
        model_id: one of `completers()`, or a folder of weights that `askmask train` exported.

    Raises:
        ConfigError: for an unknown name; the message gives the nearest known one.
        WeightsError: when its files are missing or cannot be run.
    """
    if model_id in COMPLETERS:
        target = COMPLETERS[model_id]
    elif model_id and (Path(model_id) / "amodal_sam.json").is_file():
        target = _AMODAL_SAM
    elif model_id and Path(model_id).is_dir():
        target = COMPLETERS[DEFAULT_COMPLETER]
    else:
        raise unknown("completer", model_id, COMPLETERS)
    completer: MaskCompleter = class_at(target).load(model_id)
    return completer
