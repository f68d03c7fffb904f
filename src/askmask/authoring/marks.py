"""The picture as a language model sees it: every instance outlined and numbered."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from askmask import rle
from askmask.authoring.picture import AnnotatedPicture
from askmask.errors import ImageError
from askmask.images import read_image
from askmask.llm.chat import jpeg
from askmask.overlay.palette import colour_of, ink_on
from askmask.overlay.strokes import blend, inner_point, outline

__all__ = ["draw_marks", "marked_jpeg"]


def draw_marks(pixels: NDArray[np.uint8], picture: AnnotatedPicture) -> NDArray[np.uint8]:
    """Outline what is visible of every instance and put its number where the mask is widest.

    Args:
        pixels: (H, W, 3) uint8 RGB, of the size that the annotation has.
        picture: the annotated picture.

    Returns:
        (H, W, 3) uint8 RGB, a new array.
    """
    drawn = pixels.copy()
    unit = max(1.0, math.sqrt(pixels.shape[0] * pixels.shape[1]) / 400)
    places = []
    for one in picture.instances:
        mask = rle.decode(one.entity.modal)
        blend(drawn, colour_of(one.number - 1), outline(mask, 1.5 * unit))
        places.append((one.number, inner_point(mask)))
    canvas = Image.fromarray(drawn)
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=11 * unit)
    for number, place in places:
        if place is not None:
            colour = colour_of(number - 1)
            box = pen.textbbox(place[:2], str(number), font=font, anchor="mm")
            around = (box[0] - 2 * unit, box[1] - 2 * unit, box[2] + 2 * unit, box[3] + 2 * unit)
            pen.rounded_rectangle(around, radius=2 * unit, fill=colour)
            pen.text(place[:2], str(number), font=font, anchor="mm", fill=ink_on(colour))
    return np.asarray(canvas)


def marked_jpeg(picture: AnnotatedPicture) -> bytes:
    """Read a picture, draw the marks and return it as JPEG, scaled down as `jpeg` does.

    Raises:
        ImageError: when the file cannot be read, or is not of the annotation's size.
    """
    assert picture.path is not None, "make_request refuses pictures without a file"
    pixels = read_image(picture.path)
    size_hw = (picture.record.height, picture.record.width)
    if pixels.shape[:2] != size_hw:
        raise ImageError(
            f"{picture.path}: expected {size_hw[0]} x {size_hw[1]} pixels as annotated, "
            f"got {pixels.shape[0]} x {pixels.shape[1]}"
        )
    return jpeg(draw_marks(pixels, picture))
