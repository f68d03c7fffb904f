"""Blocks of lines that msgspec reads in one go, where it is installed (`askmask[fast]`).

It parses a line and checks its types in compiled code. It is asked for lines without fault whose
objects have no keys but the format's; those of the line itself may be others. Wherever it
hesitates, the careful readers read the block again and say what is wrong: both give the same
records.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import Annotated, Any, TypeVar

import numpy as np

from askmask.collector import uncollected
from askmask.errors import DataError
from askmask.formats.fields import Fields
from askmask.formats.prediction import PredictedMask, Prediction, sums_to_one
from askmask.formats.records import MASK_TYPES, Extra, QueryRecord, Target
from askmask.formats.unfrozen import maker_of
from askmask.rle import MAX_PIXELS
from askmask.rle_batch import all_fill
from askmask.types import MaskType

__all__ = ["read_block"]

_make_mask, _make_prediction = maker_of(PredictedMask), maker_of(Prediction)
_make_query, _make_target = maker_of(QueryRecord), maker_of(Target)

_R = TypeVar("_R")
_Line = Any


class _Doubt(Exception):
    """The careful reader must look at this."""


@cache
def _decoder(kind: Any) -> Callable[[bytes, str], tuple[_Line, Extra]] | None:
    """Return what parses a line, read at a place, of this kind; None where nothing does."""
    if find_spec("msgspec") is None or kind not in _RECORDS:
        return None
    msgspec = import_module("msgspec")
    typed = _typed(msgspec, kind)
    decode, decode_any = (msgspec.json.Decoder(one).decode for one in (typed, Any))

    def parsed(line: bytes, place: str) -> tuple[_Line, Extra]:
        try:
            return decode(line), {}
        except msgspec.ValidationError:  # perhaps for its unknown keys alone
            whole = decode_any(line)
            extra = Fields(whole, place, kind.KEYS).extra
            known = {key: whole[key] for key in whole.keys() - extra.keys()}
            return msgspec.convert(known, typed), extra

    return parsed


def _typed(msgspec: Any, kind: Any) -> Any:
    """Return the type of a line of this kind of record."""

    def line(name: str, *fields: tuple[str, Any] | tuple[str, Any, Any]) -> Any:
        return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True, gc=False)

    share = Annotated[float, msgspec.Meta(ge=0, le=1)]
    name = Annotated[str, msgspec.Meta(min_length=1)]
    side = Annotated[int, msgspec.Meta(ge=1)]
    code: Any = dict[str, Any]
    maybe_code, text = code | None, str | None
    if kind is QueryRecord:
        target: Any = line(
            "Target",
            ("segmentation", code),
            ("entity", int | None, None),
            ("category", text, None),
            ("modal", maybe_code, None),
        )
        return line(
            "Query",
            *(("id", name), ("image", name), ("height", side), ("width", side), ("text", str)),
            ("targets", tuple[target, ...]),
            ("references", tuple[code, ...] | None, None),
            ("mask_type", MaskType | None, None),
            ("ignore", maybe_code, None),
            ("tags", tuple[str, ...] | None, None),
        )
    mask: Any = line(
        "Mask",
        *(("segmentation", code), ("score", share)),
        *(("modal", maybe_code, None), ("amodal", maybe_code, None), ("label", text, None)),
    )
    return line(
        "Prediction",
        ("id", name),
        ("mask_type", MaskType | None, None),
        (
            "mask_type_probability",
            line("Shares", *((key, share) for key in MASK_TYPES)) | None,
            None,
        ),
        ("masks", tuple[mask, ...] | None, None),
        ("fused", maybe_code, None),
        ("no_target_probability", share | None, None),
        ("rationale", text, None),
        ("seconds", Annotated[float, msgspec.Meta(ge=0)] | None, None),
        ("error", text, None),
        ("unsure", text, None),
    )


class _Codes:
    """Codes of a block of lines, checked together."""

    __slots__ = ("_codes", "_pixels", "_sizes")

    def __init__(self) -> None:
        self._codes: list[Any] = []
        self._sizes: list[Any] = []
        self._pixels: list[int] = []

    def add(self, codes: list[Any], size: Any) -> None:
        """Add codes that must be of this size."""
        height, width = size
        if height < 1 or width < 1 or height * width > MAX_PIXELS:
            raise _Doubt
        self._codes += codes
        self._sizes += [size] * len(codes)
        self._pixels += [height * width] * len(codes)

    def sound(self) -> bool:
        """Whether all are well-formed; `rle.validate` says what is wrong."""
        sizes = [code["size"] for code in self._codes]
        if sizes != self._sizes or not {*map(type, chain.from_iterable(sizes))} <= {int}:
            return False  # 480.0 equals 480
        texts = [code["counts"] for code in self._codes]
        return all_fill(texts, np.array(self._pixels, np.int64))


def _query(line: _Line, extra: Extra, place: str, codes: _Codes) -> QueryRecord:
    """Make a record; its codes, all of the picture's size, wait for their check."""
    targets = tuple(
        [
            _make_target(one.segmentation, one.entity, one.category, one.modal)
            for one in line.targets
        ]
    )
    references = line.references or ()
    own = [one.segmentation for one in targets]
    own += [one.modal for one in targets if one.modal is not None]
    own += references
    if line.ignore is not None:
        own.append(line.ignore)
    codes.add(own, [line.height, line.width])
    return _make_query(
        line.id,
        line.image,
        line.height,
        line.width,
        line.text,
        targets,
        references,
        line.mask_type,
        line.ignore,
        line.tags or (),
        extra,
        place,
    )


def _prediction(line: _Line, extra: Extra, place: str, codes: _Codes) -> Prediction:
    """Make a record; its codes, all of one size, wait for their check."""
    masks = tuple(
        [
            _make_mask(one.segmentation, one.score, one.modal, one.amodal, one.label)
            for one in line.masks or ()
        ]
    )
    own = [one.segmentation for one in masks]
    own += [one.modal for one in masks if one.modal is not None]
    own += [one.amodal for one in masks if one.amodal is not None]
    if line.fused is not None:
        own.append(line.fused)
    if own:
        if line.error is not None:
            raise _Doubt
        codes.add(own, own[0]["size"])
    said, probability = line.mask_type_probability, None
    if said is not None:
        probability = {kind: getattr(said, kind) for kind in MaskType}
        if not sums_to_one(probability.values()):
            raise _Doubt
    return _make_prediction(
        line.id,
        line.mask_type,
        probability,
        masks,
        line.fused,
        line.no_target_probability,
        line.rationale,
        line.seconds,
        line.error,
        line.unsure,
        extra,
        place,
    )


_RECORDS: dict[Any, Callable[[_Line, Extra, str, _Codes], Any]] = {
    QueryRecord: _query,
    Prediction: _prediction,
}


def read_block(kind: Callable[..., _R], block: bytes, path: str, number: int) -> list[_R] | None:
    """Read whole lines of a file; None when any of them, or the installation, asks for care.

    Args:
        kind: of the records.
        block: one object a line.
        path: of the file, for the records' places.
        number: of the first line.
    """
    decode = _decoder(kind)
    if decode is None:
        return None
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    codes = _Codes()
    make = _RECORDS[kind]
    try:
        with uncollected():
            records = [
                make(*decode(line, place := f"{path}:{at}"), place, codes)
                for at, line in enumerate(lines, number)
            ]
        return records if codes.sound() else None
    except (_Doubt, DataError, ValueError, TypeError, KeyError, RecursionError):
        return None  # errors of msgspec are ValueErrors
