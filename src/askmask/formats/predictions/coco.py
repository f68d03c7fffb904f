"""COCO results: one JSON list of detections, the query's id in the place of the image's."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.errors import DataError, RLEError
from askmask.formats.codes import CodeChecks
from askmask.formats.fields import Fields
from askmask.formats.files import read_json
from askmask.formats.prediction import PredictedMask, Prediction
from askmask.formats.predictions.asked import Asked
from askmask.formats.records import MASK_TYPES
from askmask.polygons import fill_polygons
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["read_coco"]

_KEYS = frozenset(("image_id", "segmentation", "score", "mask_type", "category_id", "bbox"))


def _query(fields: Fields, asked: Asked) -> str:
    """Return the query's id, which may be written as a whole number."""
    value = fields.value("image_id")
    if type(value) is not str and type(value) is not int:
        raise fields.error("image_id", f"expected a query id, got {reprlib.repr(value)}")
    return asked.named(str(value), fields.where)


def _segmentation(fields: Fields, size_hw: tuple[int, int]) -> RLE:
    """Return a mask given as compressed or plain run lengths or as polygons."""
    value = fields.value("segmentation")
    if isinstance(value, list):
        flat = bool(value) and not isinstance(value[0], list)
        where = f"{fields.where}, key 'segmentation'"
        return fill_polygons([value] if flat else value, size_hw, where)
    if isinstance(value, dict) and isinstance(value.get("counts"), list):
        return _plain_runs(fields, value, size_hw)
    return fields.code("segmentation", size_hw)


def _plain_runs(fields: Fields, value: dict[str, Any], size_hw: tuple[int, int]) -> RLE:
    if value.get("size") != [*size_hw]:
        raise fields.error(
            "segmentation",
            f"RLE size: expected {[*size_hw]}, got {reprlib.repr(value.get('size'))}",
        )
    try:
        return rle.from_counts(value["counts"], size_hw)
    except RLEError as error:
        raise fields.error("segmentation", str(error)) from error


def _prediction(query: str, group: list[tuple[Fields, PredictedMask]]) -> Prediction:
    """Gather the detections of one query, which must be of one mask type where they say one."""
    types = [fields.choice("mask_type", MASK_TYPES) for fields, _ in group]
    mask_type: MaskType | None = types[0]
    for (fields, _), own in zip(group, types, strict=True):
        if own != mask_type:
            raise fields.error(
                "mask_type",
                f"expected {mask_type or 'none'} as the first result of query {query!r} has, got "
                f"{own or 'none'}; a query has one mask type",
            )
    first, _ = group[0]
    return Prediction(query, mask_type, masks=tuple(mask for _, mask in group), place=first.where)


def read_coco(path: Path, asked: Asked) -> Iterator[Prediction]:
    """Read a COCO results file; the whole list is held, as a query's detections may lie anywhere.

    Places in messages count detections from 0: `results.json[17]`. The keys `category_id` and
    `bbox` are not looked at: queries are class-agnostic, and areas are those of the masks.

    Raises:
        DataError: naming file, detection and key.
    """
    results = read_json(path)
    if not isinstance(results, list):
        raise DataError(
            f"{path}: expected a list of COCO results, got {type(results).__name__}; a file of "
            "annotations holds no scores"
        )
    checks = CodeChecks()
    groups: dict[str, list[tuple[Fields, PredictedMask]]] = {}
    for index, result in enumerate(results):
        fields = Fields(result, f"{path}[{index}]", _KEYS, checks)
        query = _query(fields, asked)
        mask = PredictedMask(
            _segmentation(fields, asked.size_hw[query]), fields.share("score"), extra=fields.extra
        )
        groups.setdefault(query, []).append((fields, mask))
        if checks.full:
            checks.settle()
    checks.settle()
    for query, group in groups.items():
        yield _prediction(query, group)
