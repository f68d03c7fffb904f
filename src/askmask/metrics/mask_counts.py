"""Counting of masks: the columns of `Counts` for some hundreds of queries at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.edges import Edges
from askmask.metrics.instances import Instances, match_instances, overlapping
from askmask.metrics.matching import best_assignment
from askmask.metrics.overlap import Role, pixels, regions
from askmask.metrics.parts import Parts
from askmask.metrics.rims import rim_areas
from askmask.metrics.twins import NO_TWIN

__all__ = ["Wanted", "count_instances", "count_masks"]


@dataclass(frozen=True)
class Wanted:
    """Which of the slower counts are wanted; the others cost little and always are.

    Attributes:
        instances: masks one by one, for AP, AR, F1 and the calibration of scores.
        pairs: best assignment of all masks and targets, whatever their IoU.
        rims: for boundary IoU.
        twins: for switch accuracy.
    """

    instances: bool = True
    pairs: bool = True
    rims: bool = True
    twins: bool = True


def _ratio(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ratios, NaN where nothing stands below the line."""
    ratio: NDArray[np.float64] = np.full(len(below), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def _hidden_iou(table: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU of the hidden part; NaN where there is none or it is not `known`."""
    without = (Role.OTHER, Role.IGNORED)
    common = pixels(table, (Role.PREDICTED,), (Role.TARGET,), without=without)
    either = pixels(table, (Role.PREDICTED, Role.TARGET), without=without)
    hidden = pixels(table, (Role.TARGET,), without=without)
    return np.where(known & (hidden > 0), _ratio(common, either), np.nan)


def _rims(edges: Edges, numbers: NDArray[np.int64], parts: Parts) -> NDArray[np.int64]:
    """Pixels in both rims and in either, (N, 2)."""
    border = [0, *np.cumsum(numbers).tolist()]
    rows = []
    for i, size_hw in enumerate(parts.sizes_hw):
        start, target, seen, ignored, end = border[4 * i : 4 * i + 5]
        spans = slice(start, target), slice(target, seen), slice(ignored, end)
        predicted, wanted, out = (edges.of(masks) for masks in spans)
        rows.append(rim_areas(predicted, wanted, out, size_hw))
    return np.array(rows, np.int64).reshape(-1, 2)


def _cells(parts: Parts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Query and role of each mask."""
    numbers = parts.numbers.ravel()
    cell = np.repeat(np.arange(len(numbers)), numbers)
    return cell >> 2, cell & 3


def count_instances(parts: Parts, edges: Edges) -> Instances:
    """Match the instance masks of N queries; the ignore region is a crowd.

    Args:
        parts: the queries.
        edges: of all their masks, as `parts.read` gives them.
    """
    query, role = _cells(parts)
    masks = np.flatnonzero((role == Role.PREDICTED) & ~parts.fused[query])
    targets = np.flatnonzero((role == Role.TARGET) | (role == Role.IGNORED))
    score = np.array(parts.scores, np.float64)
    crowd = role[targets] == Role.IGNORED
    crowd[~crowd] = parts.crowds
    return match_instances(
        edges, (masks, query[masks], score), (targets, query[targets], crowd), len(parts.ids)
    )


def _assigned(
    edges: Edges, query: NDArray[np.int64], role: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """Sums over the best assignment of masks to targets, (N, 4); see `Counts.pairs`."""
    masks, targets = (np.flatnonzero(role == kind) for kind in (Role.PREDICTED, Role.TARGET))
    found = overlapping(edges, (masks, query[masks]), (targets, query[targets]))
    best = best_assignment(found.mask, found.target, found.iou, query[masks])
    rows = query[masks][found.mask[best]]
    numbers = [np.bincount(query[some], minlength=n) for some in (masks, targets)]
    area = np.bincount(query, np.where(role <= Role.TARGET, edges.area, 0), n)
    common = np.bincount(rows, found.common[best], n)
    iou = np.bincount(rows, found.iou[best], n)
    return np.stack([iou, common, area - common, np.maximum(*numbers)], axis=1)


def count_masks(parts: Parts, wanted: Wanted) -> dict[str, Any]:
    """Count the columns of `Counts` that are about masks, for N queries at once.

    Raises:
        RLEError: naming the query whose code is malformed.
    """
    n = len(parts.ids)
    edges = parts.read()
    each = parts.numbers
    query, role = _cells(parts)
    size = np.array([height * width for height, width in parts.sizes_hw], np.int64)
    table = regions(edges, query, role, size)
    ignored = (Role.IGNORED,)
    shown = pixels(table, (Role.PREDICTED,)) > 0
    return {
        "intersection": pixels(table, (Role.PREDICTED,), (Role.TARGET,), without=ignored),
        "union": pixels(table, (Role.PREDICTED, Role.TARGET), without=ignored),
        "target_area": pixels(table, (Role.TARGET,), without=ignored),
        "targets": each[:, Role.TARGET].copy(),
        "fused_only": parts.fused & shown,
        "hidden_iou": _hidden_iou(table, each[:, Role.OTHER] > 0),
        "switched": np.full(n, NO_TWIN, np.int8),
        "boundary": _rims(edges, each.ravel(), parts) if wanted.rims else None,
        "pairs": _assigned(edges, query, role, n) if wanted.pairs else None,
        "instances": count_instances(parts, edges) if wanted.instances else None,
    }
