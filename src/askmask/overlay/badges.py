"""Badges: short labels on masks, readable on every background."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from askmask.overlay.palette import PANEL, WHITE, Colour, ink_on
from askmask.overlay.strokes import inner_point

__all__ = ["badge_point", "draw_badge"]


def badge_point(mask: NDArray[np.bool_], radius: float) -> tuple[float, float] | None:
    """Place a badge well inside `mask`, or just above it where the badge would cover it."""
    found = inner_point(mask)
    if found is None:
        return None
    x, y, depth = found
    if depth < 1.2 * radius:
        above = np.flatnonzero(~mask[: int(y), int(x)])
        top = float(above[-1]) + 1 if len(above) else 0.0
        y = top - 1.4 * radius if top > 2.6 * radius else y
    height, width = mask.shape
    return (
        float(np.clip(x, radius, max(radius, width - radius))),
        float(np.clip(y, radius, max(radius, height - radius))),
    )


def draw_badge(
    picture: Image.Image, point: tuple[float, float], label: str, colour: Colour, unit: float
) -> None:
    """Draw a rounded badge at four times the size and scale it down, for smooth edges."""
    zoom = 4
    font = ImageFont.load_default(12.5 * unit * zoom)
    text_width = font.getlength(label)
    height = 20 * unit * zoom
    width = max(height, text_width + 9 * unit * zoom)
    badge = Image.new("RGBA", (math.ceil(width), math.ceil(height)), (0, 0, 0, 0))
    pen = ImageDraw.Draw(badge)
    edge = 1.5 * unit * zoom
    border = PANEL if colour == WHITE else WHITE
    corner = height / 2 if colour != WHITE else height / 4
    box = (0, 0, badge.width - 1, badge.height - 1)
    pen.rounded_rectangle(box, corner, fill=colour, outline=border, width=round(edge))
    pen.text(
        (width / 2, height / 2),
        label,
        font=font,
        fill=ink_on(colour),
        anchor="mm",
        stroke_width=0.35 * unit * zoom,
    )
    size = (max(1, round(width / zoom)), max(1, round(height / zoom)))
    small = badge.resize(size, Image.Resampling.LANCZOS)
    corner_xy = (round(point[0] - size[0] / 2), round(point[1] - size[1] / 2))
    picture.paste(small, corner_xy, small)
