"""Candidates of proposers that see only what is visible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from askmask.rle import RLE
from askmask.types import Candidates, Masks

__all__ = ["visible_candidates"]


def visible_candidates(
    codes: Sequence[RLE], score: ArrayLike, size_hw: tuple[int, int]
) -> Candidates:
    """Candidates whose amodal masks are their modal ones, until a completer fills them in.

    Args:
        codes: N visible masks of `size_hw`; there may be none.
        score: (N,) in [0, 1].
        size_hw: height and width of the picture.
    """
    modal = Masks.from_rles(codes, size_hw)
    return Candidates(modal, modal, np.asarray(score, np.float32))
