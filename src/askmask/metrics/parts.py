"""What counting needs of one query and its answer: codes by role, checked to be of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.edges import Edges, read_edges
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["Parts", "parts_of", "read_parts"]

_CROWD = "iscrowd"
"""COCO's mark of a target that stands for many objects; readers keep it beside the target."""


class Parts(NamedTuple):
    """Masks of one query and its answer.

    Attributes:
        id: of the query.
        size_hw: of the picture.
        predicted: instance masks, or the one fused mask of a model that gives no instances.
        score: of each instance mask; () for a fused mask.
        target: target masks.
        crowd: of each target, whether it stands for many objects.
        seen: visible masks of the targets when their hidden part is asked for, else ().
        ignored: the ignore region, or ().
    """

    id: str
    size_hw: tuple[int, int]
    predicted: tuple[RLE, ...]
    score: tuple[float, ...]
    target: tuple[RLE, ...]
    crowd: tuple[bool, ...]
    seen: tuple[RLE, ...]
    ignored: tuple[RLE, ...]

    @property
    def by_role(self) -> tuple[tuple[RLE, ...], ...]:
        """Codes in the order of `Role`; what is seen has the role of the others."""
        return self.predicted, self.target, self.seen, self.ignored

    @property
    def codes(self) -> tuple[RLE, ...]:
        """All codes, role by role."""
        return self.predicted + self.target + self.seen + self.ignored


def _check_size(codes: Sequence[RLE], query: QueryRecord, of: object, hint: str = "") -> None:
    """Raise DataError for a mask of another size; COCO's engines would score it 0 in silence.

    Args:
        codes: masks that must have the size of `query`.
        query: the query.
        of: the record that holds the masks: `query` or the prediction.
        hint: end of the message.
    """
    expected = [query.height, query.width]
    sizes: list[Any] = [code.get("size") if isinstance(code, dict) else code for code in codes]
    if sizes.count(expected) == len(sizes):
        return
    kind = "query" if of is query else "prediction"
    where = getattr(of, "place", "") or f"{kind} {query.id}"
    wrong = next(size for size in sizes if size != expected)
    raise DataError(
        f"{where}: expected masks of size {expected} as in query {query.id}, got {wrong}{hint}"
    )


def _seen(query: QueryRecord) -> tuple[RLE, ...]:
    """Visible masks of an amodal query's targets; () where one is not known."""
    if query.mask_type != MaskType.AMODAL:
        return ()
    visible = tuple(target.modal for target in query.targets if target.modal is not None)
    return visible if len(visible) == len(query.targets) else ()


def parts_of(query: QueryRecord, prediction: Prediction) -> Parts:
    """Collect the masks of a query; a failed prediction has none.

    Raises:
        DataError: when a mask has another size than the query, or a score is not finite.
    """
    masks = prediction.masks if prediction.error is None else ()
    predicted = tuple([mask.segmentation for mask in masks])
    score = tuple([mask.score for mask in masks])
    if not masks and prediction.fused is not None and prediction.error is None:
        predicted = (prediction.fused,)
    if not all(map(math.isfinite, score)):
        raise DataError(f"prediction {query.id}: expected finite scores, got {score}")
    target = tuple([one.segmentation for one in query.targets])
    seen, ignored = _seen(query), () if query.ignore is None else (query.ignore,)
    _check_size(predicted, query, prediction, "; give them in the picture's size")
    _check_size(target + seen + ignored, query, query)
    crowd = tuple([bool(one.extra.get(_CROWD)) for one in query.targets])
    size_hw = (query.height, query.width)
    return Parts(query.id, size_hw, predicted, score, target, crowd, seen, ignored)


def read_parts(parts: Sequence[Parts]) -> Edges:
    """Read all codes of many queries, query by query and role by role.

    Raises:
        RLEError: naming the query whose code is malformed.
    """
    try:
        return read_edges([code for one in parts for code in one.codes])
    except RLEError:
        for one in parts:
            for code in one.codes:
                try:
                    rle.validate(code)
                except RLEError as error:
                    raise RLEError(f"query {one.id}: {error}") from error
        raise
