"""Wavefront models: OBJ meshes with MTL materials, one part a material."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.errors import DataError
from askmask.pantry.render.shapes import Finish, Mesh, Part

__all__ = ["read_model"]

Read = Callable[[str], bytes | None]
"""Content of a file by its name, or None when there is none."""

_LARGEST = 512
"""Longer side to which textures are reduced, pixels."""

_DECAL = 0.35
"""Pictures with less mean opacity are flames, nets and lettering: their parts are left out."""

_BODY_OPACITY = 0.8
"""What a thing of glass gets: masks say that it hides what is behind it, so it must nearly."""

_LEAST_OPACITY = 0.05


@dataclass
class _Material:
    """Colours are sRGB in [0, 1]; `opacity` in [0, 1]; `picture` a file name or None."""

    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    specular: float = 0.0
    shininess: float = 10.0
    opacity: float = 1.0
    picture: str | None = None


def read_model(read: Read, path: str) -> list[Part]:
    """Read an OBJ file with its materials and pictures.

    Args:
        read: gives the content of files, by names relative to the same root as `path`.
        path: of the OBJ file.

    Returns:
        One part a material, in the order of first use; parts without area and all but
        transparent ones are left out.

    Raises:
        DataError: when a file is missing or garbled.
    """
    try:
        return _read_model(read, path)
    except (ValueError, IndexError, OSError) as error:
        raise DataError(f"{path}: not a readable OBJ model: {error}") from error


def _read_model(read: Read, path: str) -> list[Part]:
    content = read(path)
    if content is None:
        raise DataError(f"{path}: expected an OBJ file, found none")
    points: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    corners: dict[str, list[tuple[tuple[int, int, int], ...]]] = {}
    materials: dict[str, _Material] = {}
    current = ""
    for line in content.decode("latin-1").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in points:
            points[word].append(
                [float(number) for number in rest.split()[: 2 if word == "vt" else 3]]
            )
        elif word == "f":
            face = [_corner(text, points) for text in rest.split()]
            fan = [(face[0], face[i], face[i + 1]) for i in range(1, len(face) - 1)]
            corners.setdefault(current, []).extend(fan)
        elif word == "usemtl":
            current = rest.strip()
        elif word == "mtllib":
            library = str(PurePosixPath(path).parent / rest.strip())
            materials.update(_materials((read(library) or b"").decode("latin-1")))
    arrays = {
        key: np.array(rows, float).reshape(-1, 2 if key == "vt" else 3)
        for key, rows in points.items()
    }
    named = [
        (_mesh(np.array(faces, np.int64), arrays), materials.get(name, _Material()))
        for name, faces in corners.items()
    ]
    return _finished(named, read, PurePosixPath(path).parent)


def _corner(text: str, points: dict[str, list[list[float]]]) -> tuple[int, int, int]:
    """Indices of position, texture and normal, -1 where there is none."""
    found = []
    for word, key in zip((*text.split("/"), "", "")[:3], ("v", "vt", "vn"), strict=True):
        index = int(word) if word else 0
        found.append(index - 1 if index > 0 else len(points[key]) + index if index else -1)
    return found[0], found[1], found[2]


def _materials(text: str) -> dict[str, _Material]:
    found: dict[str, _Material] = {}
    material = _Material()
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            material = found.setdefault(rest.strip(), _Material())
        elif word == "Kd":
            red, green, blue = (float(number) for number in rest.split()[:3])
            material.colour = (red, green, blue)
        elif word == "Ks":
            material.specular = float(np.mean([float(number) for number in rest.split()[:3]]))
        elif word == "Ns":
            material.shininess = float(rest.split()[0])
        elif word == "d":
            material.opacity = float(rest.split()[-1])
        elif word == "map_Kd":
            material.picture = rest.strip().replace("\\", "/")
    return found


def _mesh(faces: NDArray[np.int64], points: dict[str, NDArray[np.float64]]) -> Mesh:
    """Mesh of (T, 3, 3) corners; equal corners are shared."""
    unique, flat = np.unique(faces.reshape(-1, 3), axis=0, return_inverse=True)
    triangles = flat.reshape(-1, 3)
    vertices = points["v"][unique[:, 0]]
    normals = _face_normals(vertices, triangles)
    if len(points["vn"]):
        given = points["vn"][np.maximum(unique[:, 2], 0)]
        length = np.linalg.norm(given, axis=1, keepdims=True)
        normals = np.where((unique[:, 2:] >= 0) & (length > 1e-6), given, normals)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-12, normals / np.maximum(length, 1e-12), [[0.0, 1.0, 0.0]])
    uv = np.zeros((len(unique), 2))
    if len(points["vt"]):
        uv = np.where(unique[:, 1:2] >= 0, points["vt"][np.maximum(unique[:, 1], 0)], 0.0)
    return Mesh(vertices, normals, uv, triangles)


def _face_normals(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(V, 3), weighted by area, not of unit length."""
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], _crosses(vertices, triangles))
    return normals


def _crosses(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    crosses: NDArray[np.float64] = np.cross(b - a, c - a)
    return crosses


def _finished(
    named: Sequence[tuple[Mesh, _Material]], read: Read, folder: PurePosixPath
) -> list[Part]:
    areas = [float(np.linalg.norm(_crosses(m.vertices, m.faces), axis=1).sum()) for m, _ in named]
    clear = sum(area for area, (_, stuff) in zip(areas, named, strict=True) if stuff.opacity < 0.6)
    floor = _BODY_OPACITY if clear > 0.5 * sum(areas) else 0.0
    parts = []
    for area, (mesh, stuff) in zip(areas, named, strict=True):
        texture = _texture(stuff, read, folder)
        opacity = max(stuff.opacity, floor)
        if area > 0 and opacity >= _LEAST_OPACITY and texture is not None:
            parts.append(Part(mesh, Finish(texture, _roughness(stuff), opacity=min(opacity, 1.0))))
    return parts


def _roughness(stuff: _Material) -> float:
    gloss = min(1.0, 1.2 * stuff.specular) * min(1.0, max(stuff.shininess, 0.0) / 120) ** 0.5
    return float(np.clip(1 - 0.75 * gloss, 0.15, 1.0))


def _texture(stuff: _Material, read: Read, folder: PurePosixPath) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8, of the picture or the plain colour; None for a decal."""
    plain = np.clip(np.array(stuff.colour) * 255 + 0.5, 0, 255).astype(np.uint8)
    content = None
    if stuff.picture is not None:
        content = read(str(folder / stuff.picture))
        content = content or read(str(folder / PurePosixPath(stuff.picture).name))
    if content is None:
        return np.full((4, 4, 3), plain, np.uint8)
    with Image.open(io.BytesIO(content)) as picture:
        pixels = picture.convert("RGBA")
    pixels.thumbnail((_LARGEST, _LARGEST))
    alpha = np.asarray(pixels.getchannel("A"), float)[..., None] / 255
    if alpha.mean() < _DECAL:
        return None
    colour = np.asarray(pixels.convert("RGB"), float)
    # What would be cut out becomes the colour of the rest, not of the hidden pixels.
    around = (colour * alpha).sum((0, 1)) / alpha.sum()
    mixed: NDArray[np.uint8] = (colour * alpha + around * (1 - alpha) + 0.5).astype(np.uint8)
    return mixed
