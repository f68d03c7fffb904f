"""Pictures of answers beside ground truth: visible part filled, hidden part hatched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask import rle
from askmask.atomic import atomic_write
from askmask.errors import DataError, ImageError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.images import MAX_IMAGE_PIXELS, read_image
from askmask.overlay import draw_masks
from askmask.reports.choice import Case
from askmask.rle import RLE
from askmask.types import Masks, MaskType

__all__ = ["MOST_MASKS", "drawn_masks", "write_pictures"]

MOST_MASKS = 30
"""Most masks that are drawn into one picture; further ones would only hide each other."""

_GREY = 128
_LONGEST_SIDE = 640
_QUALITY = 82


def write_pictures(out: Path, case: Case, pictures: Path) -> tuple[tuple[str, str], str | None]:
    """Write the answer and the ground truth of a query as two pictures.

    Where the picture is missing, broken or of another size, the masks stand on grey.

    Args:
        out: an existing folder.
        case: the query with its answer.
        pictures: folder that the queries' pictures are relative to.

    Returns:
        Names of both files, answer first, and what is wrong with the picture, or None.

    Raises:
        ImageError: when the query claims a size too large to draw.
        OutputError: when a file cannot be written.
    """
    query, answer = case.query, case.prediction
    image, problem = _picture(query, pictures)
    shown = drawn_masks(answer)
    mine = [mask for mask, _ in shown], [modal for _, modal in shown]
    asked = query.mask_type
    truth = (
        [target.segmentation for target in query.targets[:MOST_MASKS]],
        [_visible(asked, t.segmentation, t.modal) for t in query.targets[:MOST_MASKS]],
    )
    names = tuple(f"query-{case.row + 1:06d}-{side}.webp" for side in ("answer", "truth"))
    for name, (masks, modal) in zip(names, (mine, truth), strict=True):
        _write_webp(out / name, _draw(image, query, masks, modal))
    return (names[0], names[1]), problem


def _picture(query: QueryRecord, folder: Path) -> tuple[NDArray[np.uint8], str | None]:
    """Read the query's picture, or make a grey one and tell why."""
    size_hw = query.height, query.width
    if query.height * query.width > MAX_IMAGE_PIXELS:
        raise ImageError(
            f"query {query.id}: expected a picture of at most {MAX_IMAGE_PIXELS:,} pixels, "
            f"got {query.width} x {query.height}"
        )
    path = folder / query.image
    try:
        image = read_image(path)
        if image.shape[:2] != size_hw:
            raise DataError(
                f"{path}: expected {query.height} x {query.width} pixels as in query {query.id}, "
                f"got {image.shape[0]} x {image.shape[1]}"
            )
    except (ImageError, DataError) as error:
        return np.full((*size_hw, 3), _GREY, np.uint8), str(error)
    return image, None


def drawn_masks(answer: Prediction) -> list[tuple[RLE, RLE]]:
    """Masks of an answer with their visible parts, best first; none where the query failed."""
    if answer.error is not None:
        return []
    found = sorted(answer.masks, key=lambda mask: -mask.score)[:MOST_MASKS]
    masks = [(mask.segmentation, mask.modal) for mask in found]
    if not masks and answer.fused is not None:
        masks = [(answer.fused, None)]
    return [(mask, _visible(answer.mask_type, mask, modal)) for mask, modal in masks]


def _visible(mask_type: MaskType | None, mask: RLE, modal: RLE | None) -> RLE:
    """Visible part of a mask; where an amodal one does not tell, all of it."""
    if mask_type == MaskType.HIDDEN:
        height, width = mask["size"]
        return rle.union([], (height, width))
    return modal if mask_type == MaskType.AMODAL and modal is not None else mask


def _draw(
    image: NDArray[np.uint8], query: QueryRecord, masks: Sequence[RLE], modal: Sequence[RLE]
) -> NDArray[np.uint8]:
    stacks = (Masks.from_rles(codes, image.shape[:2]) for codes in (masks, modal, query.references))
    return draw_masks(image, *stacks)


def _write_webp(path: Path, pixels: NDArray[np.uint8]) -> None:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    with atomic_write(path) as stream:
        picture.save(stream, "WEBP", quality=_QUALITY)
