"""Printed labels: a nameable ground colour, a big pictogram and the product's name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from askmask.pantry.render.pen import Colour
from askmask.pantry.render.pictograms import pictogram

__all__ = ["INKS", "LAYOUTS", "Label"]

INKS: dict[str, Colour] = {
    "red": (212, 22, 32),
    "orange": (248, 122, 10),
    "yellow": (252, 206, 16),
    "green": (20, 138, 52),
    "blue": (20, 72, 196),
    "purple": (112, 30, 158),
    "pink": (244, 104, 166),
    "brown": (112, 62, 26),
    "black": (26, 26, 28),
    "white": (246, 246, 242),
    "grey": (128, 132, 138),
}
"""Printing inks under the names that people give them."""

LAYOUTS = ("disc", "bands", "rays", "diagonal", "dots", "stripes")

_LONG_SIDE = 640
"""Pixels of the longer side of a panel."""


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _text_on(ground: Colour) -> Colour:
    bright = 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2] > 140
    return INKS["black"] if bright else INKS["white"]


def _fitting_font(words: list[str], width: float, height: float) -> ImageFont.FreeTypeFont:
    """Largest built-in font with which `words`, one a line, fit `width` x `height` pixels."""
    probe = ImageFont.load_default(size=100)
    widest = max(probe.getlength(word) for word in words) + 10
    size = min(100 * width / widest, height / (1.0 * len(words)))
    font = ImageFont.load_default(size=max(size, 6))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install Pillow from a wheel")
    return font


@dataclass(frozen=True)
class Label:
    """The design of one package.

    Attributes:
        name: what is printed, e.g. "tomato soup".
        picture: pictogram name.
        main: ink of the ground.
        accent: ink of the ribbon that carries the name, and of the ornament.
        layout: one of LAYOUTS, how the ground is ornamented.
    """

    name: str
    picture: str
    main: str
    accent: str
    layout: str

    @cached_property
    def _sticker(self) -> Image.Image:
        return pictogram(self.picture)

    def panel(self, width: float, height: float) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 print for a face of `width` x `height` metres."""
        scale = _LONG_SIDE / max(width, height)
        size = max(round(width * scale), 24), max(round(height * scale), 24)
        image = self._ground(size)
        if width > 1.5 * height:
            split = round(size[0] * 0.42)
            self._print_picture(image, (0, 0, split, size[1]))
            self._print_name(image, (split, round(size[1] * 0.2), size[0], round(size[1] * 0.8)))
        else:
            ribbon = 0.24 if len(self.name.split()) == 1 else 0.36
            top, bottom = round(size[1] * 0.05), round(size[1] * (0.05 + ribbon))
            self._print_name(image, (0, top, size[0], bottom))
            self._print_picture(image, (0, bottom, size[0], size[1]))
        return np.asarray(image)

    def wrap(self, circumference: float, height: float) -> NDArray[np.uint8]:
        """Print for the side of a round body: three equal panels, one of them at the front."""
        return np.tile(self.panel(circumference / 3, height), (1, 3, 1))

    def _ground(self, size: tuple[int, int]) -> Image.Image:
        main, accent = INKS[self.main], INKS[self.accent]
        tone = _mixed(main, INKS["white"], 0.15)
        image = Image.new("RGB", size, main)
        draw = ImageDraw.Draw(image)
        width, height = size
        step = min(size) / 5
        if self.layout == "disc":
            x, y, radius = width / 2, height * 0.66, min(size) * 0.46
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=tone)
        elif self.layout == "bands":
            for share in (0.0, 0.93):
                draw.rectangle([0, height * share, width, height * (share + 0.07)], fill=accent)
        elif self.layout == "rays":
            reach = width + height
            for start in range(0, 360, 30):
                angles = np.radians([start, start + 15])
                ends = [
                    (width / 2 + reach * float(np.cos(a)), height * 0.66 + reach * float(np.sin(a)))
                    for a in angles
                ]
                draw.polygon([(width / 2, height * 0.66), *ends], fill=tone)
        elif self.layout == "diagonal":
            draw.polygon([(0, height), (width, height * 0.8), (width, height)], fill=accent)
            draw.polygon([(0, height * 0.72), (width, height * 0.5), (width, 0), (0, 0)], fill=tone)
        elif self.layout == "dots":
            for row in range(round(height / step) + 1):
                for column in range(round(width / step) + 1):
                    x, y = (column + row % 2 / 2) * step, row * step
                    spot = step * 0.2
                    draw.ellipse([x - spot, y - spot, x + spot, y + spot], fill=tone)
        else:
            for left in np.arange(0, width, step):
                draw.rectangle([left, 0, left + step * 0.45, height], fill=tone)
        return image

    def _print_name(self, image: Image.Image, box: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = box
        draw = ImageDraw.Draw(image)
        accent = INKS[self.accent]
        draw.rectangle(box, fill=accent)
        words = self.name.upper().split()
        font = _fitting_font(words, (right - left) * 0.9, (bottom - top) * 0.94)
        line = (bottom - top) / len(words)
        for index, word in enumerate(words):
            middle = (left + right) / 2, top + (index + 0.5) * line
            ink = _text_on(accent)
            # The built-in font has one weight; a stroke of its own colour makes it bold.
            draw.text(middle, word, fill=ink, font=font, anchor="mm", stroke_width=font.size / 26)

    def _print_picture(self, image: Image.Image, box: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = box
        sticker = self._sticker
        scale = 0.9 * min((right - left) / sticker.width, (bottom - top) / sticker.height)
        size = max(round(sticker.width * scale), 1), max(round(sticker.height * scale), 1)
        small = sticker.resize(size, Image.Resampling.LANCZOS)
        corner = (left + right - size[0]) // 2, (top + bottom - size[1]) // 2
        image.paste(small, corner, small)
