"""Per-query counts: all that the metrics need, in columns.

Counting is the only step that touches masks, and it works on run-length codes, many queries at
once. What follows are sums over columns, so another metric, slice or resample costs next to
nothing, and a file of any length needs memory for its columns only.
"""

from __future__ import annotations

import math
import os
from array import array
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.collector import uncollected
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.loops import BATCH
from askmask.metrics.columns import Table
from askmask.metrics.instances import Instances
from askmask.metrics.mask_counts import Wanted, count_masks
from askmask.metrics.parts import Parts, parts_of
from askmask.metrics.twins import Twins
from askmask.types import MaskType

__all__ = ["MASK_TYPES", "NO_TYPE", "THREADS", "Counter", "Counts", "Wanted", "count"]

MASK_TYPES = tuple(MaskType)
"""The types in the order of their codes in `Counts.asked_type` and `Counts.answered_type`."""

NO_TYPE = -1
"""Code of a type that the source or the model does not say."""

_CHARACTERS = BATCH
"""Characters of codes that are counted at a time."""

_QUERIES = 1_000
"""Queries that are counted at a time at most."""

THREADS = os.cpu_count() or 1
"""Threads that count beside what reads."""

_REJECTED = 0.5
"""A fused mask is no answer when the model's no-target probability is above this."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Columns over N queries; pixels of the ignore region are in no count.

    Attributes:
        intersection: (N,) int64 pixels in both the prediction and the target, each fused.
        union: (N,) int64 pixels in either.
        target_area: (N,) int64 pixels of the fused target.
        targets: (N,) int64 number of target masks; 0 = no target.
        answered: (N,) bool, whether the answer holds a mask.
        failed: (N,) bool, whether the query failed; then not `answered`.
        fused_only: (N,) bool, whether the answer is one fused mask without instances.
        asked_type: (N,) int8, index into MASK_TYPES or NO_TYPE.
        answered_type: (N,) int8, likewise.
        type_probability: (N, 3) float64 in the order of MASK_TYPES, NaN where not said.
        hidden_iou: (N,) float64, IoU of prediction and target without the visible target; NaN
            unless the query is amodal and something of its target is known to be hidden.
        switched: (N,) int8, 1 or 0 at the row that counts a pair of twins, else NO_TWIN.
        boundary: (N, 2) int64 pixels in both rims and in either; None when not wanted.
        pairs: (N, 4) float64, of the best assignment of masks to targets: sum of IoU, pixels in
            both, pixels in either with those of masks left over, and the larger number of masks;
            None when not wanted.
        instances: masks one by one; None when not wanted.
    """

    intersection: NDArray[np.int64]
    union: NDArray[np.int64]
    target_area: NDArray[np.int64]
    targets: NDArray[np.int64]
    answered: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    fused_only: NDArray[np.bool_]
    asked_type: NDArray[np.int8]
    answered_type: NDArray[np.int8]
    type_probability: NDArray[np.float64]
    hidden_iou: NDArray[np.float64]
    switched: NDArray[np.int8]
    boundary: NDArray[np.int64] | None = None
    pairs: NDArray[np.float64] | None = None
    instances: Instances | None = None

    def __len__(self) -> int:
        return len(self.union)

    def take(self, rows: NDArray[np.intp]) -> Counts:
        """Counts of the queries at `rows`, in that order."""
        columns: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            if field.name == "instances" and values is not None:
                columns[field.name] = values.take(rows)
            else:
                columns[field.name] = None if values is None else values[rows]
        return Counts(**columns)


_CODES: dict[str | None, int] = {None: NO_TYPE, **{kind: i for i, kind in enumerate(MASK_TYPES)}}
"""Code of each mask type, by what records say."""

_NOT_SAID = (math.nan,) * len(MASK_TYPES)


def _codes(types: Sequence[str | None]) -> NDArray[np.int8]:
    """Codes of mask types."""
    return np.array([_CODES[name] for name in types], np.int8)


