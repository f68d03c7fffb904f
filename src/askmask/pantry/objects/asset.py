"""A thing in 3D: what it is called, how large it is and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.shapes import Part

__all__ = ["OWN", "Asset", "Source", "measured"]

_RING = 32
"""Level directions in which a hull keeps its outermost point: enough for footprints."""

_SPHERE = 48
"""Further directions, spread over the sphere."""


@dataclass(frozen=True)
class Source:
    """Who made a model.

    Attributes:
        origin: "askmask" or the furniture set, e.g. "Scopia".
        title: the maker's name for it.
        creator: whom to credit.
        licence: SPDX-like name, e.g. "CC-BY-3.0".
    """

    origin: str
    title: str
    creator: str
    licence: str


OWN = Source("askmask", "", "the askmask authors", "Apache-2.0")


@dataclass(frozen=True, eq=False)
class Asset:
    """One thing with one appearance.

    The front looks along +X, up is Z; it stands on Z = 0 and its bounds are centred on the axis.

    Attributes:
        look: name, e.g. "jar-of-honey/0" or "Scopia/teapot".
        category: noun of the noun bank, e.g. "jar of honey".
        container: kind of package, or "none".
        shape: form label of the scene.
        material: main material label.
        size_m: width across the front, depth and height, metres.
        hull: (K, 3) float64, outermost points in many directions, metres.
        source: who made it.
    """

    look: str
    category: str
    container: str
    shape: str
    material: str
    size_m: tuple[float, float, float]
    hull: NDArray[np.float64]
    source: Source = field(default=OWN)

    @cached_property
    def footprint(self) -> NDArray[np.float64]:
        """(P, 2) float64, convex outline seen from above, anticlockwise."""
        from scipy.spatial import ConvexHull

        level = self.hull[:, :2]
        outline: NDArray[np.float64] = level[ConvexHull(level).vertices]
        return outline


@lru_cache(maxsize=1)
def _directions() -> NDArray[np.float64]:
    """(D, 3) unit vectors: the axes, a level ring and a spiral over the sphere."""
    around = 2 * np.pi * np.arange(_RING) / _RING
    ring = np.stack([np.cos(around), np.sin(around), np.zeros(_RING)], 1)
    height = 1 - (2 * np.arange(_SPHERE) + 1) / _SPHERE
    turn = np.pi * (1 + 5**0.5) * np.arange(_SPHERE)
    radius = np.sqrt(1 - height**2)
    spiral = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], 1)
    return np.concatenate([np.eye(3), -np.eye(3), ring, spiral])


def measured(
    parts: Sequence[Part],
    look: str,
    category: str,
    container: str,
    shape: str,
    material: str,
    source: Source = OWN,
) -> Asset:
    """Make the asset of some parts, at least one, by measuring them."""
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    chosen = np.unique((_directions() @ vertices.T).argmax(1))
    depth, width, height = (float(side) for side in np.ptp(vertices, axis=0))
    return Asset(
        look,
        category,
        container,
        shape,
        material,
        size_m=(width, depth, height),
        hull=vertices[chosen],
        source=source,
    )
