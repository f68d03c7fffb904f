"""Three stages behind the one protocol: proposer, completer, selector."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from askmask.answers import PicturedAnswer
from askmask.errors import QueryError
from askmask.images import ImageLike, as_rgb
from askmask.llm.chat import Usage
from askmask.models.segmenter import Completer, Metered, Proposer, Selector, TextProposer
from askmask.types import Candidates, Masks, Query

__all__ = ["Pipeline", "candidate_at", "check_references"]


class Pipeline:
    """A `Segmenter` composed of three stages.

    The picture is encoded once, in `set_image`; each further sentence costs only the selector,
    which also decides the mask type and honours one that the query forces. A proposer that gives
    amodal masks itself needs no completer. One that needs words is asked again for each sentence.

    Attributes:
        model_id: name of this composition.
        weights_hash: SHA-256 over the weight files of all stages, or None.
        device: where the stages compute.
    """

    def __init__(
        self,
        proposer: Proposer,
        completer: Completer | None,
        selector: Selector,
        *,
        model_id: str = "pipeline",
        weights_hash: str | None = None,
        device: str = "cpu",
    ) -> None:
        """Compose the stages; without a completer, the proposer's amodal masks stay."""
        self.model_id = model_id
        self.weights_hash = weights_hash
        self.device = device
        self._proposer = proposer
        self._completer = completer
        self._selector = selector
        self._image: NDArray[np.uint8] | None = None
        self._candidates: Candidates | None = None

    def set_image(self, image: ImageLike) -> None:
        """Find and complete the candidates of `image`; later answers are about it.

        Args:
            image: (H, W, 3) uint8 RGB, a path, or a Pillow picture.
        """
        pixels = as_rgb(image)
        # A stage that fails must not leave the picture before this one in force.
        self._image = self._candidates = None
        self._candidates = self._completed(pixels, self._proposer.propose(pixels))
        self._image = pixels

    def with_image(self, image: ImageLike, *, compact: bool = False) -> Self:
        """Return a pipeline of the same stages that looks at `image`; this one stays as it is.

        Args:
            image: (H, W, 3) uint8 RGB, a path, or a Pillow picture.
            compact: hold the candidates as run-length codes only: some kilobytes instead of a byte
                a pixel and mask, and their codes are made once for all answers.
        """
        other = copy.copy(self)
        other.set_image(image)
        if compact:
            other._candidates = _coded(other.candidates)
        return other

    def answer(self, query: Query | str) -> PicturedAnswer:
        """Answer one sentence about the current picture; `seconds` is what the sentence took.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        image, candidates = self._current()
        asked = Query(query) if isinstance(query, str) else query
        check_references(asked, (image.shape[0], image.shape[1]))
        start = time.perf_counter()
        if isinstance(self._proposer, TextProposer) and self._proposer.needs_text:
            found = self._proposer.propose_for(image, asked.text)
            candidates = self._candidates = self._completed(image, found)
        answer = self._selector.select(image, candidates, asked)
        timed = replace(answer, seconds=time.perf_counter() - start)
        return PicturedAnswer.of(timed, image, asked)

    @property
    def candidates(self) -> Candidates:
        """What was found in the current picture, or for the last sentence about it; completed.

        Raises:
            QueryError: when no picture is set.
        """
        return self._current()[1]

    @property
    def usage(self) -> Usage:
        """Tokens that the selector's answers cost so far; none for one that asks no server."""
        return self._selector.usage if isinstance(self._selector, Metered) else Usage()

    def mask_at(self, x: int, y: int) -> NDArray[np.bool_] | None:
        """Visible mask, (H, W) bool, of the best candidate at column `x`, row `y`, or None.

        Raises:
            QueryError: when no picture is set, or the point is outside the picture.
        """
        _, candidates = self._current()
        return candidate_at(candidates, x, y)

    def _completed(self, image: NDArray[np.uint8], found: Candidates) -> Candidates:
        return found if self._completer is None else self._completer.complete(image, found)

    def _current(self) -> tuple[NDArray[np.uint8], Candidates]:
        if self._image is None or self._candidates is None:
            raise QueryError("no picture is set: call set_image(image) before answer(query)")
        return self._image, self._candidates


def _coded(candidates: Candidates) -> Candidates:
    """The same candidates without dense masks."""
    modal, amodal = (
        Masks.from_rles(masks.rles, masks.size_hw)
        for masks in (candidates.modal, candidates.amodal)
    )
    return replace(candidates, modal=modal, amodal=amodal)


def check_references(query: Query, size_hw: tuple[int, int]) -> None:
    """Refuse references of another size than the picture.

    Raises:
        QueryError: naming both sizes as width x height.
    """
    if query.references is not None and query.references.size_hw != tuple(size_hw):
        height, width = query.references.size_hw
        raise QueryError(
            f"the references are {width} x {height} pixels, the picture is {size_hw[1]} x "
            f"{size_hw[0]}: give masks in the picture's size"
        )


def candidate_at(candidates: Candidates, x: int, y: int) -> NDArray[np.bool_] | None:
    """Visible mask of the surest candidate at column `x`, row `y`; the smaller one of equals.

    Returns:
        (H, W) bool, or None when no candidate covers the point.

    Raises:
        QueryError: when the point is outside the picture.
    """
    height, width = candidates.modal.size_hw
    if not (0 <= x < width and 0 <= y < height):
        raise QueryError(
            f"the point {x},{y} is outside the picture of {width} x {height} pixels: "
            f"x goes from 0 to {width - 1} and y from 0 to {height - 1}"
        )
    # One mask after the other: a stack of all of them would stay in memory.
    covering = [i for i, mask in enumerate(candidates.modal) if mask[y, x]]
    if not covering:
        return None
    areas = candidates.modal.areas
    return candidates.modal[min(covering, key=lambda i: (-candidates.score[i], areas[i]))]
