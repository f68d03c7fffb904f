"""Render the sprite bank: every product and fruit, from three heights and six sides.

    python -m askmask.pantry.render.build_bank OUT

The camera stays and the object turns, so that light comes from the upper left in every sprite.
Sprites are drawn three times as large as they are kept.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.errors import AskmaskError
from askmask.pantry.colours import colour_shares
from askmask.pantry.render.packages import BODIES, package
from askmask.pantry.render.produce import PRODUCE, fruit
from askmask.pantry.render.products import PRODUCTS
from askmask.pantry.render.renderer import Camera, Renderer
from askmask.pantry.render.shapes import Part
from askmask.pantry.sprites import FORMAT

__all__ = ["Model", "build_bank", "models"]

CELL = 160
ELEVATIONS = (12, 28, 50)
_SAMPLES = 3
_DESIGNS = 3
_FIELD_OF_VIEW = 24.0
_MARGIN = 1.04
_QUALITY, _ALPHA_QUALITY = 77, 90
_FRONT = np.linspace(-60.0, 60.0, 6)
_ROUND_FRONT = np.linspace(-40.0, 40.0, 6)
"""Turning a round package shows nothing new but more of the gap between two labels."""

_ALL_SIDES = np.arange(6) * 60.0


@dataclass(frozen=True, eq=False)
class Model:
    """What is rendered into one sheet; names as in `sprites.Look`."""

    look: str
    category: str
    container: str
    shape: str
    material: str
    parts: list[Part]
    azimuths: NDArray[np.float64]


def _rng(look: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(look.encode()))


def _slug(noun: str, design: int) -> str:
    return f"{noun.replace(' ', '-')}/{design}"


def models() -> Iterator[Model]:
    """All models of the catalogue, made one at a time."""
    for product in PRODUCTS:
        body = BODIES[product.body]
        for design in range(_DESIGNS):
            look = _slug(product.noun, design)
            rng = _rng(look)
            parts = package(body, product.label(design), product.content, rng)
            sides = _FRONT if body.shape == "box" else _ROUND_FRONT
            azimuths = sides + rng.uniform(-8, 8, len(sides))
            yield Model(
                look, product.noun, product.container, body.shape, body.material, parts, azimuths
            )
    for kind in PRODUCE:
        for variant in range(_DESIGNS):
            look = _slug(kind.noun, variant)
            rng = _rng(look)
            parts = fruit(kind, variant, rng)
            azimuths = _ALL_SIDES + rng.uniform(-20, 20, len(_ALL_SIDES))
            yield Model(look, kind.noun, "none", kind.shape, "food", parts, azimuths)


def _turned(vertices: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    turned: NDArray[np.float64] = vertices @ rotation
    return turned


@dataclass(frozen=True, eq=False)
class _Frame:
    """A camera that just holds an object, and what its picture measures."""

    camera: Camera
    metres: float
    base: tuple[float, float]


def _frame(vertices: NDArray[np.float64], elevation: float) -> _Frame:
    """Look at `vertices` (V, 3), standing on the ground over the origin, from +X."""
    angle = np.radians(elevation)
    towards = np.array([np.cos(angle), 0.0, np.sin(angle)])
    right, up = np.array([0.0, 1.0, 0.0]), np.array([-np.sin(angle), 0.0, np.cos(angle)])
    middle = (vertices.min(0) + vertices.max(0)) / 2
    across, along = (vertices - middle) @ right, (vertices - middle) @ up
    target = middle + right * (np.ptp(across) / 2 + across.min())
    target = target + up * (np.ptp(along) / 2 + along.min())
    offset = vertices - target
    tangent = np.tan(np.radians(_FIELD_OF_VIEW) / 2)
    reach = np.maximum(np.abs(offset @ right), np.abs(offset @ up)) / tangent
    distance = float((reach + offset @ towards).max()) * _MARGIN
    position = target + towards * distance
    ground = -position  # from the camera to the origin, the centre of the footprint
    depth = -float(ground @ towards)
    base_x = 0.5 + float(ground @ right) / depth / tangent / 2
    base_y = 0.5 - float(ground @ up) / depth / tangent / 2
    camera = Camera(position, target, _FIELD_OF_VIEW)
    return _Frame(camera, 2 * distance * float(tangent), (base_x, base_y))


def _shrunk(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over squares of _SAMPLES pixels, (S, S, C) -> (S / _SAMPLES, …, C)."""
    size = values.shape[0] // _SAMPLES
    means: NDArray[np.float64] = values.reshape(size, _SAMPLES, size, _SAMPLES, -1).mean((1, 3))
    return means


