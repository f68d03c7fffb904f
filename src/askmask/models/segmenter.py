"""The one protocol that the command line, the runner, the server and the evaluation know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from askmask.llm.chat import Usage
from askmask.types import Answer, Candidates, MaskType, Query

__all__ = [
    "Completer",
    "MaskTyper",
    "Metered",
    "PictureKeeper",
    "PointReference",
    "Proposer",
    "Segmenter",
    "Selector",
    "TextProposer",
]


@runtime_checkable
class Segmenter(Protocol):
    """Anything that looks at one picture and then answers sentences about it."""

    @property
    def model_id(self) -> str:
        """Name under which `askmask.load` finds this model."""
        ...

    @property
    def weights_hash(self) -> str | None:
        """SHA-256 over the weight files, or None for a model without weights."""
        ...

    def set_image(self, image: NDArray[np.uint8]) -> None:
        """Encode `image`, (H, W, 3) uint8 RGB; later answers are about it."""
        ...

    def answer(self, query: Query | str) -> Answer:
        """Answer one sentence about the current picture.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        ...


@runtime_checkable
class PictureKeeper(Protocol):
    """A segmenter of which several can share the weights, each looking at a picture of its own."""

    def with_image(self, image: NDArray[np.uint8], *, compact: bool = False) -> Segmenter:
        """Return a segmenter that looks at `image`; this one stays as it is.

        Args:
            image: (H, W, 3) uint8 RGB.
            compact: hold what was found in little memory, as for a picture that is kept for long.
        """
        ...


@runtime_checkable
class PointReference(Protocol):
    """A segmenter that can turn a point of the picture into a reference mask."""

    def mask_at(self, x: int, y: int) -> NDArray[np.bool_] | None:
        """Return the visible mask, (H, W) bool, of the best candidate at column `x`, row `y`.

        None when no candidate covers the point.

        Raises:
            QueryError: when no picture is set, or the point is outside the picture.
        """
        ...


@runtime_checkable
class MaskTyper(Protocol):
    """A segmenter that can tell, without a picture, which mask type a sentence asks for."""

    def mask_types(self, texts: Sequence[str]) -> list[dict[MaskType, float]]:
        """Probability of each mask type for each of `texts`; each answer sums to 1."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A selector or segmenter whose answers cost tokens of a server."""

    @property
    def usage(self) -> Usage:
        """Tokens of all answers so far."""
        ...


class Proposer(Protocol):
    """Picture -> candidates."""

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find candidate masks in `image`, (H, W, 3) uint8 RGB; there may be none."""
        ...


@runtime_checkable
class TextProposer(Proposer, Protocol):
    """A proposer that looks for words: those of each sentence, unless it has words of its own."""

    @property
    def needs_text(self) -> bool:
        """Whether `propose` finds nothing and each sentence has to be asked for."""
        ...

    def propose_for(self, image: NDArray[np.uint8], text: str) -> Candidates:
        """Find what the sentence `text` names in `image`, (H, W, 3) uint8 RGB."""
        ...


class Completer(Protocol):
    """Candidates with modal masks -> candidates whose amodal masks are filled in."""

    def complete(self, image: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Return the same candidates with amodal masks."""
        ...


class Selector(Protocol):
    """Candidates and a sentence -> the answer."""

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Choose the group and its mask type."""
        ...
