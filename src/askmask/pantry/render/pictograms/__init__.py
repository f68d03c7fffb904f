"""What is in the package, drawn in a few strokes: big, plain and different from one another.

A file has the drawings of one kind of things, each of which takes a pen.
"""

from __future__ import annotations

from PIL import Image

from askmask.pantry.render.pen import Colour, Pen
from askmask.pantry.render.pictograms import dishes, plants, things
from askmask.pantry.render.pictograms.colours import WHITE

__all__ = ["PICTOGRAMS", "pictogram"]

_DRAWINGS = (*plants.DRAWINGS, *dishes.DRAWINGS, *things.DRAWINGS)

PICTOGRAMS = {draw.__name__.removeprefix("_"): draw for draw in _DRAWINGS}
"""Name -> strokes."""


def pictogram(name: str, border: Colour = WHITE) -> Image.Image:
    """RGBA sticker of pictogram `name`, cropped, outlined in `border`."""
    pen = Pen()
    PICTOGRAMS[name](pen)
    return pen.sticker(border)
