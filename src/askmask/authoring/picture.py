"""A picture with its instances, numbered as writers see them and answer with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from askmask import rle
from askmask.formats.askmask import Entity, EntityRecord

__all__ = ["MIN_HIDDEN_PIXELS", "MIN_HIDDEN_SHARE", "MIN_VISIBLE", "AnnotatedPicture", "Instance"]

MIN_VISIBLE = 100
"""Instances with fewer visible pixels are not asked for: nobody could say which is meant."""

MIN_HIDDEN_SHARE, MIN_HIDDEN_PIXELS = 0.05, 30
"""Less hidden than this counts as not occluded: it is the annotator's hand."""

_NOT_ASKED = ("is_stuff", "iscrowd")


@dataclass(frozen=True, eq=False)
class Instance:
    """An entity that can be asked for.

    Attributes:
        number: what writers call it: 1, 2, … in the order of the annotation.
        entity: the entity.
        box_xyxy: box of the visible pixels, x1 and y1 exclusive.
        visible, complete: pixels of the modal and of the amodal mask.
    """

    number: int
    entity: Entity
    box_xyxy: tuple[int, int, int, int]
    visible: int
    complete: int

    @property
    def hidden_share(self) -> float:
        """Hidden share of the complete shape, in [0, 1]."""
        return 1 - self.visible / self.complete

    @property
    def is_occluded(self) -> bool:
        """Whether enough is hidden that modal and amodal masks differ."""
        hidden = self.complete - self.visible
        return self.hidden_share >= MIN_HIDDEN_SHARE and hidden >= MIN_HIDDEN_PIXELS


@dataclass(frozen=True, eq=False)
class AnnotatedPicture:
    """A picture that is asked about.

    Attributes:
        name: the picture's, unique in its source and the same on every machine.
        record: the annotation; its `image` is relative to the files that are written.
        path: where the picture lies, or None when only the annotation is there.
    """

    name: str
    record: EntityRecord
    path: Path | None = None

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The entities that can be asked for; those that are stuff, crowds or specks are not."""
        return tuple(_instances(self.record.entities))

    @cached_property
    def by_number(self) -> Mapping[int, Instance]:
        """Number -> instance."""
        return {one.number: one for one in self.instances}

    @cached_property
    def occluded(self) -> frozenset[int]:
        """Numbers of the occluded instances."""
        return frozenset(one.number for one in self.instances if one.is_occluded)

    @cached_property
    def number_of(self) -> Mapping[int, int]:
        """Entity id -> number."""
        return {one.entity.id: one.number for one in self.instances}


def _instances(entities: Iterable[Entity]) -> Iterator[Instance]:
    number = 0
    for entity in entities:
        visible, box = rle.area(entity.modal), rle.box_xyxy(entity.modal)
        if box is None or visible < MIN_VISIBLE or any(map(entity.extra.get, _NOT_ASKED)):
            continue
        number += 1
        complete = visible
        if entity.amodal is not None:
            # Where annotations disagree, what is seen belongs to the complete shape too.
            complete += rle.area(rle.subtract(entity.amodal, entity.modal))
        yield Instance(number, entity, box, visible, complete)
