"""What counting needs of queries and their answers: codes by role, checked to be of one size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

import numpy as np

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.edges import Edges, read_edges
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["Codes", "Parts", "parts_of"]

_CROWD = "iscrowd"
"""COCO's mark of a target that stands for many objects; readers keep it beside the target."""

_LINE = 100
"""Characters that a query counts for beside its codes, so that empty ones fill a batch too."""

Codes = Sequence[RLE]


class Parts(NamedTuple):
    """Masks of N queries and their answers, each column a list over the queries.

    Attributes:
        ids: of the queries.
        sizes_hw: of the pictures.
        scores: of the instance masks; none for a fused mask.
        crowds: of the targets, whether each stands for many objects.
        by_role: codes in the order of `Role`: instance masks, or the one fused mask of a model that
            gives no instances; target masks; visible masks of the targets when their hidden part is
            asked for; the ignore region.
    """

    ids: list[str]
    sizes_hw: list[tuple[int, int]]
    scores: list[list[float]]
    crowds: list[list[bool]]
    by_role: list[tuple[Codes, Codes, Codes, Codes]]

    @property
    def codes(self) -> list[RLE]:
        """All codes, query by query and role by role."""
        return [code for groups in self.by_role for group in groups for code in group]

    def batches(self, characters: int) -> Iterator[Parts]:
        """Cut into batches of consecutive queries with about so many characters of codes."""
        lengths = [
            _LINE + sum([len(code["counts"]) for group in groups for code in group])
            for groups in self.by_role
        ]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if lengths else 1
        batch = (ends - 1) * max(1, total // characters) // total
        borders = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(lengths)]
        for start, stop in pairwise(borders):
            part = slice(start, stop)
            yield Parts(
                self.ids[part],
                self.sizes_hw[part],
                self.scores[part],
                self.crowds[part],
                self.by_role[part],
            )

    def read(self) -> Edges:
        """Read all codes.

        Raises:
            RLEError: naming the query whose code is malformed.
        """
        try:
            return read_edges(self.codes)
        except RLEError:
            for name, groups in zip(self.ids, self.by_role, strict=True):
                for code in chain(*groups):
                    try:
                        rle.validate(code)
                    except RLEError as error:
                        raise RLEError(f"query {name}: {error}") from error
            raise


def _check_size(codes: Codes, query: QueryRecord, of: object, hint: str = "") -> None:
    """Raise DataError for a mask of another size; COCO's engines would score it 0 in silence.

    Args:
        codes: masks that must have the size of `query`.
        query: the query.
        of: the record that holds the masks: `query` or the prediction.
        hint: end of the message.
    """
    expected = [query.height, query.width]
    kind = "query" if of is query else "prediction"
    for code in codes:
        size: Any = code.get("size") if isinstance(code, dict) else code
        if size != expected:
            raise DataError(
                f"{getattr(of, 'place', '') or f'{kind} {query.id}'}: expected masks of size "
                f"{expected} as in query {query.id}, got {size}{hint}"
            )


def _check(queries: Sequence[QueryRecord], predictions: Sequence[Prediction], parts: Parts) -> None:
    """Refuse masks of another size than their query and scores that are not finite."""
    numbers = [sum(map(len, groups)) for groups in parts.by_role]
    expected = chain.from_iterable(map(repeat, map(list, parts.sizes_hw), numbers))
    try:
        same = [code["size"] for code in parts.codes] == [*expected]
    except (KeyError, TypeError):
        same = False
    if same and all(map(math.isfinite, chain.from_iterable(parts.scores))):
        return
    columns = zip(queries, predictions, parts.scores, parts.by_role, strict=True)
    for query, prediction, scores, (predicted, target, seen, ignored) in columns:
        if not all(map(math.isfinite, scores)):
            raise DataError(f"prediction {query.id}: expected finite scores, got {(*scores,)}")
        _check_size(predicted, query, prediction, "; give them in the picture's size")
        _check_size([*target, *seen, *ignored], query, query)


def _predicted(prediction: Prediction) -> Codes:
    """Instance masks of an answer, or else its fused mask; a failed one has none."""
    if prediction.error is not None:
        return ()
    if not prediction.masks and prediction.fused is not None:
        return (prediction.fused,)
    return [mask.segmentation for mask in prediction.masks]


def _seen(query: QueryRecord) -> Codes:
    """Visible masks of an amodal query's targets; () where one is not known."""
    if query.mask_type != MaskType.AMODAL:
        return ()
    visible = [target.modal for target in query.targets if target.modal is not None]
    return visible if len(visible) == len(query.targets) else ()


def parts_of(queries: Sequence[QueryRecord], predictions: Sequence[Prediction]) -> Parts:
    """Collect the masks of N queries and of the predictions for them.

    Raises:
        DataError: when a mask has another size than its query, or a score is not finite.
    """
    parts = Parts(
        ids=[query.id for query in queries],
        sizes_hw=[(query.height, query.width) for query in queries],
        scores=[
            [] if answer.error is not None else [mask.score for mask in answer.masks]
            for answer in predictions
        ],
        crowds=[
            [bool(target.extra and target.extra.get(_CROWD)) for target in query.targets]
            for query in queries
        ],
        by_role=[
            (
                _predicted(answer),
                [target.segmentation for target in query.targets],
                _seen(query),
                () if query.ignore is None else (query.ignore,),
            )
            for query, answer in zip(queries, predictions, strict=True)
        ],
    )
    _check(queries, predictions, parts)
    return parts
