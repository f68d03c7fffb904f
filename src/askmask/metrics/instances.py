"""Instance masks after matching: columns from which AP, AR, F1 and calibration are computed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.edges import Edges, ranges
from askmask.metrics.matching import (
    ALL_THRESHOLDS,
    MAX_DETECTIONS,
    best_assignment,
    coco_matches,
    outside,
    ranking,
    ranks,
)
from askmask.metrics.overlap import pair_intersections

__all__ = ["Instances", "Overlaps", "match_instances", "overlapping"]

_Ints = NDArray[np.int64]

_LEAST = 0.5
"""IoU below which no pair can match, so that most need not be computed."""


@dataclass(frozen=True, eq=False)
class Instances:
    """D predicted masks of N queries, sorted by query; A = 4 ranges of area, `matching.AREAS`.

    Attributes:
        query: (D,) int32, row of each mask's query.
        score: (D,) float64.
        rank: (D,) int32, place in the query, best score first.
        matched: (A, D) uint16, bit t: COCO's matching at threshold t gives the mask a target.
        ignored: (A, D) uint16, bit t: the mask counts neither as right nor as wrong.
        hit: (D,) bool, whether the best assignment at IoU 0.5 gives the mask a target.
        beside: (D,) bool, no hit but at least half inside ignored pixels: not counted by F1.
        targets: (A, N) int64, targets of each query that count in the range.
    """

    query: NDArray[np.int32]
    score: NDArray[np.float64]
    rank: NDArray[np.int32]
    matched: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    hit: NDArray[np.bool_]
    beside: NDArray[np.bool_]
    targets: _Ints

    def __len__(self) -> int:
        return int(self.targets.shape[1])

    @cached_property
    def ranked(self) -> NDArray[np.int32]:
        """Masks that COCO looks at, best score first; equal scores as they come in the file."""
        return ranking(self.score, self.rank < MAX_DETECTIONS)

    def take(self, rows: NDArray[np.intp]) -> Instances:
        """Instances of the queries at `rows`, in that order."""
        new_row = np.full(len(self), -1, np.int32)
        new_row[rows] = np.arange(len(rows))
        row = new_row[self.query]
        order = np.argsort(row, kind="stable")[(row < 0).sum() :]
        columns = {
            field.name: getattr(self, field.name)[..., order]
            for field in fields(self)
            if field.name not in ("query", "targets")
        }
        return Instances(query=row[order], targets=self.targets[:, rows], **columns)


class Overlaps(NamedTuple):
    """K pairs of a predicted mask and a target that overlap.

    Attributes:
        mask: (K,) int64, position among the predicted masks.
        target: (K,) int64, position among the targets.
        common: (K,) int64, pixels in both.
        iou: (K,) float64; with a crowd, the share of the predicted mask that lies in it.
    """

    mask: _Ints
    target: _Ints
    common: _Ints
    iou: NDArray[np.float64]

    def where(self, rows: NDArray[np.bool_]) -> Overlaps:
        """Chosen pairs, (K,) bool."""
        return Overlaps(self.mask[rows], self.target[rows], self.common[rows], self.iou[rows])


def _same_query(mask_query: _Ints, target_query: _Ints) -> tuple[_Ints, _Ints]:
    """All pairs of a mask and a target of the same query; both are sorted by query."""
    first = np.searchsorted(target_query, mask_query)
    number = np.searchsorted(target_query, mask_query, side="right") - first
    return np.repeat(np.arange(len(mask_query)), number), ranges(first, number)


def overlapping(
    edges: Edges,
    masks: tuple[_Ints, _Ints],
    targets: tuple[_Ints, _Ints],
    crowd: NDArray[np.bool_] | None = None,
    least: float = 0.0,
) -> Overlaps:
    """Find the pairs that overlap with an IoU of at least `least`.

    Args:
        edges: of all masks.
        masks: index in `edges` and query of the predicted masks, sorted by query.
        targets: index in `edges` and query of the targets, sorted by query.
        crowd: of each target, or None for none.
        least: pairs whose areas alone rule it out are not looked at.
    """
    area = edges.area
    mask, target = _same_query(masks[1], targets[1])
    stands_for_many = np.zeros(len(mask), bool) if crowd is None else crowd[target]
    mask_area, target_area = area[masks[0]][mask], area[targets[0]][target]
    smaller, larger = np.minimum(mask_area, target_area), np.maximum(mask_area, target_area)
    able = (smaller > 0) & (stands_for_many | (smaller >= least * larger))
    mask, target = mask[able], target[able]
    common = pair_intersections(edges, masks[0][mask], targets[0][target])
    either = np.where(stands_for_many, mask_area, mask_area + target_area)[able]
    either -= np.where(stands_for_many[able], 0, common)
    found = Overlaps(mask, target, common, common / either)
    return found.where((found.common > 0) & (found.iou >= least))


def match_instances(
    edges: Edges,
    masks: tuple[_Ints, _Ints, NDArray[np.float64]],
    targets: tuple[_Ints, _Ints, NDArray[np.bool_]],
    queries: int,
    target_area: _Ints | None = None,
) -> Instances:
    """Match predicted masks with targets as COCO does, and as F1 does.

    IoU is that of whole masks, ignored pixels included, as COCO has it.

    Args:
        edges: of all masks.
        masks: index in `edges`, query and score of D predicted masks, sorted by query.
        targets: index in `edges`, query and crowd of G targets, sorted by query.
        queries: their number N.
        target_area: (G,) int64 by which targets are sorted into ranges of area; their pixels when
            not given. COCO's own files carry the areas of polygons, which differ a little.
    """
    mask_at, query, score = masks
    target_at, target_query, crowd = targets
    area = edges.area
    pairs = overlapping(edges, (mask_at, query), (target_at, target_query), crowd, _LEAST)
    rank = ranks(query, score)
    counts_not = crowd | outside(area[target_at] if target_area is None else target_area)
    matched, ignored = coco_matches(
        *(pairs.mask, pairs.target, pairs.iou, query, rank, counts_not, crowd), len(edges.along)
    )
    ignored |= np.where(outside(area[mask_at]), ~matched & ALL_THRESHOLDS, 0).astype(np.uint16)
    single = pairs.where(~crowd[pairs.target])
    hit, beside = np.zeros((2, len(query)), bool)
    hit[single.mask[best_assignment(single.mask, single.target, single.iou, query)]] = True
    beside[pairs.mask[crowd[pairs.target]]] = True
    return Instances(
        query=query.astype(np.int32),
        score=score,
        rank=rank.astype(np.int32),
        matched=matched,
        ignored=ignored,
        hit=hit,
        beside=beside & ~hit,
        targets=np.stack(
            [np.bincount(target_query[~row], minlength=queries) for row in counts_not]
        ),
    )
