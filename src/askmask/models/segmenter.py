"""The one protocol that the command line, the runner, the server and the evaluation know."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from askmask.types import Answer, Candidates, Query

__all__ = ["Completer", "Proposer", "Segmenter", "Selector"]


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


class Proposer(Protocol):
    """Picture -> candidates."""

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find candidate masks in `image`, (H, W, 3) uint8 RGB; there may be none."""
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
