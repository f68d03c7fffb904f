"""Meshes from a few numbers: turned bodies, flat panels, and what they are made of.

All are in metres with Z up. The front of an object looks along +X; seen from there, +Y is to the
right. Texture coordinates run from the lower left corner of what they paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Finish",
    "Mesh",
    "Part",
    "Profile",
    "flat",
    "join",
    "lathe",
    "moved",
    "quad",
    "smooth_profile",
    "surface",
    "triangle",
    "turned",
]

_CREASE = np.cos(np.radians(35.0))
"""Profile corners sharper than this keep an edge in the shading."""

_SEGMENTS = 64
"""Sides of a turned body."""

Profile = Sequence[tuple[float, float]]
"""(radius, height) points from the axis at the bottom to the axis at the top."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with normals.

    Attributes:
        vertices: (V, 3) float64, metres.
        normals: (V, 3) float64, unit length, outward.
        uv: (V, 2) float64 in [0, 1].
        faces: (F, 3) int64, anticlockwise from outside.
    """

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    uv: NDArray[np.float64]
    faces: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Finish:
    """How a surface looks: `texture` (H, W, 3) uint8 sRGB, upright; the rest in [0, 1]."""

    texture: NDArray[np.uint8]
    roughness: float = 0.6
    metallic: float = 0.0
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh with one finish."""

    mesh: Mesh
    finish: Finish


def flat(colour: Sequence[int], roughness: float = 0.5, metallic: float = 0.0) -> Finish:
    """Finish of one sRGB colour."""
    return Finish(np.full((4, 4, 3), colour, np.uint8), roughness, metallic)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length: NDArray[np.float64] = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-12)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh from several; at least one."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=True)]),
    )


def moved(mesh: Mesh, offset: Sequence[float]) -> Mesh:
    """`mesh` shifted by `offset` metres."""
    return replace(mesh, vertices=mesh.vertices + np.asarray(offset, float))


def surface(points: NDArray[np.float64]) -> Mesh:
    """Mesh over a grid that is closed around its second axis.

    Args:
        points: (P, S, 3); rows from bottom to top, columns anticlockwise from the back, the
            first column not repeated at the end.
    """
    rows, columns = points.shape[:2]
    around = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    along = np.gradient(points, axis=0)
    normals = _unit(np.cross(around, along))
    closed = np.concatenate([points, points[:, :1]], axis=1)
    normals = np.concatenate([normals, normals[:, :1]], axis=1)
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows))
    corner = (np.arange(rows - 1)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, above = corner + 1, corner + columns + 1
    faces = np.concatenate(
        [np.stack([corner, right, above + 1], 1), np.stack([corner, above + 1, above], 1)]
    )
    return Mesh(
        closed.reshape(-1, 3),
        normals.reshape(-1, 3),
        np.stack([u.ravel(), v.ravel()], 1),
        faces,
    )


def turned(profile: Profile) -> NDArray[np.float64]:
    """(P, S, 3) grid of `profile` turned about the Z axis, beginning at the back."""
    radius, height = np.asarray(profile, float).T
    angle = -np.pi + 2 * np.pi * np.arange(_SEGMENTS) / _SEGMENTS
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(_SEGMENTS)], 1)
    # A radius of exactly 0 would leave the normal at the axis undefined.
    points: NDArray[np.float64] = np.maximum(radius, 1e-5)[:, None, None] * ring
    points[..., 2] = height[:, None]
    return points


def lathe(profile: Profile, squash: float = 1.0) -> Mesh:
    """Turned body with sharp edges where the profile has corners.

    The texture of each smooth run goes once around, its middle at the front.

    Args:
        profile: (radius, height) points, at least two.
        squash: factor on the width along Y, for oval bodies.
    """
    points = np.asarray(profile, float)
    direction = _unit(np.diff(points, axis=0))
    turn = (direction[1:] * direction[:-1]).sum(1)
    corners = [0, *(np.flatnonzero(turn < _CREASE) + 1), len(points) - 1]
    scale = np.array([1.0, squash, 1.0])
    runs = [surface(turned(profile[start : end + 1]) * scale) for start, end in pairwise(corners)]
    return join(runs)


def smooth_profile(profile: Profile, steps: int = 6) -> list[tuple[float, float]]:
    """`profile` with `steps` points a segment on a smooth curve through the given ones."""
    from scipy.interpolate import PchipInterpolator

    points = np.asarray(profile, float)
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    where = np.interp(
        np.linspace(0, len(points) - 1, (len(points) - 1) * steps + 1),
        np.arange(len(points)),
        length,
    )
    curve = PchipInterpolator(length, points)(where)
    return [(float(radius), float(height)) for radius, height in curve]


def quad(corner: Sequence[float], right: Sequence[float], up: Sequence[float]) -> Mesh:
    """Flat panel spanned by `right` and `up` from its lower left `corner`, seen from outside."""
    origin, across, along = (np.asarray(vector, float) for vector in (corner, right, up))
    vertices = np.stack([origin, origin + across, origin + across + along, origin + along])
    normal = _unit(np.cross(across, along))
    return Mesh(
        vertices,
        np.tile(normal, (4, 1)),
        np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]),
        np.array([[0, 1, 2], [0, 2, 3]]),
    )


def triangle(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> Mesh:
    """Flat triangle, corners anticlockwise from outside."""
    vertices = np.array([a, b, c], float)
    normal = _unit(np.cross(vertices[1] - vertices[0], vertices[2] - vertices[0]))
    return Mesh(
        vertices,
        np.tile(normal, (3, 1)),
        np.array([[0.0, 0], [1, 0], [0.5, 1]]),
        np.array([[0, 1, 2]]),
    )