def _probabilities(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """Probability of each type, (N, 3), NaN where not said."""
    rows = [
        _NOT_SAID if said is None else [said[kind] for kind in MASK_TYPES]
        for said in [answer.mask_type_probability for answer in predictions]
    ]
    return np.array(rows, np.float64).reshape(-1, len(MASK_TYPES))


def _count_answers(
    queries: Sequence[QueryRecord],
    predictions: Sequence[Prediction],
    fused_only: NDArray[np.bool_],
) -> dict[str, Any]:
    """Count the columns that are about what the model says beside its masks."""
    failed = np.array([answer.error is not None for answer in predictions], bool)
    masks = np.array([len(answer.masks) > 0 for answer in predictions], bool)
    fused = np.array([answer.fused is not None for answer in predictions], bool)
    doubt = np.array([answer.no_target_probability for answer in predictions], np.float64)
    # A model with a no-target head decides by it alone, as ReLA's evaluator has it.
    accepted = fused & np.where(np.isnan(doubt), fused_only, doubt <= _REJECTED)
    return {
        "answered": ~failed & (masks | accepted),
        "failed": failed,
        "asked_type": _codes([query.mask_type for query in queries]),
        "answered_type": _codes([answer.mask_type for answer in predictions]),
        "type_probability": _probabilities(predictions),
    }


def _count_parts(
    parts: Parts, queries: Sequence[QueryRecord], answers: Sequence[Prediction], wanted: Wanted
) -> list[Counts]:
    """Count queries in batches."""
    counted: list[Counts] = []
    start = 0
    for batch in parts.batches(_CHARACTERS):
        here = slice(start, start + len(batch.ids))
        columns = count_masks(batch, wanted)
        said = _count_answers(queries[here], answers[here], columns["fused_only"])
        counted.append(Counts(**columns, **said))
        start = here.stop
    return counted


class Counter:
    """Counts queries as they stream by, some hundred at a time, beside what reads them.

    Compiled loops leave Python to other threads; so does much of NumPy.
    """

    def __init__(self, wanted: Wanted | None = None, threads: int = THREADS) -> None:
        """Start without queries.

        Args:
            wanted: which counts; all that there are by default.
            threads: that count beside what reads; 0 where other processes have the cores.
        """
        self._wanted = wanted or Wanted()
        self._twins = Twins()
        self._threads = threads
        self._workers = ThreadPoolExecutor(threads) if threads else None
        self._counting: deque[Future[list[Counts]]] = deque()
        self._columns, self._masks, self._kept = Table(), Table(axis=-1), 0
        self._rows = array("q")
        self._queries: list[QueryRecord] = []
        self._answers: list[Prediction] = []

    def add(self, row: int, query: QueryRecord, prediction: Prediction) -> None:
        """Add the query of `row` and its answer.

        Raises:
            DataError: when a mask has another size than its query or a score is not finite; also
                for queries that were added before.
        """
        self._rows.append(row)
        self._queries.append(query)
        self._answers.append(prediction)
        if len(self._queries) >= _QUERIES:
            self._count()

    def _count(self) -> None:
        """Count the queries that wait."""
        queries, answers = self._queries, self._answers
        self._queries, self._answers = [], []
        with uncollected():
            parts = parts_of(queries, answers)
        if self._wanted.twins:
            rows = self._rows[len(self._rows) - len(queries) :]
            for row, query, groups in zip(rows, queries, parts.by_role(), strict=True):
                self._twins.add(row, query, groups)
        if self._workers is None:
            self._keep(_count_parts(parts, queries, answers, self._wanted))
            return
        self._counting.append(
            self._workers.submit(_count_parts, parts, queries, answers, self._wanted)
        )
        if len(self._counting) > self._threads + 1:  # lest records wait in numbers
            self._keep(self._counting.popleft().result())

    def _keep(self, counted: list[Counts]) -> None:
        """Add what was counted to the columns."""
        for counts in counted:
            columns = {field.name: getattr(counts, field.name) for field in fields(counts)}
            masks: Instances | None = columns.pop("instances")
            self._columns.append({k: v for k, v in columns.items() if v is not None})
            if masks is not None:
                columns = {field.name: getattr(masks, field.name) for field in fields(masks)}
                columns["query"] = masks.query + np.int32(self._kept)
                self._masks.append(columns)
            self._kept += len(counts)

    def _finish(self) -> None:
        """Count and keep all that was added."""
        self._count()
        while self._counting:
            self._keep(self._counting.popleft().result())

    def extend(self, counts: Counts) -> None:
        """Add queries that were counted elsewhere, without twins, in rows behind all others."""
        self._finish()
        self._rows.extend(range(self._kept, self._kept + len(counts)))
        self._keep([counts])

    def counts(self) -> Counts:
        """Return the counts of all queries by row, and end the counting."""
        self._finish()
        if self._workers is not None:
            self._workers.shutdown()
        masks = self._masks.columns()
        counts = Counts(**self._columns.columns(), instances=Instances(**masks) if masks else None)
        rows = np.frombuffer(self._rows, np.int64)
        if (rows[1:] < rows[:-1]).any():
            counts = counts.take(np.argsort(rows))
        counts.switched[:] = self._twins.switched(len(counts))
        return counts


def count(
    queries: Sequence[QueryRecord],
    predictions: Sequence[Prediction],
    wanted: Wanted | None = None,
) -> Counts:
    """Count `predictions` against `queries`, row by row; N = 0 is allowed.

    Args:
        queries: N queries with different ids.
        predictions: the N predictions for them, in the same order.
        wanted: which counts; all that there are by default.

    Raises:
        DataError: when a predicted mask has another size than its query or a score is not finite.
    """
    counter = Counter(wanted)
    for row, (query, prediction) in enumerate(zip(queries, predictions, strict=True)):
        counter.add(row, query, prediction)
    return counter.counts()
