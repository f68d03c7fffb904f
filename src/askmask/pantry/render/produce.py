"""Fruit and vegetables: turned profiles, made uneven, with skins of several colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.pantry.render.pen import Colour
from askmask.pantry.render.shapes import (
    Finish,
    Mesh,
    Part,
    Profile,
    flat,
    lathe,
    moved,
    smooth_profile,
    surface,
    turned,
)

__all__ = ["PRODUCE", "Produce", "fruit"]


@dataclass(frozen=True)
class Produce:
    """A fruit or vegetable.

    Attributes:
        noun: noun of the noun bank.
        shape: form label of the scene.
        profile: (radius, height) points in metres, stalk end up.
        skins: sRGB of each variant.
        lobes: number and depth of bulges around the axis.
        lying: whether it rests on its side.
        bend: largest sideways shift of the axis, metres.
        rough: how strongly the skin is mottled, in [0, 1].
        gloss: 1 - roughness of the surface.
        stalk: colour of a stalk, or None.
    """

    noun: str
    shape: str
    profile: Profile
    skins: tuple[Colour, Colour, Colour]
    lobes: tuple[int, float] = (5, 0.0)
    lying: bool = False
    bend: float = 0.0
    rough: float = 0.15
    gloss: float = 0.35
    stalk: Colour | None = None


_WOOD, _STEM = (96, 62, 30), (74, 110, 36)

PRODUCE: tuple[Produce, ...] = (
    Produce(
        "apple",
        "ball",
        [
            *((0.0, 0.008), (0.018, 0.002), (0.033, 0.014), (0.0385, 0.036), (0.035, 0.056)),
            *((0.02, 0.07), (0.008, 0.066), (0.0, 0.058)),
        ],
        ((204, 22, 26), (126, 184, 36), (240, 196, 60)),
        lobes=(5, 0.025),
        gloss=0.65,
        stalk=_WOOD,
    ),
    Produce(
        "orange",
        "ball",
        [
            *((0.0, 0.0), (0.02, 0.005), (0.034, 0.02), (0.0385, 0.038), (0.034, 0.057)),
            *((0.02, 0.072), (0.0, 0.077)),
        ],
        ((250, 136, 6), (244, 116, 4), (250, 124, 10)),
        rough=0.1,
    ),
    Produce(
        "lemon",
        "ball",
        [
            *((0.0, 0.0), (0.006, 0.003), (0.014, 0.012), (0.025, 0.028), (0.028, 0.045)),
            *((0.024, 0.062), (0.013, 0.076), (0.006, 0.084), (0.0, 0.087)),
        ],
        ((252, 214, 22), (250, 224, 54), (236, 208, 30)),
        lying=True,
        rough=0.08,
    ),
    Produce(
        "pear",
        "irregular",
        [
            *((0.0, 0.004), (0.02, 0.001), (0.034, 0.018), (0.036, 0.035), (0.027, 0.058)),
            *((0.017, 0.076), (0.014, 0.09), (0.008, 0.1), (0.0, 0.1)),
        ],
        ((164, 190, 44), (218, 196, 60), (176, 116, 48)),
        stalk=_WOOD,
    ),
    Produce(
        "tomato",
        "ball",
        [
            *((0.0, 0.006), (0.02, 0.001), (0.036, 0.014), (0.041, 0.03), (0.036, 0.048)),
            *((0.022, 0.058), (0.008, 0.055), (0.0, 0.05)),
        ],
        ((218, 26, 14), (232, 60, 16), (190, 14, 22)),
        lobes=(5, 0.03),
        rough=0.06,
        gloss=0.7,
        stalk=_STEM,
    ),
    Produce(
        "onion",
        "ball",
        [
            *((0.0, 0.0), (0.01, 0.001), (0.03, 0.012), (0.039, 0.032), (0.032, 0.052)),
            *((0.014, 0.066), (0.006, 0.08), (0.003, 0.095), (0.0, 0.096)),
        ],
        ((206, 128, 46), (128, 26, 74), (240, 234, 214)),
        rough=0.22,
    ),
    Produce(
        "potato",
        "irregular",
        [
            *((0.0, 0.0), (0.016, 0.006), (0.026, 0.03), (0.029, 0.055), (0.025, 0.08)),
            *((0.014, 0.098), (0.0, 0.103)),
        ],
        ((190, 150, 92), (208, 172, 104), (150, 84, 62)),
        lobes=(3, 0.07),
        lying=True,
        rough=0.28,
        gloss=0.15,
    ),
    Produce(
        "egg",
        "ball",
        [
            *((0.0, 0.0), (0.012, 0.003), (0.02, 0.014), (0.022, 0.024), (0.018, 0.041)),
            *((0.01, 0.052), (0.0, 0.056)),
        ],
        ((226, 168, 118), (246, 242, 234), (198, 130, 86)),
        lying=True,
        rough=0.04,
    ),
    Produce(
        "avocado",
        "irregular",
        [
            *((0.0, 0.0), (0.02, 0.005), (0.032, 0.025), (0.033, 0.045), (0.024, 0.075)),
            *((0.013, 0.096), (0.0, 0.103)),
        ],
        ((56, 92, 30), (44, 66, 26), (58, 44, 40)),
        lying=True,
        rough=0.4,
        gloss=0.3,
    ),
    Produce(
        "cucumber",
        "stick",
        [
            *((0.0, 0.0), (0.012, 0.006), (0.019, 0.03), (0.0205, 0.1), (0.019, 0.18)),
            *((0.012, 0.205), (0.0, 0.212)),
        ],
        ((34, 118, 34), (62, 138, 46), (24, 88, 36)),
        lobes=(9, 0.02),
        lying=True,
        bend=0.012,
        rough=0.25,
        gloss=0.5,
    ),
    Produce(
        "carrot",
        "stick",
        [
            *((0.0, 0.0), (0.004, 0.01), (0.009, 0.06), (0.014, 0.12), (0.0185, 0.165)),
            *((0.012, 0.178), (0.004, 0.18), (0.005, 0.195), (0.0, 0.196)),
        ],
        ((246, 116, 14), (236, 92, 12), (126, 36, 92)),
        lying=True,
        bend=0.008,
        rough=0.15,
    ),
    Produce(
        "aubergine",
        "irregular",
        [
            *((0.0, 0.0), (0.02, 0.006), (0.035, 0.035), (0.036, 0.07), (0.024, 0.13)),
            *((0.016, 0.17), (0.014, 0.185), (0.0, 0.19)),
        ],
        ((82, 24, 100), (58, 20, 72), (118, 44, 128)),
        lying=True,
        bend=0.014,
        rough=0.06,
        gloss=0.75,
    ),
    Produce(
        "kiwi",
        "ball",
        [
            *((0.0, 0.0), (0.014, 0.005), (0.023, 0.02), (0.0245, 0.035), (0.021, 0.052)),
            *((0.01, 0.064), (0.0, 0.066)),
        ],
        ((126, 86, 40), (106, 76, 34), (146, 102, 52)),
        lying=True,
        rough=0.3,
        gloss=0.05,
    ),
    Produce(
        "bell pepper",
        "irregular",
        [
            *((0.0, 0.012), (0.016, 0.002), (0.03, 0.012), (0.034, 0.035), (0.037, 0.06)),
            *((0.033, 0.076), (0.016, 0.082), (0.006, 0.074), (0.0, 0.07)),
        ],
        ((212, 22, 18), (252, 192, 10), (44, 140, 32)),
        lobes=(4, 0.1),
        rough=0.06,
        gloss=0.75,
        stalk=_STEM,
    ),
)

_END_TINTS: dict[str, Colour] = {
    "carrot": (88, 130, 40),
    "aubergine": (70, 112, 44),
    "avocado": (110, 90, 50),
}
"""Colour of the stalk end where it differs from the skin."""


def _noise(rng: np.random.Generator, size: int = 256) -> NDArray[np.float64]:
    """(size, size) in [0, 1], smooth, seamless from left to right."""
    total: NDArray[np.float64] = np.zeros((size, size))
    for octave in range(1, 7):
        cells = rng.random((2**octave + 1, 2**octave))
        cells = np.concatenate([cells, cells[:, :1]], axis=1)
        layer = Image.fromarray((cells * 255).astype(np.uint8)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        total += 0.6**octave * np.asarray(layer, float)
    total -= total.min()
    total /= total.max()
    return total


def _skin(kind: Produce, colour: Colour, rng: np.random.Generator) -> NDArray[np.uint8]:
    noise = _noise(rng)[..., None]
    fine = rng.random(noise.shape)
    shade = 1 - kind.rough * (0.8 * noise + 0.4 * fine)
    skin = np.asarray(colour, float) * shade
    if kind.noun in _END_TINTS:
        height = np.linspace(1, 0, len(skin))[:, None, None] + 0.03 * (noise - 0.5)
        end = np.clip((height - 0.93) / 0.02, 0, 1)
        skin = skin * (1 - end) + np.asarray(_END_TINTS[kind.noun], float) * end
    return np.clip(skin, 0, 255).astype(np.uint8)


def _body(kind: Produce, scale: float, rng: np.random.Generator) -> Mesh:
    grid = turned(smooth_profile(kind.profile, steps=5)) * scale
    angle = np.arctan2(grid[..., 1], grid[..., 0])
    height = grid[..., 2] / grid[..., 2].max()
    count, depth = kind.lobes
    swing = rng.uniform(0, 2 * np.pi)
    factor = 1 + depth * np.cos(count * angle + swing) + 0.025 * np.sin(2 * angle + swing)
    if kind.shape == "irregular":
        factor += 0.5 * depth * np.sin(angle + 5 * height + swing)
    grid[..., :2] *= factor[..., None]
    grid[..., 0] += kind.bend * rng.uniform(0.5, 1.5) * np.sin(np.pi * height)
    if kind.lying:
        grid = np.stack([grid[..., 0], grid[..., 2], -grid[..., 1]], axis=-1)
    return surface(grid)


def _grounded(parts: list[Part]) -> list[Part]:
    """The same parts, centred over the origin and resting on the ground."""
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    low, high = vertices.min(0), vertices.max(0)
    shift = (-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2])
    return [Part(moved(part.mesh, shift), part.finish) for part in parts]


def fruit(kind: Produce, variant: int, rng: np.random.Generator) -> list[Part]:
    """Parts of one fruit; `variant` 0, 1 or 2 chooses the skin, `rng` the unevenness."""
    scale = rng.uniform(0.92, 1.12)
    skin = Finish(_skin(kind, kind.skins[variant], rng), roughness=1 - kind.gloss)
    parts = [Part(_body(kind, scale, rng), skin)]
    if kind.stalk is not None:
        size = 2.0 if kind.noun == "bell pepper" else 1.2
        stalk = lathe(
            [(0.0035 * size, 0.0), (0.0022 * size, 0.008), (0.003 * size, 0.02), (0, 0.02)]
        )
        parts.append(
            Part(moved(stalk, (0, 0, kind.profile[-1][1] * scale - 0.003)), flat(kind.stalk))
        )
    return _grounded(parts)
