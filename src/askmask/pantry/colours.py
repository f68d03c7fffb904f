"""Names of colours, as people give them, from pixels.

Pixels are compared in OKLCH, where equal steps look about equally large: a little chroma decides
between a hue and black, grey or white; lightness tells brown from orange and pink from red.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ShapeError

__all__ = ["COLOURS", "colour_shares"]

COLOURS = (
    *("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"),
    *("black", "white", "grey"),
)
"""The eleven basic colour terms."""

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LINEAR = np.where(
    np.arange(256) / 255 <= 0.04045,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
)
"""sRGB value -> linear light."""


def _oklch(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    """Lightness in [0, 1], chroma and hue in degrees [0, 360) of (N, 3) sRGB."""
    lightness, a, b = _TO_OKLAB @ np.cbrt(_TO_LMS @ _LINEAR[rgb].T)
    return lightness, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _names(rgb: NDArray[np.uint8]) -> NDArray[np.str_]:
    """(N,) names out of COLOURS; the first rule that holds decides."""
    light, chroma, hue = _oklch(rgb)
    # Dark pixels need more chroma, pale warm ones too, before anybody names their hue.
    pale = (light > 0.85) & (hue > 40) & (hue < 110) & (chroma < 0.065)
    plain = (chroma < 0.035) | (light < 0.2) | ((light < 0.3) & (chroma < 0.05)) | pale
    dull = chroma < 0.1
    rules = (
        ("black", plain & (light < 0.38)),
        ("grey", plain & (light < 0.78)),
        ("white", plain),
        ("pink", ((hue < 15) | (hue >= 345)) & (light > 0.49)),
        ("red", (hue < 15) | (hue >= 345)),
        ("pink", (hue < 35) & (light > 0.72)),
        ("brown", (hue < 42) & dull),
        ("red", hue < 42),
        ("orange", (hue < 75) & (light > 0.54) & (chroma > 0.125)),
        ("brown", hue < 75),
        ("yellow", (hue < 95) & (light > 0.57) & (chroma > 0.11)),
        ("brown", hue < 95),
        ("yellow", (hue < 115) & (light > 0.62)),
        ("green", hue < 192),
        ("blue", hue < 285),
        ("purple", (hue < 325) | (light <= 0.6)),
    )
    return np.select([holds for _, holds in rules], [name for name, _ in rules], "pink")


def colour_shares(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """Share of `rgb` that bears each basic colour name, largest first.

    Args:
        rgb: (N, 3) uint8 sRGB pixels.

    Returns:
        Names with a share above 0, summing to 1; empty when N is 0.

    Raises:
        ShapeError: for another shape or dtype.
    """
    if rgb.ndim != 2 or rgb.shape[1] != 3 or rgb.dtype != np.uint8:
        raise ShapeError(
            f"colour_shares: expected (N, 3) uint8, got {rgb.shape} {rgb.dtype}; "
            "use image[mask] for the pixels of a mask"
        )
    names, counts = np.unique(_names(rgb), return_counts=True)
    largest_first = np.argsort(-counts, kind="stable")
    return {str(names[i]): float(counts[i] / len(rgb)) for i in largest_first}
