"""Twins: two queries for the same targets, one modal and one amodal.

Only the wording differs, so they show whether a model follows the sentence or a habit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.formats.askmask import QueryRecord
from askmask.metrics.fused import FusedMasks
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["MIN_OCCLUSION", "NO_TWIN", "switched"]

MIN_OCCLUSION = 0.1
"""Pairs less hidden than this are left out: their two masks are nearly the same."""

NO_TWIN = -1
"""Value of a row that counts no pair."""

_TAG = "twin:"


def _pairs(queries: Sequence[QueryRecord]) -> Iterator[tuple[int, int]]:
    """Rows of each pair: first the row with the tag, then its twin; every pair once.

    A twin that is not among the queries makes no pair, so that a part of a file can be scored.
    """
    row_of = {query.id: row for row, query in enumerate(queries)}
    seen: set[frozenset[int]] = set()
    for row, query in enumerate(queries):
        for tag in query.tags:
            twin = row_of.get(tag.removeprefix(_TAG)) if tag.startswith(_TAG) else None
            if twin is not None and twin != row and frozenset((row, twin)) not in seen:
                seen.add(frozenset((row, twin)))
                yield row, twin


def _follows(own: FusedMasks, twin: FusedMasks) -> bool:
    """Whether the answer is nearer to its own target than to the twin's."""
    to_own, to_twin = rle.iou_matrix([own.prediction], [own.target, twin.target])[0]
    return bool(to_own > to_twin)


def _is_counted(query: QueryRecord, twin: QueryRecord, own: RLE, other: RLE) -> bool:
    """Whether the pair is modal and amodal and hidden enough."""
    areas = {query.mask_type: rle.area(own), twin.mask_type: rle.area(other)}
    if set(areas) != {MaskType.MODAL, MaskType.AMODAL} or not areas[MaskType.AMODAL]:
        return False
    hidden = areas[MaskType.AMODAL] - areas[MaskType.MODAL]
    return hidden / areas[MaskType.AMODAL] >= MIN_OCCLUSION


def switched(queries: Sequence[QueryRecord], masks: Sequence[FusedMasks]) -> NDArray[np.int8]:
    """Tell for each pair of twins whether both answers follow their own sentence.

    Args:
        queries: N queries; a tag `twin:ID` names the twin.
        masks: their fused masks, in the same order.

    Returns:
        (N,) int8: 1 or 0 at the row that carries a pair's tag, NO_TWIN elsewhere. A row with
        several twins is 1 only when it switches with all of them.
    """
    result = np.full(len(queries), NO_TWIN, np.int8)
    for row, twin in _pairs(queries):
        if _is_counted(queries[row], queries[twin], masks[row].target, masks[twin].target):
            both = _follows(masks[row], masks[twin]) and _follows(masks[twin], masks[row])
            result[row] = both if result[row] == NO_TWIN else both and bool(result[row])
    return result
