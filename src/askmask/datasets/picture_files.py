"""Sizes of picture files, read from their headers."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image

from askmask.errors import DataError
from askmask.images import MAX_IMAGE_PIXELS

__all__ = ["picture_size"]

_ORIENTATION = 274
"""EXIF tag; from 5 on the picture lies on its side."""


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture, turned upright as its EXIF says.

    Raises:
        DataError: when the file is missing, no picture or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit; ours below is lower
            with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
                width, height = image.size
                turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception as error:  # headers of files may hold anything
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise DataError(f"{path}: expected a PNG, JPEG or WebP picture ({reason})") from error
    if width * height > MAX_IMAGE_PIXELS:
        raise DataError(
            f"{path}: expected at most {MAX_IMAGE_PIXELS:,} pixels, got {width} x {height}"
        )
    return (width, height) if turned else (height, width)
