"""Four-valued logic over the objects of a scene.

The values are ordered so that `and` is the minimum and `or` the maximum. UNDEFINED marks the anchor
of a relation, which is neither in the relation nor in its negation.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALSE", "TRUE", "UNCLEAR", "UNDEFINED", "Truth", "agree", "decide", "negate"]

Truth: TypeAlias = NDArray[np.int8]
"""One value an object, or one a pair of objects."""

FALSE, UNDEFINED, UNCLEAR, TRUE = np.arange(4, dtype=np.int8)
_NEGATION = np.array([TRUE, UNDEFINED, UNCLEAR, FALSE], np.int8)


def decide(true: NDArray[np.bool_], false: NDArray[np.bool_]) -> Truth:
    """TRUE where `true`, else FALSE where `false`, else UNCLEAR; arrays broadcast."""
    return np.where(true, TRUE, np.where(false, FALSE, UNCLEAR))


def agree(first: Truth, second: Truth) -> Truth:
    """Keep the common answer of two measurements; UNCLEAR where they differ."""
    return np.where(first == second, first, UNCLEAR)


def negate(values: Truth) -> Truth:
    """Exchange TRUE and FALSE; UNCLEAR and UNDEFINED stay."""
    return _NEGATION[values]
