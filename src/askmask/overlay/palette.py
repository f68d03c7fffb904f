"""Colours of the overlay: distinct also for colour-blind readers."""

from __future__ import annotations

from typing import TypeAlias

__all__ = [
    "FAINT",
    "PANEL",
    "RULE",
    "WARNING",
    "WHITE",
    "Colour",
    "colour_name",
    "colour_of",
    "ink_on",
]

Colour: TypeAlias = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
PANEL: Colour = (22, 24, 29)
RULE: Colour = (52, 56, 65)
FAINT: Colour = (160, 167, 180)
WARNING: Colour = (240, 184, 64)

# After Okabe and Ito, "Color Universal Design", 2008; brightened a little for photographs.
_COLOURS: dict[str, Colour] = {
    "blue": (0, 141, 218),
    "orange": (245, 166, 0),
    "green": (0, 176, 128),
    "dark orange": (226, 94, 10),
    "pink": (214, 121, 178),
    "sky blue": (110, 196, 245),
    "yellow": (240, 228, 66),
}
_NAMES = tuple(_COLOURS)


def colour_name(index: int) -> str:
    """What to call the colour of the mask at `index` (from 0)."""
    return _NAMES[index % len(_NAMES)]


def colour_of(index: int) -> Colour:
    """Colour of the mask at `index` (from 0); repeats after seven, where the numbers tell."""
    return _COLOURS[colour_name(index)]


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better on `colour` (Rec. 601 luma)."""
    red, green, blue = colour
    return PANEL if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else WHITE
