"""A quick, exact stand-in for a model: it knows red, green and blue things on black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.models.pipeline import Pipeline
from askmask.types import Answer, Candidates, Masks, MaskType, Query

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
CUES = {"whole": MaskType.AMODAL, "behind": MaskType.HIDDEN}


def picture() -> NDArray[np.uint8]:
    """Return a 60 x 40 picture: a red L around a green box, and a blue box."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[5:25, 5:25] = COLOURS["red"]
    image[15:35, 15:35] = COLOURS["green"]
    image[5:35, 45:55] = COLOURS["blue"]
    return image


class FakeStages:
    """Proposer, completer and selector."""

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        modal = np.stack([(image == colour).all(2) for colour in COLOURS.values()])
        masks = Masks.from_dense(modal)
        return Candidates(masks, masks, np.array([0.9, 0.8, 0.7], np.float32))

    def complete(self, image: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        boxes = candidates.modal.dense().copy()
        for box in boxes:
            rows, columns = np.flatnonzero(box.any(1)), np.flatnonzero(box.any(0))
            if len(rows):
                box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        return Candidates(candidates.modal, Masks.from_dense(boxes), candidates.score)

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Every colour that is named; with `[1]`, those that the first reference does not touch."""
        named = [i for i, colour in enumerate(COLOURS) if colour in query.text]
        if "[1]" in query.text and query.references is not None:
            touched = query.references[0]
            named = [i for i in named if not (candidates.modal[i] & touched).any()]
        shares = type_shares(query.text)
        mask_type = query.mask_type or max(shares, key=lambda kind: shares[kind])
        modal, amodal = candidates.modal[named], candidates.amodal[named]
        hidden = Masks.from_dense(amodal.dense() & ~modal.dense())
        group = {MaskType.MODAL: modal, MaskType.AMODAL: amodal, MaskType.HIDDEN: hidden}
        return Answer(
            mask_type=mask_type,
            mask_type_probability=shares,
            masks=group[mask_type],
            scores=candidates.score[named],
            modal=modal,
            amodal=amodal,
            no_target_probability=0.1 if named else 0.9,
            unsure="the weakest [mask] has 0.55" if "perhaps" in query.text else None,
        )


def type_shares(text: str) -> dict[MaskType, float]:
    cued = next((kind for cue, kind in CUES.items() if cue in text), MaskType.MODAL)
    return {kind: 0.9 if kind is cued else 0.05 for kind in MaskType}


class FakeSegmenter(Pipeline):
    """The stages behind the protocol; counts how often it was loaded."""

    loaded = 0

    @classmethod
    def load(cls, name: str) -> FakeSegmenter:
        FakeSegmenter.loaded += 1
        stages = FakeStages()
        return cls(stages, stages, stages, model_id=name)

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        return [type_shares(text) for text in texts]


class PointlessSegmenter:
    """Takes no points and types no sentences; fails when it is asked."""

    model_id, weights_hash = "pointless", None

    @classmethod
    def load(cls, name: str) -> PointlessSegmenter:
        return cls()

    def set_image(self, image: NDArray[np.uint8]) -> None:
        pass

    def answer(self, query: Query | str) -> Answer:
        raise RuntimeError("a bug\nin two lines")
