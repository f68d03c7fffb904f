"""What LISA's chat leaves: NAME_mask_0.jpg, NAME_mask_1.jpg, … beside overlays to look at.

NAME is the picture's file name up to its first dot. A mask is 100 on 0, blurred by JPEG.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from askmask import rle
from askmask.errors import DataError
from askmask.formats.prediction import Prediction
from askmask.formats.predictions.asked import Asked
from askmask.formats.predictions.folders import files_in
from askmask.images import read_image
from askmask.rle import RLE

__all__ = ["read_lisa"]

_MASK = re.compile(r"(.+)_mask_(\d{1,6})\.jpg")
_OVERLAY = re.compile(r".+_masked_img_\d{1,6}\.jpg")

_HALF = 50
"""Between what is written outside and inside a mask."""


def _read_mask(path: Path, query: str, asked: Asked) -> RLE:
    grey = read_image(path)[:, :, 0]
    asked.check_size(query, (grey.shape[0], grey.shape[1]), str(path))
    return rle.encode(grey > _HALF)


def read_lisa(folder: Path, asked: Asked) -> Iterator[Prediction]:
    """Read one answer a picture, the union of its masks: LISA gives neither scores nor instances.

    NAME is a query's id, or the name of a picture that one query asks about.

    Raises:
        DataError: for files that are of no query or of another size.
        ImageError: for files that are no JPEG.
    """
    groups: dict[str, list[Path]] = {}
    for path in files_in(folder, ".jpg"):
        if _OVERLAY.fullmatch(path.name):
            continue
        named = _MASK.fullmatch(path.name)
        if named is None:
            raise DataError(f"{path}: expected NAME_mask_0.jpg or NAME_masked_img_0.jpg")
        groups.setdefault(asked.pictured(named[1], str(path)), []).append(path)
    for query, paths in groups.items():
        codes = [_read_mask(path, query, asked) for path in paths]
        fused = rle.union(codes, asked.size_hw[query])
        yield Prediction(query, fused=fused, place=str(paths[0]))
