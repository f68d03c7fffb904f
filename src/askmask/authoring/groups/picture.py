"""What is measured on one annotated picture before anything is said about it.

Only masks count: an annotation file knows no depth and no metres. Every array has one entry an
object, in the order of `objects`; truth values and relations are those of the scenes' language.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.authoring.lexicon import class_of
from askmask.formats.askmask import Entity, EntityRecord
from askmask.overlay.strokes import window
from askmask.pantry.language.english import plural
from askmask.pantry.language.facts import Floats, Plane, Shapes, Solid
from askmask.pantry.language.relations import RELATIONS
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, UNDEFINED, Truth, decide
from askmask.rle import RLE

__all__ = ["Picture"]

_MIN_REFERENCE = 0.001
"""Smallest share of the picture that an object to point at shows."""

_NO_OBJECTS = ("iscrowd", "is_stuff")
"""Keys of entities that are no single objects."""

_NEAR, _APART = 2, 10
"""Pixels between outlines: at most this is touching, at least that is not."""

_MIN_CONTACT = 12
"""Pixels that a mask and its widened neighbour share when they touch."""

_COVERS, _CLEAR, _MIN_COVERED = 0.05, 0.005, 50
"""Shares of a complete shape that are covered or not, and the fewest covered pixels."""


class Picture:
    """The objects of one picture, measured.

    Attributes:
        record: the entity line.
        objects: annotated single objects with visible pixels, no stuff as grass or sky.
        crowds: regions that hold several objects of a category and do not part them.
        size_hw: height and width in pixels.
        n: number of objects.
        others: categories that this picture surely lacks, sorted: those of the source, or where
            the record says which were searched for in vain, as for LVIS, only those.
        incomplete: categories of which objects may be missing in the annotation.
        area: (N,) visible pixels.
        whole_area: (N,) pixels of the complete shape; the visible ones where it is not known.
        modal, amodal: boxes and centroids of visible and of complete shapes.
        left_share, top_share: (N,) share of the visible pixels in the left and upper half.
    """

    def __init__(self, record: EntityRecord, categories: Sequence[str] = ()) -> None:
        """Measure the masks of `record`; `categories` are those of the whole source."""
        self.record = record
        self.size_hw = record.height, record.width
        seen = [entity for entity in record.entities if rle.area(entity.modal)]
        self.objects = tuple(one for one in seen if not any(map(one.extra.get, _NO_OBJECTS)))
        self.crowds = tuple(entity for entity in seen if entity.extra.get("iscrowd"))
        self.n = len(self.objects)
        present = {entity.category for entity in record.entities}
        self.others = sorted(set(record.extra.get("absent", categories)) - present)
        self.incomplete = frozenset(record.extra.get("incomplete", ()))
        self._touching: dict[int, Truth] = {}
        rows = [_measure(rle.decode(entity.modal)) for entity in self.objects]
        whole = [
            _measure(rle.decode(entity.amodal)) if _is_known(entity.amodal) else row
            for entity, row in zip(self.objects, rows, strict=True)
        ]
        modal = np.array(rows, float).reshape(-1, 9).T
        amodal = np.array(whole, float).reshape(-1, 9).T
        self.modal, self.amodal = Plane(*modal[:6]), Plane(*amodal[:6])
        self.area, self.whole_area = modal[6], amodal[6]
        self.left_share, self.top_share = modal[7], modal[8]

    @cached_property
    def to_point_at(self) -> list[int]:
        """Indices of the objects that show enough to be a reference."""
        least = _MIN_REFERENCE * self.size_hw[0] * self.size_hw[1]
        return [int(one) for one in np.flatnonzero(self.area >= least)]

    def crowds_of(self, categories: frozenset[str] | None) -> tuple[Entity, ...]:
        """Crowds of these categories; None means all."""
        return tuple(c for c in self.crowds if categories is None or c.category in categories)

    def relation(self, name: str, anchor: int) -> Truth:
        """(N,) whether each object is in a 2D relation to the anchor, e.g. "left_of"."""
        nowhere = Solid(np.zeros((self.n, 3)), np.zeros((self.n, 3)))
        shapes = Shapes(self.modal, self.amodal, nowhere)
        one = shapes.union(np.array([anchor]))
        values = RELATIONS[name](shapes, one, self.size_hw).astype(np.int8)
        values[anchor] = UNDEFINED
        return values

    def distances(self, anchor: int) -> tuple[Floats, Floats]:
        """(N,) pixels between centroids, and between boxes, of each object and the anchor."""
        plane = self.modal
        centres = np.hypot(plane.cx - plane.cx[anchor], plane.cy - plane.cy[anchor])
        return centres, self._gaps(anchor)

    def _gaps(self, anchor: int) -> Floats:
        plane = self.modal
        across = np.maximum(plane.x0 - plane.x1[anchor], plane.x0[anchor] - plane.x1)
        down = np.maximum(plane.y0 - plane.y1[anchor], plane.y0[anchor] - plane.y1)
        gaps: Floats = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
        return gaps

    def touching(self, anchor: int) -> Truth:
        """(N,) whether the outlines of object and anchor meet in the picture."""
        if anchor not in self._touching:
            self._touching[anchor] = self._measure_contact(anchor)
        return self._touching[anchor]

    def _measure_contact(self, anchor: int) -> Truth:
        own = rle.decode(self.objects[anchor].modal)
        place = window(own, _APART)
        assert place is not None  # objects have visible pixels
        near, far = (_widened(own[place], by) for by in (_NEAR, _APART))
        close = self._gaps(anchor) < _APART
        values = np.where(close, UNCLEAR, FALSE).astype(np.int8)
        for one in np.flatnonzero(close):
            mask = rle.decode(self.objects[one].modal)[place]
            if not (mask & far).any():
                values[one] = FALSE
            elif np.count_nonzero(mask & near) >= _MIN_CONTACT:
                values[one] = TRUE
        values[anchor] = UNDEFINED
        return values

    def covering(self, anchor: int) -> Truth | None:
        """(N,) whether each object hides a part of the anchor; None where nothing tells."""
        whole = self.objects[anchor].amodal
        if not _is_known(whole):
            return None
        covered = np.array(
            [rle.area(rle.intersection((one.modal, whole), self.size_hw)) for one in self.objects]
        )
        share = covered / rle.area(whole)
        true = (share >= _COVERS) & (covered >= _MIN_COVERED)
        values = decide(true, share <= _CLEAR).astype(np.int8)
        values[anchor] = UNDEFINED
        return values

    def at_edge(self) -> Truth:
        """(N,) whether each object reaches the edge of the picture."""
        height, width = self.size_hw
        plane = self.modal
        margin = np.minimum.reduce([plane.x0, plane.y0, width - plane.x1, height - plane.y1])
        return decide(margin <= 0, margin >= 5).astype(np.int8)

    def in_half(self, side: str) -> Truth:
        """(N,) whether each object is in the left, right, upper or lower half."""
        first = self.left_share if side in ("left", "right") else self.top_share
        share = first if side in ("left", "upper") else 1 - first
        return decide(share >= 0.9, share <= 0.1).astype(np.int8)

    def of_category(self, category: str) -> Truth:
        """(N,) whether each object is of the category; a kind of it, as its name tells, is UNCLEAR.

        A "beer mug" is a mug to most people and a "hot dog" no dog: who cannot tell must not ask.
        Nor where annotators name freely: "dougnut" is another doughnut, a "man" one of the people.
        """
        exact = np.array([one.category == category for one in self.objects], bool)
        kin = np.array([_is_kin(one.category, category) for one in self.objects], bool)
        return np.where(exact, TRUE, np.where(kin, UNCLEAR, FALSE)).astype(np.int8)


def _is_known(amodal: RLE | None) -> TypeGuard[RLE]:
    """Whether there is a complete shape; some files have empty ones."""
    return amodal is not None and rle.area(amodal) > 0


def _is_kin(category: str, other: str) -> bool:
    """Whether two names may mean the same: by their words, as kinds of one class, or as its plural.

    One ends with the other, or is the other before "of".
    """
    if category == other:
        return False
    head = category.split(" of ")[0]
    if category.endswith(" " + other) or head == other:
        return True
    return class_of(category) == class_of(other) or plural(other) == category


def _measure(mask: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return x0, x1, y0, y1, cx, cy, area, left share, top share of a mask that is not empty."""
    rows, columns = mask.sum(1), mask.sum(0)
    area = int(rows.sum())
    ys, xs = np.flatnonzero(rows), np.flatnonzero(columns)
    cy, cx = rows[ys] @ ys / area + 0.5, columns[xs] @ xs / area + 0.5
    left = (columns[: len(columns) // 2].sum()) / area
    top = (rows[: len(rows) // 2].sum()) / area
    return xs[0], xs[-1] + 1, ys[0], ys[-1] + 1, cx, cy, area, left, top


def _widened(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask, (H, W) bool, grown by `by` pixels to all sides and corners."""
    grown = mask
    for axis in (0, 1):
        total = np.cumsum(np.pad(grown, _pads(axis, by)), axis=axis, dtype=np.int32)
        reach = 2 * by + 1
        ahead = np.take(total, np.arange(reach, total.shape[axis]), axis=axis)
        behind = np.take(total, np.arange(total.shape[axis] - reach), axis=axis)
        grown = ahead > behind
    return grown


def _pads(axis: int, by: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding so that sums over 2 * by + 1 pixels, less the first, give one value a pixel."""
    own, other = (by + 1, by), (0, 0)
    return (own, other) if axis == 0 else (other, own)
