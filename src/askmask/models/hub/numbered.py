"""What a judge sees: the picture with its candidates marked, and words that say what marks mean.

Models that read pictures see boxes better than filled masks, and see either much better when words
say what the marks are. So candidates have boxes or outlines and a label in the same colour,
references are white, and the words name it all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from askmask.errors import ShapeError
from askmask.overlay.badges import badge_point, draw_badge
from askmask.overlay.draw import SMALLEST_SIDE
from askmask.overlay.palette import PANEL, WHITE, Colour, colour_name, colour_of
from askmask.overlay.strokes import blend, outline, window
from askmask.types import Masks

__all__ = ["Marks", "Numbered", "numbered_picture"]

Marks: TypeAlias = Literal["box", "outline"]
"""How a candidate is marked."""

_AROUND = 0.25
"""Margin of a crop, as a share of the longer side of what is cropped."""

_LEAST_CROP = 224
"""Longer side to which small crops are enlarged, in pixels."""


@dataclass(frozen=True)
class Numbered:
    """Pictures for a judge.

    Attributes:
        pictures: (H, W, 3) uint8 RGB each; the whole picture first, then, when asked for, one of
            each candidate alone: enlarged, on the left as it is and on the right outlined.
        labels: what the candidates are called in pictures and words.
        words: sentences that say what the marks mean.
    """

    pictures: tuple[NDArray[np.uint8], ...]
    labels: tuple[str, ...]
    words: str


def numbered_picture(
    image: NDArray[np.uint8],
    candidates: Masks,
    references: Masks | None = None,
    *,
    labels: Sequence[str] | None = None,
    marks: Marks = "box",
    crops: bool = False,
) -> Numbered:
    """Mark candidates and references in a picture, and say in words how.

    Args:
        image: (H, W, 3) uint8 RGB.
        candidates: N visible masks in the picture's size; an empty mask gets no mark.
        references: masks that a sentence calls [1], [2], …; None for none.
        labels: N different short words; None for "1", "2", ….
        marks: a box around each candidate, or its outline.
        crops: also give each candidate alone.

    Raises:
        ShapeError: when sizes or the number of labels do not fit.
    """
    pointed = references if references is not None else Masks.empty(candidates.size_hw)
    named = tuple(labels) if labels is not None else tuple(map(str, range(1, 1 + len(candidates))))
    for stack in (candidates, pointed):
        if stack.size_hw != image.shape[:2]:
            raise ShapeError(f"masks of {stack.size_hw} do not fit a picture of {image.shape[:2]}")
    if len(set(named)) != len(candidates) or len(named) != len(candidates):
        raise ShapeError(f"expected {len(candidates)} different labels, got {', '.join(named)}")
    whole = _whole(image, candidates, pointed, named, marks)
    alone = [_pair(image, mask, colour_of(i)) for i, mask in enumerate(candidates)] if crops else []
    return Numbered((whole, *alone), named, _words(named, len(pointed), marks, crops=crops))


def _whole(
    image: NDArray[np.uint8],
    candidates: Masks,
    references: Masks,
    labels: Sequence[str],
    marks: Marks,
) -> NDArray[np.uint8]:
    """The picture with all marks, enlarged by a whole factor when small."""
    factor = max(1, math.ceil(SMALLEST_SIDE / max(image.shape[:2])))
    pixels = image.repeat(factor, 0).repeat(factor, 1)
    unit = max(0.6, math.sqrt(pixels.shape[0] * pixels.shape[1] / (480 * 640)))
    named = [(mask, f"[{i}]", WHITE) for i, mask in enumerate(references, 1)]
    named += [
        (mask, label, colour_of(i))
        for i, (mask, label) in enumerate(zip(candidates, labels, strict=True))
    ]
    shown = [(mask.repeat(factor, 0).repeat(factor, 1), label, c) for mask, label, c in named]
    badges: list[tuple[tuple[float, float], str, Colour]] = []
    for mask, label, colour in shown:
        if marks == "outline" or colour == WHITE:
            _draw_outline(pixels, mask, colour, unit)
            point = badge_point(mask, radius=10 * unit)
        else:
            point = _draw_box(pixels, mask, colour, unit, [each for each, _, _ in badges])
        if point is not None:
            badges.append((point, label, colour))
    picture = Image.fromarray(pixels)
    for point, label, colour in badges:  # after all lines, so that none crosses a label
        draw_badge(picture, point, label, colour, unit)
    return np.asarray(picture)


def _draw_outline(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], colour: Colour, unit: float
) -> None:
    """Outline `mask` in `colour` with a casing that reads on every background, in place."""
    width = 2.2 * unit
    area = window(mask, margin=math.ceil(4 * width))
    if area is not None:
        casing = PANEL if colour == WHITE else WHITE
        blend(pixels[area], casing, 0.9 * outline(mask[area], 2.2 * width))
        blend(pixels[area], colour, outline(mask[area], width))


def _draw_box(
    pixels: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    colour: Colour,
    unit: float,
    taken: Sequence[tuple[float, float]],
) -> tuple[float, float] | None:
    """Draw the box of `mask` in place; return its corner that is farthest from `taken`."""
    area = window(mask, margin=round(2 * unit))
    if area is None:
        return None
    (top, bottom), (left, right) = ((side.start, side.stop - 1) for side in area)
    picture, width = Image.fromarray(pixels), max(1, round(2.4 * unit))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=WHITE, width=width + 2)
    pen.rectangle((left, top, right, bottom), outline=colour, width=width)
    pixels[:] = np.asarray(picture)
    radius = 10 * unit
    xs, ys = (
        np.clip(ends, radius, max(radius, side - radius))
        for ends, side in (((left, right), picture.width), ((top, bottom), picture.height))
    )
    corners = [(float(x), float(y)) for y in ys for x in xs]
    # Far enough is far enough: then the first corner is taken, as with most boxes.
    return max(corners, key=lambda c: min([math.dist(c, t) for t in taken] + [2.5 * radius]))


def _pair(image: NDArray[np.uint8], mask: NDArray[np.bool_], colour: Colour) -> NDArray[np.uint8]:
    """Crop around `mask`, twice beside each other: plain, and with its outline."""
    box = window(mask, 0) or (slice(0, mask.shape[0]), slice(0, mask.shape[1]))
    longer = max(side.stop - side.start for side in box)
    area = window(mask, round(_AROUND * longer)) or box
    crop, inside = image[area], mask[area]
    factor = max(1, math.ceil(_LEAST_CROP / max(crop.shape[:2])))
    plain = crop.repeat(factor, 0).repeat(factor, 1)
    marked = plain.copy()
    _draw_outline(marked, inside.repeat(factor, 0).repeat(factor, 1), colour, unit=1.0)
    return np.concatenate([plain, marked], 1)


def _words(labels: Sequence[str], references: int, marks: Marks, *, crops: bool) -> str:
    """Say what the marks mean."""
    how = {"box": "in a box", "outline": "outlined"}[marks]
    listed = ", ".join(f"{label} {colour_name(i)}" for i, label in enumerate(labels))
    said = []
    if labels:
        said.append(f"Each candidate is {how}, with its label in the same colour: {listed}.")
    if references:
        which = " and ".join(f"[{i}]" for i in range(1, references + 1))
        said.append(f"What the sentence calls {which} is outlined in white.")
    if crops and labels:
        said.append(
            f"After the whole picture, candidates {', '.join(labels)} follow one by one, enlarged: "
            "on the left as they are, on the right with an outline in their colour."
        )
    return " ".join(said)