def _cut_out(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(CELL, CELL, 4) RGBA with the object's own colours up to and beyond its edge."""
    from scipy import ndimage

    # The renderer's smoothing mixes background into the outermost pixels: take inner ones.
    inner = ndimage.binary_erosion(mask, iterations=1)
    source = inner if inner.any() else mask
    nearest = ndimage.distance_transform_edt(~source, return_distances=False, return_indices=True)
    filled = picture[nearest[0], nearest[1]]
    colour = _shrunk(filled.astype(float))
    alpha = _shrunk(mask[..., None].astype(float))
    # Far from the object nothing is ever blended; one colour there keeps the file small.
    far = ndimage.distance_transform_edt(alpha[..., 0] == 0) > 6
    colour[far] = picture[source].mean(0)
    return np.concatenate([colour, alpha * 255], axis=2).round().astype(np.uint8)


def _sprites(renderer: Renderer, model: Model) -> tuple[Image.Image, dict[str, Any]]:
    """Sheet and bank record of one model, the record without colours."""
    vertices = np.concatenate([part.mesh.vertices for part in model.parts])
    sheet = np.zeros((len(ELEVATIONS) * CELL, len(model.azimuths) * CELL, 4), np.uint8)
    renderer.show(model.parts)
    views = []
    for row, elevation in enumerate(ELEVATIONS):
        for column, azimuth in enumerate(model.azimuths):
            seen = _turned(vertices, -azimuth)
            frame = _frame(seen, elevation)
            renderer.turn(-azimuth)
            cell = _cut_out(renderer.picture(frame.camera), renderer.mask(frame.camera))
            sheet[row * CELL :, column * CELL :][:CELL, :CELL] = cell
            depth, width, _ = np.ptp(seen, axis=0)
            views.append(
                {
                    "elevation": elevation,
                    "azimuth": round(float(azimuth), 1),
                    "metres": round(frame.metres, 4),
                    "base": [round(value, 4) for value in frame.base],
                    "extent_m": [round(float(width), 4), round(float(depth), 4)],
                }
            )
    depth, width, height = np.ptp(vertices, axis=0)
    record = {
        "look": model.look,
        "category": model.category,
        "container": model.container,
        "shape": model.shape,
        "material": model.material,
        "size_m": [round(float(value), 4) for value in (width, depth, height)],
        "sheet": model.look.replace("/", "-") + ".webp",
        "views": views,
    }
    return Image.fromarray(sheet), record


def _measure_colours(sheet: NDArray[np.uint8], views: list[dict[str, Any]]) -> None:
    """Add to each of `views` the colours of its cell of `sheet`, leaving out traces."""
    across = sheet.shape[1] // CELL
    for index, view in enumerate(views):
        row, column = divmod(index, across)
        cell = sheet[row * CELL :, column * CELL :][:CELL, :CELL]
        shares = colour_shares(cell[cell[..., 3] > 200][:, :3])
        view["colours"] = {name: round(share, 3) for name, share in shares.items() if share >= 0.01}


def _write_json(out: Path, records: list[dict[str, Any]]) -> None:
    """Write bank.json with one look a line, so that two banks can be compared."""
    bank = {"format": FORMAT, "cell": CELL, "elevations": ELEVATIONS, "looks": []}
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    (out / "bank.json").write_text(f"{json.dumps(bank)[:-2]}\n{lines}\n]}}\n", "utf-8")


def build_bank(out: Path, progress: Callable[[str], None] = lambda look: None) -> None:
    """Write bank.json and one WebP sheet a look into folder `out`.

    Args:
        out: made when missing; files of the same names are replaced.
        progress: called with the name of each look when its sheet is written.

    Raises:
        MissingExtraError: when mujoco or the Vulkan driver is not installed.
    """
    renderer = Renderer(CELL * _SAMPLES)
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for model in models():
        sheet, record = _sprites(renderer, model)
        path = out / record["sheet"]
        sheet.save(path, quality=_QUALITY, alpha_quality=_ALPHA_QUALITY, method=6, exact=True)
        # Measured on what is kept: compression shifts colours a little.
        with Image.open(path) as kept:
            _measure_colours(np.asarray(kept.convert("RGBA")), record["views"])
        records.append(record)
        progress(model.look)
    _write_json(out, records)


def _echo(look: str) -> None:
    sys.stderr.write(f"{look}\n")


def main(arguments: list[str]) -> int:
    """Build the bank into the folder named on the command line; returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m askmask.pantry.render.build_bank OUT\n")
        return 2
    try:
        build_bank(Path(arguments[0]), _echo)
    except AskmaskError as error:
        sys.stderr.write(f"build_bank: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # The Vulkan driver crashes in the interpreter's own clean-up.
    os._exit(status)
