"""A folder of assets, ready to render: measures in one file, meshes in one file a look.

Reading models and printing labels takes a minute; scenes are made by processes that start anew
every few dozen scenes, so they read the results from here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.atomic import atomic_write
from askmask.errors import DataError
from askmask.formats.files import file_sha256
from askmask.pantry.objects.asset import Asset, Source, measured
from askmask.pantry.objects.attribution import attribution
from askmask.pantry.objects.groceries import Recipe
from askmask.pantry.render.shapes import Finish, Mesh, Part

__all__ = ["FORMAT", "AssetStore", "write_store"]

FORMAT = "askmask-objects/1"

_INDEX = "objects.json"
_ARRAYS = ("vertices", "normals", "uv", "faces", "texture", "finish")


class AssetStore:
    """Assets with their measures; meshes are read when they are asked for.

    Attributes:
        folder: where objects.json and the meshes are.
        assets: all assets, in the order of the catalogue.
    """

    def __init__(self, folder: Path) -> None:
        """Read `folder`/objects.json.

        Raises:
            DataError: when it is missing or is no asset store.
        """
        path = folder / _INDEX
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["format"] != FORMAT:
                raise DataError(f"{path}: expected format {FORMAT}, got {record['format']!r}")
            self.folder = folder
            self.assets = tuple(_asset(item) for item in record["objects"])
        except OSError as error:
            raise DataError(
                f"{path}: cannot read the objects ({error.strerror}); build them with "
                "'askmask build objects'"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: not a store of objects: {error!r}; build it anew") from error

    @cached_property
    def digest(self) -> str:
        """SHA-256 of objects.json, which holds those of the meshes."""
        return file_sha256(self.folder / _INDEX)

    def parts(self, asset: Asset) -> list[Part]:
        """Read the mesh of an asset of this store.

        Raises:
            DataError: when its file is missing or broken.
        """
        path = self.folder / _file(asset.look)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                count = len(arrays.files) // len(_ARRAYS)
                return [_part([arrays[f"{name}{i}"] for name in _ARRAYS]) for i in range(count)]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DataError(f"{path}: cannot read the model ({error}); build it anew") from error


def write_store(
    out: Path, recipes: Iterable[Recipe], progress: Callable[[int], None] | None = None
) -> AssetStore:
    """Make every asset and write the store, with ATTRIBUTION.md.

    Args:
        out: folder, made when missing; files of the same names are replaced.
        recipes: what to make.
        progress: called with the number of finished assets after each of them.

    Raises:
        DataError: when a model cannot be read.
        OutputError: when the folder cannot be written.
    """
    assets, records = [], []
    (out / "models").mkdir(parents=True, exist_ok=True)
    for recipe in recipes:
        parts = [_lean(part) for part in recipe.make()]
        asset = measured(
            parts,
            recipe.look,
            recipe.category,
            recipe.container,
            recipe.shape,
            recipe.material,
            recipe.source,
        )
        with atomic_write(out / _file(asset.look)) as file:
            file.write(_packed(parts))
        assets.append(asset)
        records.append(_record(asset, file_sha256(out / _file(asset.look))))
        if progress is not None:
            progress(len(assets))
    with atomic_write(out / "ATTRIBUTION.md") as file:
        file.write(attribution(assets).encode())
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    with atomic_write(out / _INDEX) as file:
        file.write(f'{{"format":"{FORMAT}","objects":[\n{lines}\n]}}\n'.encode())
    return AssetStore(out)


def _file(look: str) -> str:
    return f"models/{look.replace('/', '-')}.npz"


def _lean(part: Part) -> Part:
    """The part as it will be read back: measures are taken of what is rendered."""
    mesh = part.mesh
    single = Mesh(
        mesh.vertices.astype(np.float32).astype(float),
        mesh.normals.astype(np.float32).astype(float),
        mesh.uv.astype(np.float32).astype(float),
        mesh.faces,
    )
    return Part(single, part.finish)


def _packed(parts: Iterable[Part]) -> bytes:
    arrays: dict[str, NDArray[Any]] = {}
    for i, part in enumerate(parts):
        mesh, finish = part.mesh, part.finish
        values: tuple[NDArray[Any], ...] = (
            mesh.vertices.astype(np.float32),
            mesh.normals.astype(np.float32),
            mesh.uv.astype(np.float32),
            mesh.faces.astype(np.int32),
            finish.texture,
            np.array([finish.roughness, finish.metallic, finish.opacity], np.float32),
        )
        arrays.update({f"{name}{i}": value for name, value in zip(_ARRAYS, values, strict=True)})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _part(arrays: list[NDArray[Any]]) -> Part:
    vertices, normals, uv, faces, texture, finish = arrays
    mesh = Mesh(
        vertices.astype(float), normals.astype(float), uv.astype(float), faces.astype(np.int64)
    )
    return Part(mesh, Finish(texture, *(float(value) for value in finish)))


def _record(asset: Asset, sha256: str) -> dict[str, Any]:
    return {
        "look": asset.look,
        "category": asset.category,
        "container": asset.container,
        "shape": asset.shape,
        "material": asset.material,
        "size_m": [round(side, 5) for side in asset.size_m],
        "source": asdict(asset.source),
        "sha256": sha256,
        "hull": np.round(asset.hull, 5).tolist(),
    }


def _asset(record: dict[str, Any]) -> Asset:
    names = {
        key: str(record[key]) for key in ("look", "category", "container", "shape", "material")
    }
    width, depth, height = (float(side) for side in record["size_m"])
    hull = np.array(record["hull"], float).reshape(-1, 3)
    return Asset(
        **names, size_m=(width, depth, height), hull=hull, source=Source(**record["source"])
    )
