"""What counting needs of queries and their answers: codes by role, checked to be of one size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.edges import Edges, read_texts
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["Codes", "Parts", "parts_of"]

_CROWD = "iscrowd"
"""COCO's mark of a target that stands for many objects; readers keep it beside the target."""

_LINE = 100
"""Characters that a query counts for beside its codes, so that empty ones fill a batch too."""

Codes = Sequence[RLE]


class Parts(NamedTuple):
    """Masks of N queries and their answers, end to end: query by query, role by role.

    Attributes:
        ids: of the queries.
        sizes_hw: of the pictures.
        numbers: (N, 4) int64, codes of each query in the order of `Role`: instance masks, or the
            one fused mask of a model that gives no instances; target masks; visible masks of the
            targets when their hidden part is asked for; the ignore region.
        codes: of all masks.
        texts: of the codes.
        fused: (N,) bool, whether the answer is one fused mask.
        scores: of the instance masks.
        crowds: of the targets, whether each stands for many objects.
    """

    ids: list[str]
    sizes_hw: list[tuple[int, int]]
    numbers: NDArray[np.int64]
    codes: list[RLE]
    texts: list[str]
    fused: NDArray[np.bool_]
    scores: list[float]
    crowds: list[bool]

    def by_role(self) -> Iterator[tuple[Codes, Codes, Codes, Codes]]:
        """Yield the codes of each query in the order of `Role`."""
        codes = iter(self.codes)
        for numbers in self.numbers.tolist():
            predicted, target, seen, ignored = ([*islice(codes, number)] for number in numbers)
            yield predicted, target, seen, ignored

    def batches(self, characters: int) -> Iterator[Parts]:
        """Cut into batches of consecutive queries with about so many characters of codes."""
        code = _before(self.numbers.sum(axis=1))
        score = _before(np.where(self.fused, 0, self.numbers[:, 0]))
        crowd = _before(self.numbers[:, 1])
        lengths = _before(np.fromiter(map(len, self.texts), np.int64, len(self.texts)))
        ends = lengths[code[1:]] + _LINE * np.arange(1, len(code))
        total = int(ends[-1]) if len(ends) else 1
        batch = (ends - 1) * max(1, total // characters) // total
        borders = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(ends)]
        for start, stop in pairwise(borders):
            part, codes = slice(start, stop), slice(code[start], code[stop])
            yield Parts(
                self.ids[part],
                self.sizes_hw[part],
                self.numbers[part],
                self.codes[codes],
                self.texts[codes],
                self.fused[part],
                self.scores[score[start] : score[stop]],
                self.crowds[crowd[start] : crowd[stop]],
            )

    def read(self) -> Edges:
        """Read all codes.

        Raises:
            RLEError: naming the query whose code is malformed.
        """
        pixels = np.array(self.sizes_hw, np.int64).reshape(-1, 2).prod(axis=1)
        edges = read_texts(self.texts, np.repeat(pixels, self.numbers.sum(axis=1)))
        if edges is not None:
            return edges
        for name, groups in zip(self.ids, self.by_role(), strict=True):
            for code in chain(*groups):
                try:
                    rle.validate(code)
                except RLEError as error:
                    raise RLEError(f"query {name}: {error}") from error
        raise RLEError("RLE: expected well-formed codes")  # pragma: no cover


def _before(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of what stands before each of N numbers, and of all, (N + 1,)."""
    return np.concatenate(([0], np.cumsum(numbers)))


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
    numbers = parts.numbers.sum(axis=1).tolist()
    expected = chain.from_iterable(map(repeat, map(list, parts.sizes_hw), numbers))
    try:
        same = [code["size"] for code in parts.codes] == [*expected]
    except (KeyError, TypeError):
        same = False
    if same and all(map(math.isfinite, parts.scores)):
        return
    columns = zip(queries, predictions, parts.by_role(), strict=True)
    for query, prediction, (predicted, target, seen, ignored) in columns:
        scores = _scores(prediction)
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


def _scores(prediction: Prediction) -> list[float]:
    """Scores of the instance masks of an answer; a failed one has none."""
    if prediction.error is not None:
        return []
    return [mask.score for mask in prediction.masks]


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
    codes: list[RLE] = []
    numbers, scores, fused, crowds = [], [], [], []
    for query, answer in zip(queries, predictions, strict=True):
        predicted, targets, seen = _predicted(answer), query.targets, _seen(query)
        own = _scores(answer)
        codes += predicted
        codes += [target.segmentation for target in targets]
        codes += seen
        if query.ignore is not None:
            codes.append(query.ignore)
        numbers.append((len(predicted), len(targets), len(seen), query.ignore is not None))
        fused.append(len(predicted) > len(own))
        scores += own
        crowds += [bool(target.extra and target.extra.get(_CROWD)) for target in targets]
    parts = Parts(
        ids=[query.id for query in queries],
        sizes_hw=[(query.height, query.width) for query in queries],
        numbers=np.array(numbers, np.int64).reshape(-1, 4),
        codes=codes,
        texts=[],
        fused=np.array(fused, bool),
        scores=scores,
        crowds=crowds,
    )
    _check(queries, predictions, parts)
    parts.texts.extend([code["counts"] for code in codes])
    return parts
