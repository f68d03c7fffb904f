"""Fused masks of a query: all predicted masks in one, all target masks in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.rle import RLE

__all__ = ["FusedMasks", "fuse", "fuse_masks"]


class FusedMasks(NamedTuple):
    """Fused prediction and target of one query, without the ignore region."""

    prediction: RLE
    target: RLE


def fuse_masks(codes: Sequence[RLE], query: QueryRecord) -> RLE:
    """Return the union of masks of the query's size, without its ignore region."""
    fused = codes[0] if len(codes) == 1 else rle.union(codes, (query.height, query.width))
    return fused if query.ignore is None else rle.subtract(fused, query.ignore)


def _predicted(query: QueryRecord, prediction: Prediction) -> list[RLE]:
    """Instance masks, or the one fused mask of a model that gives no instances."""
    if prediction.error is not None:
        return []
    codes = [mask.segmentation for mask in prediction.masks]
    if not codes and prediction.fused is not None:
        codes = [prediction.fused]
    for code in codes:
        if code["size"] != [query.height, query.width]:
            size = [query.height, query.width]
            raise DataError(
                f"{prediction.place or 'prediction'}: expected masks of size {size} as in query "
                f"{query.id}, got {code['size']}; give them in the picture's size"
            )
    return codes


def fuse(query: QueryRecord, prediction: Prediction) -> FusedMasks:
    """Fuse both sides of one query; a failed prediction has no pixels.

    Raises:
        DataError: when a predicted mask has another size than the query.
    """
    targets = [target.segmentation for target in query.targets]
    return FusedMasks(fuse_masks(_predicted(query, prediction), query), fuse_masks(targets, query))
