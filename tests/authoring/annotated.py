"""Short ways to write annotated pictures in the tests of mask groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from askmask import rle
from askmask.formats.askmask import Entity, EntityRecord
from askmask.rle import RLE

SIZE_HW = (100, 200)

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1; the last two exclusive."""


def box(x0: int, y0: int, x1: int, y1: int, size_hw: tuple[int, int] = SIZE_HW) -> RLE:
    """Mask of a box."""
    mask = np.zeros(size_hw, bool)
    mask[y0:y1, x0:x1] = True
    return rle.encode(mask)


def thing(
    number: int,
    category: str,
    place: Box,
    *,
    amodal: Box | None = None,
    crowd: bool = False,
    **attributes: Any,
) -> Entity:
    """An entity whose visible part is a box."""
    extra: Mapping[str, Any] = {"iscrowd": True} if crowd else {}
    whole = None if amodal is None else box(*amodal)
    return Entity(number, category, box(*place), whole, attributes, extra=extra)


def pictured(*entities: Entity, image: str = "images/a.png") -> EntityRecord:
    """A picture with these objects."""
    return EntityRecord(image, *SIZE_HW, entities)


def scattered(count: int, seed: int = 0) -> list[EntityRecord]:
    """Pictures with two to nine boxes of a few kinds and colours."""
    rng = np.random.default_rng(seed)
    records = []
    for index in range(count):
        entities = []
        for number in range(int(rng.integers(2, 10))):
            x, y = int(rng.integers(0, 170)), int(rng.integers(0, 75))
            w, h = int(rng.integers(8, 30)), int(rng.integers(8, 25))
            kind = ("dog", "cat", "person", "wine glass")[int(rng.integers(4))]
            colour = ("red", "blue", "green")[int(rng.integers(3))]
            entities.append(thing(number + 1, kind, (x, y, x + w, y + h), colour=colour))
        records.append(pictured(*entities, image=f"images/{index:03d}.png"))
    return records
