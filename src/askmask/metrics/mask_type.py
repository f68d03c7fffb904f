"""Does the model choose the mask type that the sentence asks for?

gIoU hardly tells: most objects are hardly hidden, so always answering amodal costs little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.counts import MASK_TYPES, NO_TYPE, Counts
from askmask.metrics.terms import Terms
from askmask.metrics.twins import NO_TWIN

__all__ = ["mask_type_accuracy", "mask_type_confusion", "switch_accuracy"]


def _typed(counts: Counts) -> NDArray[np.bool_]:
    """Queries that ask for a known type, (N,) bool; none when the model never says a type."""
    asks_type: NDArray[np.bool_] = counts.asked_type != NO_TYPE
    return asks_type & bool((counts.answered_type != NO_TYPE).any())


def mask_type_accuracy(counts: Counts) -> Terms:
    """Share of the queries with a known type that are answered with that type.

    An answer without a type is wrong, unless no answer at all has one: then the model does not
    choose types and the figure is undefined (NaN), as when no query's type is known.
    """
    return Terms.of_mean(counts.answered_type == counts.asked_type, _typed(counts))


def mask_type_confusion(counts: Counts) -> dict[str, dict[str, int]]:
    """Number of queries by asked type (outer key) and answered type (inner key), 3 x 3.

    Answers without a type are in no cell.
    """
    table = np.zeros((len(MASK_TYPES), len(MASK_TYPES)), np.int64)
    both = _typed(counts) & (counts.answered_type != NO_TYPE)
    np.add.at(table, (counts.asked_type[both], counts.answered_type[both]), 1)
    names = [mask_type.value for mask_type in MASK_TYPES]
    return {
        asked: dict(zip(names, row, strict=True))
        for asked, row in zip(names, table.tolist(), strict=True)
    }


def switch_accuracy(counts: Counts) -> Terms:
    """Share of the twins in which both answers follow their own sentence.

    Twins are a modal and an amodal query for the same targets with an occlusion rate of at least
    0.1. Each answer must be nearer, in IoU, to its own target than to the twin's. A pair counts
    as its query with the `twin:` tag; NaN when there is no pair.
    """
    return Terms.of_mean(counts.switched, counts.switched != NO_TWIN)
