"""Oracles: an answer in which one or more stages are replaced by the truth.

An answer is a mask type, a group of things, and their masks; each comes from a stage of its own.
What an answer gains when the truth takes the place of a stage is what that stage loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from askmask import rle
from askmask.rle import RLE
from askmask.types import Answer, Candidates, MaskType

__all__ = ["AS_ANSWERED", "ORACLES", "SHOWN", "STAGES", "Asked", "Scene", "Shape", "oracle_masks"]

STAGES = ("type", "selection", "masks")
"""What an oracle may know: the mask type, which objects are meant, and their true masks."""

ORACLES: dict[str, frozenset[str]] = {
    "+".join(known) or "as answered": frozenset(known)
    for count in range(len(STAGES) + 1)
    for known in combinations(STAGES, count)
}
"""Name -> stages that are replaced; first none of them, last all three."""

AS_ANSWERED, *_ = ORACLES

SHOWN = 0.5
"""Least IoU of visible masks from which on a mask shows an object."""


class Shape(NamedTuple):
    """The two masks of one thing."""

    modal: RLE
    amodal: RLE

    def of(self, mask_type: MaskType) -> RLE:
        """Mask of a type."""
        if mask_type is MaskType.HIDDEN:
            return rle.subtract(self.amodal, self.modal)
        return self.modal if mask_type is MaskType.MODAL else self.amodal


@dataclass(frozen=True)
class Asked:
    """What is right for one query.

    Attributes:
        mask_type: the asked type, or None where the source does not say; the answered one stands.
        objects: places of the objects that answer it; () = no target.
    """

    mask_type: MaskType | None
    objects: tuple[int, ...]


class Scene:
    """The true objects of a picture beside the candidates that were found in it.

    A mask shows the object whose visible mask is nearest to its own, if their IoU is `SHOWN` or
    more; else it shows none.
    """

    def __init__(
        self, modal: Sequence[RLE], amodal: Sequence[RLE | None], candidates: Candidates
    ) -> None:
        """Match objects and candidates.

        Args:
            modal: visible masks of K objects, in the picture's size.
            amodal: their complete shapes; None where the source has none.
            candidates: of the same picture; there may be none.
        """
        self._modal, self._amodal = modal, amodal
        self._candidates = [*map(Shape, candidates.modal.rles, candidates.amodal.rles)]
        shown = [self._shown_by(shape.modal) for shape in self._candidates]
        self._showing: dict[int, tuple[float, Shape]] = {}
        for shape, (place, iou) in zip(self._candidates, shown, strict=True):
            if place is not None and iou > self._showing.get(place, (0.0, shape))[0]:
                self._showing[place] = iou, shape

    def found(self, objects: Sequence[int]) -> list[Shape]:
        """The nearest candidate of each of these objects; none for one that no candidate shows."""
        return [self._showing[place][1] for place in objects if place in self._showing]

    def truth_of(self, shape: Shape) -> Shape:
        """True masks of what `shape` shows; itself where that is nothing.

        Where the source does not know the complete shape, the guessed hidden part stays.
        """
        place, _ = self._shown_by(shape.modal)
        if place is None:
            return shape
        modal, amodal = self._modal[place], self._amodal[place]
        if amodal is None:
            amodal = rle.union((modal, shape.amodal), (modal["size"][0], modal["size"][1]))
        return Shape(modal, amodal)

    def _shown_by(self, modal: RLE) -> tuple[int | None, float]:
        """Place of the object that a visible mask shows, and their IoU."""
        iou = rle.iou_matrix([modal], self._modal)[0]
        place = int(np.argmax(iou)) if len(iou) else None
        if place is None or iou[place] < SHOWN:
            return None, 0.0
        return place, float(iou[place])


def oracle_masks(answer: Answer, scene: Scene, asked: Asked, known: frozenset[str]) -> list[RLE]:
    """Masks of an answer in which the stages in `known` are replaced by the truth.

    "type" gives the asked type of the same things; "selection" the nearest candidates of the
    objects that are asked for, none where nothing is; "masks" the true masks of what the chosen
    things show, of the answered type.

    Args:
        answer: of the model.
        scene: objects and candidates of the picture.
        asked: what is right.
        known: some of `STAGES`, one of `ORACLES`.
    """
    if not known:
        return [*answer.masks.rles]
    asked_type = asked.mask_type if "type" in known else None
    group = [*map(Shape, answer.modal.rles, answer.amodal.rles)]
    if "selection" in known:
        group = scene.found(asked.objects)
    if "masks" in known:
        group = [scene.truth_of(shape) for shape in group]
    return [shape.of(asked_type or answer.mask_type) for shape in group]
