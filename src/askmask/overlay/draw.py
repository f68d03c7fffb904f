"""Draw an answer over its picture, with a legend below.

Of every mask in the answer, the visible pixels are filled and the hidden ones hatched, so that a
modal, an amodal and a hidden answer look like what they are. Everything is Pillow and NumPy; the
legend never covers the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.errors import ShapeError
from askmask.overlay.badges import badge_point, draw_badge
from askmask.overlay.legend import draw_legend
from askmask.overlay.palette import PANEL, WHITE, Colour, colour_of
from askmask.overlay.strokes import blend, hatch, outline, window
from askmask.types import Answer, Masks, Query

__all__ = ["SMALLEST_SIDE", "draw_answer", "draw_masks"]

SMALLEST_SIDE = 320
"""Pictures whose long side is shorter are enlarged by a whole factor, so that marks fit."""

_T = TypeVar("_T", bound=np.generic)

_DIMMING = 0.27  # how far the pixels outside the answer fade, so that the answer stands out
_FILL = 0.45
_STRIPE = 0.85
_STRIPE_GAP = 0.16


@dataclass(frozen=True)
class _Canvas:
    """The pixels that are painted on, and the length that all line widths derive from."""

    pixels: NDArray[np.uint8]
    unit: float


def draw_answer(image: NDArray[np.uint8], answer: Answer, query: Query) -> NDArray[np.uint8]:
    """Draw `answer` over `image` with a legend panel below.

    The upper rows hold the picture, in its own size or, when it is smaller than `SMALLEST_SIDE`,
    enlarged by a whole factor; the panel may be wider than a narrow picture, which is then centred.

    Args:
        image: (H, W, 3) uint8 RGB.
        answer: masks of size (H, W); none gives the plain picture and "nothing fits".
        query: the sentence, and the references that are outlined as [1], [2], ….

    Returns:
        (H', W', 3) uint8 RGB with H' > H and W' >= W.

    Raises:
        ShapeError: when masks or references have another size than the picture.
    """
    references = query.references or Masks.empty(answer.masks.size_hw)
    picture = Image.fromarray(draw_masks(image, answer.masks, answer.modal, references))
    return _with_legend(picture, draw_legend(answer, len(references), query.text, picture.size))


def draw_masks(
    image: NDArray[np.uint8], masks: Masks, modal: Masks, references: Masks
) -> NDArray[np.uint8]:
    """Draw masks over `image`, visible pixels filled and hidden ones hatched, without a legend.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: N masks of size (H, W), numbered from 1, best first; none gives the plain picture.
        modal: visible part of each of them.
        references: masks that are outlined as [1], [2], ….

    Returns:
        (H, W, 3) uint8 RGB, enlarged by a whole factor when smaller than `SMALLEST_SIDE`.

    Raises:
        ShapeError: when masks or references have another size than the picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ShapeError(f"image: expected (H, W, 3) uint8, got {image.shape} {image.dtype}")
    for stack in (masks, references):
        if stack.size_hw != image.shape[:2]:
            raise ShapeError(f"masks of {stack.size_hw} do not fit a picture of {image.shape[:2]}")
    factor = max(1, math.ceil(SMALLEST_SIDE / max(image.shape[:2])))
    canvas = _canvas(_enlarged(image, factor))
    wanted = [_enlarged(mask, factor) for mask in masks]
    visible = [_enlarged(mask, factor) for mask in modal]
    pointed_at = [_enlarged(mask, factor) for mask in references]
    if wanted:
        _dim_outside(canvas, [*wanted, *pointed_at])
    # Best masks last, so that the surest one is never covered.
    for i in reversed(range(len(wanted))):
        _paint_mask(canvas, wanted[i], visible[i], colour_of(i))
    for mask in pointed_at:
        _paint_reference(canvas, mask)
    marks = [
        *((mask, None, f"[{i}]") for i, mask in enumerate(pointed_at, 1)),
        *((wanted[i], visible[i], str(i + 1)) for i in range(len(wanted))),
    ]
    picture = Image.fromarray(canvas.pixels)
    _draw_marks(picture, canvas.unit, marks)
    return np.asarray(picture)


def _enlarged(array: NDArray[_T], factor: int) -> NDArray[_T]:
    return array if factor == 1 else array.repeat(factor, 0).repeat(factor, 1)


def _canvas(image: NDArray[np.uint8]) -> _Canvas:
    height, width = image.shape[:2]
    return _Canvas(image.copy(), unit=max(0.6, math.sqrt(height * width / (480 * 640))))


def _dim_outside(canvas: _Canvas, masks: list[NDArray[np.bool_]]) -> None:
    """Fade and grey what no mask covers."""
    outside = ~np.logical_or.reduce(masks)
    pixels = canvas.pixels[outside].astype(np.float32)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    faded = pixels + _DIMMING * (grey[:, None] - pixels)
    canvas.pixels[outside] = (faded * (1 - _DIMMING)).astype(np.uint8)


def _paint_mask(
    canvas: _Canvas, mask: NDArray[np.bool_], modal: NDArray[np.bool_], colour: Colour
) -> None:
    """Fill the visible pixels of `mask`, hatch its hidden ones, and outline both."""
    width = 2.4 * canvas.unit
    area = window(mask, margin=math.ceil(3 * width))
    if area is None:
        return
    pixels, inside = canvas.pixels[area], mask[area]
    hidden = inside & ~modal[area]
    stripes = hatch(hidden.shape, period=9 * canvas.unit, width=3.2 * canvas.unit)
    blend(pixels, colour, _FILL * (inside & ~hidden))
    blend(pixels, colour, hidden * (_STRIPE_GAP + (_STRIPE - _STRIPE_GAP) * stripes))
    blend(pixels, WHITE, 0.85 * outline(inside, 1.9 * width))
    blend(pixels, colour, outline(inside, width))


def _paint_reference(canvas: _Canvas, mask: NDArray[np.bool_]) -> None:
    """Outline a reference in white with a dark casing, which reads on every background."""
    width = 2.2 * canvas.unit
    area = window(mask, margin=math.ceil(4 * width))
    if area is None:
        return
    blend(canvas.pixels[area], PANEL, 0.9 * outline(mask[area], 2.2 * width))
    blend(canvas.pixels[area], WHITE, outline(mask[area], width))


def _draw_marks(
    picture: Image.Image,
    unit: float,
    marks: list[tuple[NDArray[np.bool_], NDArray[np.bool_] | None, str]],
) -> None:
    """Write a badge on each mask: [1] for a reference (without modal mask), 1 for an answer."""
    for index, (mask, modal, label) in enumerate(marks):
        references = sum(other is None for _, other, _ in marks)
        colour = WHITE if modal is None else colour_of(index - references)
        visible = mask if modal is None else mask & modal
        point = badge_point(visible if visible.any() else mask, radius=10 * unit)
        if point is not None:
            draw_badge(picture, point, label, colour, unit)


def _with_legend(picture: Image.Image, legend: Image.Image) -> NDArray[np.uint8]:
    """Stack the legend under the picture, centred on it when it is wider."""
    sheet = Image.new("RGB", (legend.width, picture.height + legend.height), PANEL)
    sheet.paste(picture, ((legend.width - picture.width) // 2, 0))
    sheet.paste(legend, (0, picture.height))
    return np.asarray(sheet)
