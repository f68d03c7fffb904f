"""Furniture catalogues of Sweet Home 3D: zip files with models and a list of properties."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.pantry.objects.wavefront import read_model
from askmask.pantry.render.shapes import Part

__all__ = ["Furniture", "FurnitureSet"]

_PROPERTIES = "PluginFurnitureCatalog.properties"
_LINE = re.compile(r"(\w+)#(\d+)\s*=\s*(.*)")

_FRONT_TO_X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""From Y up and the front along Z to Z up and the front along X."""


@dataclass(frozen=True, eq=False)
class Furniture:
    """One model of a catalogue.

    Attributes:
        name: as the catalogue says it.
        path: of its OBJ file in the set.
        size_cm: width, depth, height.
        rotation: (3, 3) float64 to apply to the model first.
        creator: whom to credit.
    """

    name: str
    path: str
    size_cm: tuple[float, float, float]
    rotation: NDArray[np.float64]
    creator: str

    @property
    def key(self) -> str:
        """Short name, unique in its set."""
        return PurePosixPath(self.path).stem


class FurnitureSet:
    """One .sh3f file.

    Attributes:
        path: the file.
        furniture: key -> model.
    """

    def __init__(self, path: Path) -> None:
        """Read the catalogue of `path`.

        Raises:
            DataError: when it is no furniture catalogue.
        """
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            text = self._zip.read(_PROPERTIES).decode("latin-1")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: expected a furniture catalogue (.sh3f): {error}") from error
        # Materials name their pictures in another case than the files have.
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self.furniture = {item.key: item for item in map(self._item, _records(text))}

    def _item(self, record: Mapping[str, str]) -> Furniture:
        try:
            width, depth, height = (float(record[key]) for key in ("width", "depth", "height"))
            turn = record.get("modelRotation", "1 0 0 0 1 0 0 0 1")
            return Furniture(
                name=record["name"],
                path=record["model"].lstrip("/"),
                size_cm=(width, depth, height),
                rotation=np.array([float(word) for word in turn.split()]).reshape(3, 3),
                creator=record.get("creator", ""),
            )
        except (KeyError, ValueError) as error:
            raise DataError(
                f"{self.path}: model {record.get('name', '?')!r} lacks or garbles {error}"
            ) from error

    def parts(self, key: str, scale: float = 1.0) -> list[Part]:
        """Parts of a model in metres, standing on the ground over the origin, front along +X.

        Args:
            key: of `furniture`.
            scale: factor on the catalogue's measures, some of which are wrong.

        Raises:
            DataError: when the set has no such model or it cannot be read.
        """
        if key not in self.furniture:
            raise DataError(f"{self.path}: expected a model {key!r}; the set has none")
        item = self.furniture[key]
        parts = read_model(self._read, item.path)
        if not parts:
            raise DataError(f"{self.path}: {item.path} has no faces")
        width, depth, height = (side * scale / 100 for side in item.size_cm)
        return _fitted(parts, item.rotation, np.array([width, height, depth]))

    def _read(self, name: str) -> bytes | None:
        """Content of a file of the set, whatever the case of its name; None when missing."""
        found = self._names.get(name.lower())
        return None if found is None else self._zip.read(found)


def _records(text: str) -> list[dict[str, str]]:
    """Models of a catalogue in its order: property -> value."""
    records: dict[int, dict[str, str]] = {}
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match:
            key, number, value = match.groups()
            plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), value)
            records.setdefault(int(number), {})[key] = plain.strip()
    return [record for _, record in sorted(records.items()) if "model" in record]


def _fitted(
    parts: list[Part], rotation: NDArray[np.float64], size: NDArray[np.float64]
) -> list[Part]:
    """Turn parts (Y up, front +Z), stretch them to `size` (3,) along X, Y, Z, and stand them up."""
    turned = [part.mesh.vertices @ rotation.T for part in parts]
    low = np.min([vertices.min(0) for vertices in turned], axis=0)
    high = np.max([vertices.max(0) for vertices in turned], axis=0)
    stretch = size / np.maximum(high - low, 1e-9)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    fitted = []
    for part, vertices in zip(parts, turned, strict=True):
        normals = part.mesh.normals @ rotation.T / stretch
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        mesh = replace(
            part.mesh,
            vertices=(vertices - foot) * stretch @ _FRONT_TO_X.T,
            normals=normals @ _FRONT_TO_X.T,
        )
        fitted.append(replace(part, mesh=mesh))
    return fitted
