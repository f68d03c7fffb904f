"""Procedural surfaces: wood, marble, cloth, tile, speckle, plaster, brick and stripes.

Every texture tiles without a seam (its noise is made in the frequency domain and its patterns
divide the side), so that a floor may repeat it, and is a function of kind, variant and side only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["FLOORS", "KINDS", "WALLS", "texture"]

_SIDE = 512
"""Side in pixels at which textures are made before they are reduced."""

Pixels = NDArray[np.float32]


def texture(kind: str, variant: int, side: int = _SIDE) -> NDArray[np.uint8]:
    """Return one surface, seamless when repeated.

    Args:
        kind: one of `KINDS`.
        variant: any number; the same number gives the same surface.
        side: width and height in pixels, a power of two from 16 to 512.

    Returns:
        (side, side, 3) uint8 RGB, shared and read-only.
    """
    return _reduced(kind, variant, side)


@lru_cache(maxsize=160)
def _reduced(kind: str, variant: int, side: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([KINDS.index(kind), variant])
    step = _SIDE // side
    full = np.clip(_PAINTERS[kind](rng), 0, 1)
    # The mean of step x step blocks, so that small pictures do not alias.
    pixels = full.reshape(side, step, side, step, 3).mean((1, 3))
    result: NDArray[np.uint8] = (pixels * 255 + 0.5).astype(np.uint8)
    result.flags.writeable = False
    return result


def _noise(
    rng: np.random.Generator, roughness: float = 1.6, stretch: tuple[float, float] = (1, 1)
) -> Pixels:
    """Seamless cloud noise, (side, side) float32 in [0, 1].

    Args:
        rng: source of the white noise that is filtered.
        roughness: exponent of the spectrum's fall; larger is smoother.
        stretch: factors (across, along) by which grains are drawn out.
    """
    white = np.fft.rfft2(rng.standard_normal((_SIDE, _SIDE), np.float32))
    down = np.fft.fftfreq(_SIDE, 1 / _SIDE)[:, None] * stretch[1]
    across = np.fft.rfftfreq(_SIDE, 1 / _SIDE)[None, :] * stretch[0]
    radius = np.hypot(down, across)
    radius[0, 0] = np.inf
    cloud = np.fft.irfft2(white / radius**roughness, (_SIDE, _SIDE))
    cloud = cloud / (3.2 * cloud.std()) + 0.5
    noise: Pixels = np.clip(cloud, 0, 1).astype(np.float32)
    return noise


def _colour(
    rng: np.random.Generator,
    hue: tuple[float, float] = (0, 1),
    saturation: tuple[float, float] = (0, 0.4),
    value: tuple[float, float] = (0.4, 0.95),
) -> Pixels:
    """(3,) float32 RGB with hue, saturation and value drawn evenly from ranges in [0, 1]."""
    h, s, v = rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value)
    wheel = np.abs((h + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1
    rgb: Pixels = (v * (1 - s + s * np.clip(wheel, 0, 1))).astype(np.float32)
    return rgb


def _mix(a: Pixels, b: Pixels, share: Pixels) -> Pixels:
    """(side, side, 3): `share` (side, side) of colour b, the rest a."""
    return a + (b - a) * share[..., None]


def _wood(rng: np.random.Generator) -> Pixels:
    base = _colour(rng, (0.04, 0.11), (0.2, 0.65), (0.35, 0.9))
    grain = _noise(rng, 1.3, (1, 14))
    rings = 0.5 + 0.5 * np.sin(_noise(rng, 2.0, (1, 5)) * 30 + grain * 4)
    wood = _mix(base, base * rng.uniform(0.5, 0.75), 0.55 * grain + 0.35 * rings)
    if rng.random() < 0.7:
        planks = int(rng.choice([2, 4, 8]))
        position = np.arange(_SIDE) * planks / _SIDE
        shade = rng.uniform(0.85, 1.12, planks)[position.astype(int)]
        shade[position % 1 < 0.006 * planks] *= 0.55
        wood = wood * shade[None, :, None].astype(np.float32)
    return wood if rng.random() < 0.5 else wood.transpose(1, 0, 2)


def _marble(rng: np.random.Generator) -> Pixels:
    dark = rng.random() < 0.3
    base = _colour(rng, saturation=(0, 0.15), value=(0.12, 0.35) if dark else (0.75, 0.97))
    vein = np.clip(base + (0.3 if dark else -0.35), 0, 1).astype(np.float32)
    cloud = _noise(rng, 1.7)
    ridges = np.clip(1 - np.abs(np.sin((_noise(rng, 1.9) * 2.5 + cloud) * np.pi)) * 5, 0, 1)
    return _mix(base, vein, 0.65 * ridges) * (1 - 0.15 * cloud[..., None])


def _cloth(rng: np.random.Generator) -> Pixels:
    base = _colour(rng, saturation=(0, 0.65), value=(0.35, 0.95))
    wave = 0.5 + 0.5 * np.sin(np.arange(_SIDE) * 2 * np.pi * int(rng.choice([96, 128])) / _SIDE)
    weave = (0.85 + 0.08 * wave[None, :] + 0.07 * wave[:, None]).astype(np.float32)
    cloth = base * weave[..., None] * (1 - 0.15 * _noise(rng, 1.6)[..., None])
    second = _colour(rng, saturation=(0, 0.65), value=(0.3, 1))
    pattern = rng.random()
    bands = (np.arange(_SIDE) * 2 * int(rng.choice([3, 4, 6])) // _SIDE) % 2 == 0
    if pattern < 0.45:
        cloth[:, bands] = 0.5 * cloth[:, bands] + 0.5 * second
        if pattern < 0.3:  # crossed stripes: a checked table cloth
            cloth[bands] = 0.5 * cloth[bands] + 0.5 * second
    elif pattern < 0.6:
        cell = _SIDE // 8
        offset = np.arange(_SIDE) % cell - cell / 2
        cloth[np.hypot(offset[None], offset[:, None]) < 0.24 * cell] = second
    return cloth


def _tile(rng: np.random.Generator) -> Pixels:
    count = int(rng.choice([2, 4, 8]))
    shades = 1 + 0.12 * (rng.random((count, count, 1), np.float32) - 0.5)
    base = _colour(rng, saturation=(0, 0.4), value=(0.5, 0.98))
    one_tile = np.ones((_SIDE // count, _SIDE // count, 1), np.float32)
    tiles = np.kron(base * shades, one_tile).astype(np.float32)
    if rng.random() < 0.3:
        dark = (np.indices((count, count)).sum(0) % 2 == 0).astype(np.float32)
        squares: Pixels = np.kron(dark, np.ones((_SIDE // count,) * 2, np.float32))
        tiles = tiles * (1 - 0.45 * squares[..., None])
    joint = np.arange(_SIDE) % (_SIDE // count) < 4
    tiles[joint] = tiles[:, joint] = _colour(rng, saturation=(0, 0.1), value=(0.4, 0.9))
    return tiles * (1 - 0.1 * _noise(rng, 1.4)[..., None])


def _speckle(rng: np.random.Generator) -> Pixels:
    base = _colour(rng, saturation=(0, 0.3), value=(0.25, 0.85))
    grains = _noise(rng, 0.6)
    stone = np.ones((_SIDE, _SIDE, 3), np.float32) * base
    stone[grains > 0.8] *= 0.6
    stone[grains < 0.2] = np.minimum(stone[grains < 0.2] * 1.4, 1)
    return stone * (1 - 0.1 * _noise(rng, 1.4)[..., None])


def _plaster(rng: np.random.Generator) -> Pixels:
    base = _colour(rng, saturation=(0, 0.3), value=(0.5, 0.98))
    return base * (1 - 0.16 * _noise(rng, 1.3)[..., None])


def _brick(rng: np.random.Generator) -> Pixels:
    base = _colour(rng, (0, 0.09), (0.1, 0.6), (0.4, 0.85))
    courses, length = 16, _SIDE // 4
    row = np.arange(_SIDE)[:, None] * courses // _SIDE
    along = (np.arange(_SIDE)[None, :] + row % 2 * (length // 2)) % _SIDE
    shades = rng.uniform(0.85, 1.1, (courses, 4)).astype(np.float32)
    wall = base * shades[row, along // length][..., None]
    joint = (np.arange(_SIDE)[:, None] % (_SIDE // courses) < 3) | (along % length < 3)
    wall[joint] = _colour(rng, saturation=(0, 0.1), value=(0.6, 0.85))
    bricks: Pixels = wall * (1 - 0.2 * _noise(rng, 1.2)[..., None])
    return bricks


def _stripes(rng: np.random.Generator) -> Pixels:
    bands = (np.arange(_SIDE) * 2 * int(rng.choice([2, 4, 8])) // _SIDE) % 2
    pair = np.stack([_colour(rng, value=(0.6, 1)), _colour(rng, value=(0.6, 1))])
    striped: Pixels = pair[bands][None] * (1 - 0.08 * _noise(rng, 1.5)[..., None])
    return striped


_PAINTERS: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "wood": _wood,
    "marble": _marble,
    "cloth": _cloth,
    "tile": _tile,
    "speckle": _speckle,
    "plaster": _plaster,
    "brick": _brick,
    "stripes": _stripes,
}

KINDS = tuple(_PAINTERS)
"""Names of all surfaces."""

FLOORS = ("wood", "marble", "cloth", "tile", "speckle", "plaster")
"""Surfaces that things stand on."""

WALLS = ("plaster", "brick", "tile", "stripes", "wood", "speckle")
"""Surfaces that stand behind."""
