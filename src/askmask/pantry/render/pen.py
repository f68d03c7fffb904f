"""A pen for pictograms: filled shapes in a unit square, Y down, drawn large for smooth edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["Colour", "Pen", "Point"]

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SIZE = 512


def _ring(centre: Point, radii: Point, turn: float, start: float, end: float) -> list[Point]:
    angles = np.radians(np.linspace(start, end, 49))
    x, y = radii[0] * np.cos(angles), radii[1] * np.sin(angles)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return [
        (centre[0] + float(a * cos - b * sin), centre[1] + float(a * sin + b * cos))
        for a, b in zip(x, y, strict=True)
    ]


class Pen:
    """Draws on a transparent square; angles in degrees, clockwise from the right."""

    def __init__(self) -> None:
        self._image = Image.new("RGBA", (_SIZE, _SIZE), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self._image)

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _SIZE, y * _SIZE) for x, y in points], fill=(*fill, 255))

    def dot(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, fill)

    def oval(
        self, x: float, y: float, rx: float, ry: float, fill: Colour, turn: float = 0.0
    ) -> None:
        """Fill an ellipse with half-axes `rx`, `ry`, rotated by `turn`."""
        self.shape(_ring((x, y), (rx, ry), turn, 0, 360), fill)

    def slice(self, x: float, y: float, radius: float, span: Point, fill: Colour) -> None:
        """Fill a sector from angle `span[0]` to `span[1]`."""
        self.shape([(x, y), *_ring((x, y), (radius, radius), 0, *span)], fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Stroke with round ends and corners."""
        scaled = [(x * _SIZE, y * _SIZE) for x, y in points]
        self._draw.line(scaled, fill=(*fill, 255), width=round(width * _SIZE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.dot(x, y, width / 2, fill)

    def arc(
        self, x: float, y: float, rx: float, ry: float, span: Point, width: float, fill: Colour
    ) -> None:
        """Stroke a part of an ellipse."""
        self.line(_ring((x, y), (rx, ry), 0, *span), width, fill)

    def bar(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour, radius: float = 0.0
    ) -> None:
        """Fill an upright rectangle with rounded corners."""
        box = [value * _SIZE for value in (x0, y0, x1, y1)]
        self._draw.rounded_rectangle(box, radius * _SIZE, fill=(*fill, 255))

    def leaf(self, x: float, y: float, length: float, turn: float, fill: Colour) -> None:
        """Fill a pointed leaf that grows from (x, y) towards `turn`."""
        along = np.linspace(0, 1, 21)
        half = 0.26 * np.sin(np.pi * along) ** 0.8
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        edge = [*zip(along, half, strict=True), *zip(along[::-1], -half[::-1], strict=True)]
        self.shape(
            [
                (x + length * float(a * cos - b * sin), y + length * float(a * sin + b * cos))
                for a, b in edge
            ],
            fill,
        )

    def sticker(self, border: Colour) -> Image.Image:
        """What was drawn, cropped, with a `border` all around so that it stands out: RGBA."""
        margin = 24
        size = _SIZE + 2 * margin
        drawn = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        drawn.paste(self._image, (margin, margin))
        outline = drawn.getchannel("A").filter(ImageFilter.MaxFilter(25))
        outline = outline.filter(ImageFilter.GaussianBlur(2))
        result = Image.new("RGBA", (size, size), (*border, 0))
        result.putalpha(outline)
        result.alpha_composite(drawn)
        return result.crop(outline.getbbox())
