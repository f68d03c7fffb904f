"""Published systems behind the one protocol: they draw visible masks, others name the mask type."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.errors import QueryError
from askmask.images import ImageLike, as_rgb
from askmask.models.completion import load_completer
from askmask.models.hub.preprocessing import Placement
from askmask.models.pipeline import check_references
from askmask.models.registry import DEFAULT_MODEL, load_mask_typer
from askmask.rle import RLE
from askmask.types import Answer, Masks, MaskType, Query

__all__ = ["Drawn", "PublishedSegmenter", "certainty"]


class Drawn(NamedTuple):
    """What a system makes of a sentence.

    Attributes:
        masks: M visible masks in the picture's size.
        scores: (M,) in [0, 1].
        words: what it said, or None for one that does not speak.
        none: probability that nothing is meant, or None for one that cannot say.
    """

    masks: list[RLE]
    scores: NDArray[np.float32]
    words: str | None = None
    none: float | None = None

    @classmethod
    def of(cls, logits: Tensor, placement: Placement, words: str | None = None) -> Drawn:
        """Enlarge logits, (M, h, w) on a grid over the system's input, to the picture."""
        return cls(placement.rles(logits), certainty(placement.used(logits)), words)


def certainty(logits: Tensor) -> NDArray[np.float32]:
    """Mean probability inside each mask, (M,) in [0, 1], as PixelLM scores it; 0 of empty ones."""
    inside = (logits > 0).float()
    sums = (logits.float().sigmoid() * inside).sum((1, 2))
    scores: NDArray[np.float32] = (sums / inside.sum((1, 2)).clamp(min=1)).cpu().numpy()
    return scores


class PublishedSegmenter(ABC):
    """A system that draws visible masks for a sentence.

    The mask type is named by another model. Where the complete or the hidden part is asked for, a
    completer makes it of the visible mask; without one the answer says so.

    Attributes:
        model_id: where the checkpoint is.
        weights_hash: None; a repository's revision tells more than a hash of many gigabytes.
    """

    system: ClassVar[str]
    """Name of the system in messages."""

    sees_references: ClassVar[bool] = False
    """Whether it has an input for reference masks."""

    def __init__(
        self, model_id: str, *, completer: str | None = None, mask_typer: str = DEFAULT_MODEL
    ) -> None:
        """Load what goes along with any system.

        Args:
            model_id: where the checkpoint is.
            completer: a name that `load_completer` knows, or None for visible masks only.
            mask_typer: a name that `load_mask_typer` knows.
        """
        self.model_id, self.weights_hash = model_id, None
        self._completer = None if completer is None else load_completer(completer)
        self._typer = load_mask_typer(mask_typer)
        self._image: NDArray[np.uint8] | None = None
        self._seen: Any = None

    def set_image(self, image: ImageLike) -> None:
        """Encode a picture, (H, W, 3) uint8 RGB, a path or a Pillow picture."""
        self._image = self._seen = None  # a failure must not leave the picture before in force
        pixels = as_rgb(image)
        with torch.inference_mode():
            self._seen = self._see(pixels)
        self._image = pixels

    def with_image(self, image: ImageLike, *, compact: bool = False) -> Self:
        """Return a segmenter of the same weights that looks at `image`; this one stays as it is.

        What a system has seen is on its own small grid, so that there is nothing to compact.
        """
        other = copy.copy(self)
        other.set_image(image)
        return other

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        """Probability of each mask type for each sentence, without a picture."""
        return self._typer.mask_types(texts)

    def answer(self, query: Query | str) -> Answer:
        """Answer one sentence about the current picture.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        if self._image is None:
            raise QueryError("no picture is set: call set_image(image) before answer(query)")
        asked = Query(query) if isinstance(query, str) else query
        size_hw = self._image.shape[0], self._image.shape[1]
        check_references(asked, size_hw)
        start = time.perf_counter()
        with torch.inference_mode():
            drawn = self._draw(self._seen, asked)
        probability = self.mask_types([asked.text])[0]
        mask_type = asked.mask_type or max(probability, key=probability.__getitem__)
        order = np.argsort(-drawn.scores, kind="stable")
        modal = Masks.from_rles([drawn.masks[place] for place in order], size_hw)
        scores, amodal = drawn.scores[order], modal
        if self._completer is not None:
            amodal = self._completer.complete_masks(self._image, modal).amodal
        elif mask_type is MaskType.HIDDEN:
            modal = amodal = Masks.empty(size_hw)
            scores = scores[:0]
        return Answer(
            mask_type=mask_type,
            mask_type_probability=probability,
            masks=_of_type(mask_type, modal, amodal),
            scores=scores,
            modal=modal,
            amodal=amodal,
            no_target_probability=drawn.none,
            rationale=self._rationale(drawn, mask_type),
            seconds=time.perf_counter() - start,
            unsure=self._unsure(asked),
        )

    @abstractmethod
    def _see(self, image: NDArray[np.uint8]) -> Any:
        """Whatever of a picture (H, W, 3) uint8 RGB all sentences about it share."""

    @abstractmethod
    def _draw(self, seen: Any, query: Query) -> Drawn:
        """Answer a sentence about a picture that `_see` has seen."""

    def _rationale(self, drawn: Drawn, mask_type: MaskType) -> str | None:
        said = [] if drawn.words is None else [f"{self.system} said: {drawn.words or 'nothing'}"]
        if not drawn.masks:
            said.append("it drew no mask")
        elif mask_type is not MaskType.MODAL and self._completer is None:
            said.append(
                f"the {mask_type} mask is asked for, but {self.system} draws visible masks only: "
                "give it a completer (completer=completer-v1)"
            )
        return "; ".join(said) or None

    def _unsure(self, query: Query) -> str | None:
        if self.sees_references or not query.references:
            return None
        return f"{self.system} has no input for reference masks; they were not looked at"


def _of_type(mask_type: MaskType, modal: Masks, amodal: Masks) -> Masks:
    if mask_type is MaskType.MODAL:
        return modal
    if mask_type is MaskType.AMODAL:
        return amodal
    return Masks.from_dense(amodal.dense() & ~modal.dense())
