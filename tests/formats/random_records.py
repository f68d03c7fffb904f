"""Hypothesis strategies for small records, as benchmark folders hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from askmask import rle
from askmask.formats.askmask import Entity, EntityRecord, QueryRecord, Target
from askmask.formats.collection import Collection, Split
from askmask.types import MaskType

SIZE_HW = (9, 11)

PIXELS = SIZE_HW[0] * SIZE_HW[1]


def _mask_of(bits: int) -> np.ndarray:
    """The mask whose pixels are the bits of a number: one draw, so that tests stay quick."""
    flat = np.unpackbits(np.frombuffer(bits.to_bytes(PIXELS // 8 + 1, "big"), np.uint8))
    return flat[-PIXELS:].reshape(SIZE_HW).astype(bool)


MASKS = st.integers(0, 2**PIXELS - 1).map(_mask_of)
CODES = MASKS.map(rle.encode)
NAMES = st.text("abcÄß箱\"'<&>:;#[]{}%/,", min_size=1, max_size=6)
EXTRAS = st.dictionaries(st.sampled_from(["note", "asset"]), st.integers(0, 9) | NAMES)


def picture_names(count: int) -> list[str]:
    return [f"images/{number}.png" for number in range(count)]


@st.composite
def entities(draw: st.DrawFn, id: int) -> Entity:
    """An object whose amodal mask covers its modal one, or is not known."""
    modal = draw(MASKS)
    known = draw(st.booleans())
    amodal = modal | (draw(MASKS) if draw(st.booleans()) else modal)
    return Entity(
        id=id,
        category=draw(NAMES),
        modal=rle.encode(modal),
        amodal=rle.encode(amodal) if known else None,
        attributes=draw(st.dictionaries(NAMES, NAMES, max_size=2)),
        occlusion_rate=draw(st.none() | st.sampled_from([0.0, 0.25, 1.0])),
        occluded_by=tuple(draw(st.lists(st.integers(1, 9), max_size=2))),
        depth_order=draw(st.none() | st.integers(0, 5)),
        extra=draw(EXTRAS),
    )


@st.composite
def entity_records(draw: st.DrawFn, image: str) -> EntityRecord:
    ids = draw(st.lists(st.integers(1, 99), unique=True, max_size=3))
    return EntityRecord(image, *SIZE_HW, tuple(draw(entities(id)) for id in ids))


@st.composite
def targets(draw: st.DrawFn, mask_type: MaskType | None) -> Target:
    """A target, whose modal mask is its own one in a query for that."""
    mask = draw(CODES)
    modal = st.just(mask) if mask_type is MaskType.MODAL else CODES
    return Target(
        mask,
        draw(st.none() | st.integers(1, 9)),
        draw(st.none() | NAMES),
        draw(st.none() | modal),
        draw(EXTRAS),
    )


@st.composite
def queries(draw: st.DrawFn, id: str) -> QueryRecord:
    mask_type = draw(st.none() | st.sampled_from(MaskType))
    return QueryRecord(
        id=id,
        image=draw(st.sampled_from(picture_names(2))),
        height=SIZE_HW[0],
        width=SIZE_HW[1],
        text=draw(NAMES),
        targets=tuple(draw(st.lists(targets(mask_type), max_size=2))),
        references=tuple(draw(st.lists(CODES, max_size=2))),
        mask_type=mask_type,
        ignore=draw(st.none() | CODES),
        tags=tuple(draw(st.lists(NAMES, max_size=2))),
        extra=draw(EXTRAS),
    )


@st.composite
def entity_splits(draw: st.DrawFn, least: int = 1) -> Split:
    names = picture_names(draw(st.integers(least, 2)))
    return Split(entities=tuple(draw(entity_records(name)) for name in names))


@st.composite
def query_splits(draw: st.DrawFn) -> Split:
    ids = draw(st.lists(NAMES, unique=True, min_size=1, max_size=3))
    return Split(queries=tuple(draw(queries(id)) for id in ids))


def alone(split: Split, **more: Any) -> Collection:
    return Collection({"all": split}, **more)
