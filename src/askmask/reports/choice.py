"""Which queries a page shows: the worst and a random sample, each with its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.iou import iou
from askmask.metrics.report import Report

__all__ = ["Case", "at_random", "cases", "query_ious", "worst"]


@dataclass(frozen=True)
class Case:
    """One query with its answer.

    Attributes:
        row: place of the query in its file, from 0.
        iou: as the gIoU of the report counts it.
        query: what was asked, with the ground truth.
        prediction: what was answered.
    """

    row: int
    iou: float
    query: QueryRecord
    prediction: Prediction


def query_ious(report: Report) -> NDArray[np.float64]:
    """IoU of each query as the report's gIoU counts it, (N,) float64; NaN where it has none."""
    metric = report.terms.get("gIoU")
    return iou(report.counts) if metric is None else metric.per_query()


def worst(values: NDArray[np.float64], count: int, seed: int) -> list[int]:
    """Rows of the lowest of N values, lowest first; a seeded draw decides between equal ones.

    Undefined values (NaN) come last.
    """
    shuffled = np.random.default_rng(seed).permutation(len(values))
    order = shuffled[np.argsort(values[shuffled], kind="stable")]
    return [int(row) for row in order[:count]]


def at_random(n: int, count: int, seed: int) -> list[int]:
    """Rows of a seeded draw without repetition, in the order of the file; all of a small file."""
    drawn = np.random.default_rng(seed).choice(n, min(count, n), replace=False)
    return sorted(int(row) for row in drawn)


def cases(
    rows: Sequence[int],
    report: Report,
    queries: Iterable[QueryRecord],
    predictions: Iterable[Prediction],
) -> dict[int, Case]:
    """Pick the chosen rows out of both files, reading each once and keeping no more than asked.

    A query without a prediction gets one that says so, as it was scored.
    """
    values = query_ious(report)
    row_of = {report.query_ids[row]: row for row in rows}
    asked = {query.id: query for query in queries if query.id in row_of}
    answered = {answer.id: answer for answer in predictions if answer.id in row_of}
    return {
        row: Case(
            row,
            float(values[row]),
            asked[name],
            answered.get(name) or Prediction(id=name, error="no prediction in the file"),
        )
        for name, row in row_of.items()
    }
