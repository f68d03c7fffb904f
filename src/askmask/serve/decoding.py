"""From what a request holds to pictures, masks and queries."""

from __future__ import annotations

import base64
import binascii
import reprlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.cli.references import Point, resolve
from askmask.errors import QueryError, RLEError
from askmask.images import decode_mask
from askmask.models.segmenter import Segmenter
from askmask.rle import RLE
from askmask.serve.messages import Code, MaskPicture, PointOnObject, Question
from askmask.serve.refusals import Refusal
from askmask.types import Masks, Query

__all__ = ["file_of", "query_of", "references_of"]


def file_of(text: str, name: str = "image") -> bytes:
    """Decode a file that a request holds as base64 or data: URI.

    Raises:
        Refusal: when it is neither; addresses and paths are never opened.
    """
    code = text
    if text[:5].lower() == "data:":
        head, _, code = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise _not_base64(name, "a data: URI without ';base64,'")
    elif "://" in text[:20] or (text[:1] == "/" and text[:4] != "/9j/"):  # that is a JPEG
        raise _not_base64(name, "an address or a path, and neither is ever opened")
    if any(letter in code for letter in " \n\r\t"):
        code = "".join(code.split())
    try:
        data = base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError):
        raise _not_base64(name, reprlib.repr(text)) from None
    if not data:
        raise _not_base64(name, "nothing")
    return data


def _not_base64(name: str, got: str) -> Refusal:
    return Refusal(
        422, "invalid_request", f"{name}: expected a file in base64 or a data: URI, got {got}"
    )


def query_of(
    question: Question, segmenter: Segmenter, size_hw: tuple[int, int], max_pixels: int
) -> Query:
    """Make a query of a question; points become the masks of the objects there.

    Args:
        question: of a request.
        segmenter: looks at the picture.
        size_hw: height and width of the picture.
        max_pixels: largest mask picture that is decoded.

    Raises:
        QueryError, DataError, ImageError, ConfigError: when it cannot be asked.
    """
    references = references_of(question, segmenter, size_hw, max_pixels)
    return Query(question.text, references, question.mask_type)


def references_of(
    question: Question, segmenter: Segmenter, size_hw: tuple[int, int], max_pixels: int
) -> Masks | None:
    """Make the reference masks of a question; arguments and errors as of `query_of`."""
    references = [
        _reference(given, f"reference [{number}]", size_hw, max_pixels)
        for number, given in enumerate(question.references, 1)
    ]
    return resolve(references, segmenter, "reference")


def _reference(
    given: Code | PointOnObject | MaskPicture,
    name: str,
    size_hw: tuple[int, int],
    max_pixels: int,
) -> Point | NDArray[np.bool_]:
    if isinstance(given, PointOnObject):
        return Point(given.x, given.y)
    if isinstance(given, Code):
        _check_size(given.size, name, size_hw)
        code: RLE = {"size": [*given.size], "counts": given.counts}
        try:
            mask = rle.decode(code)
        except RLEError as error:
            raise RLEError(f"{name}: {error}") from None
    else:
        mask = decode_mask(file_of(given.mask, name), name, max_pixels)
        _check_size(mask.shape, name, size_hw)
    if not mask.any():
        raise QueryError(f"{name}: the mask is empty: mark at least one pixel")
    return mask


def _check_size(found: Sequence[int], name: str, size_hw: tuple[int, int]) -> None:
    if tuple(found) != size_hw:
        raise QueryError(
            f"{name}: the mask is {found[1]} x {found[0]} pixels, the picture is {size_hw[1]} x "
            f"{size_hw[0]}: give a mask in the picture's size"
        )
