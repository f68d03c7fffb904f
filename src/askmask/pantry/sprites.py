"""The sprite bank that ships in the package: cut-out pictures of objects with their measures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.errors import DataError

__all__ = ["FORMAT", "Look", "SpriteBank", "View"]

FORMAT = "askmask-sprites/1"

_SHIPPED = Path(__file__).parent / "data" / "sprites"


@dataclass(frozen=True)
class View:
    """One picture of a look.

    Attributes:
        elevation: degrees of the camera above the horizon.
        azimuth: degrees of the camera from the front, anticlockwise seen from above.
        metres: width of the cell at the object's centre.
        base_xy: where the centre of the footprint on the ground projects, fractions of the cell.
        extent_m: width across the picture and depth along the view, metres.
        colours: colour name -> share of the opaque pixels.
    """

    elevation: float
    azimuth: float
    metres: float
    base_xy: tuple[float, float]
    extent_m: tuple[float, float]
    colours: Mapping[str, float]


@dataclass(frozen=True)
class Look:
    """One appearance of a category.

    Attributes:
        look: name, e.g. "jar-of-honey/0".
        category: noun of the noun bank, e.g. "jar of honey".
        container: kind of package, or "none".
        shape: form label of the scene.
        material: main material label.
        size_m: width, depth and height as seen from the front, metres.
        views: row by row of the sheet, lowest elevation first.
    """

    look: str
    category: str
    container: str
    shape: str
    material: str
    size_m: tuple[float, float, float]
    views: tuple[View, ...]


def _view(record: Mapping[str, Any]) -> View:
    return View(
        elevation=float(record["elevation"]),
        azimuth=float(record["azimuth"]),
        metres=float(record["metres"]),
        base_xy=(record["base"][0], record["base"][1]),
        extent_m=(record["extent_m"][0], record["extent_m"][1]),
        colours=dict(record["colours"]),
    )


def _look(record: Mapping[str, Any]) -> Look:
    names = {
        key: str(record[key]) for key in ("look", "category", "container", "shape", "material")
    }
    width, depth, height = record["size_m"]
    return Look(
        **names,
        size_m=(width, depth, height),
        views=tuple(_view(view) for view in record["views"]),
    )


class SpriteBank:
    """Looks with their measures; the pixels are read when they are first asked for.

    Attributes:
        folder: where bank.json and the sheets are.
        cell: width and height of a sprite, pixels.
        looks: all looks, in the order of the catalogue.
    """

    def __init__(self, folder: Path) -> None:
        """Read `folder`/bank.json.

        Raises:
            DataError: when it is missing or is not a sprite bank.
        """
        path = folder / "bank.json"
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["format"] != FORMAT:
                raise DataError(f"{path}: expected format {FORMAT}, got {record['format']!r}")
            self.folder = folder
            self.cell = int(record["cell"])
            self.looks = tuple(_look(look) for look in record["looks"])
            self._sheets = {look["look"]: str(look["sheet"]) for look in record["looks"]}
        except OSError as error:
            raise DataError(f"{path}: cannot read the sprite bank: {error.strerror}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: not a sprite bank: {error!r}; build it anew") from error
        # A bank's worth of decoded sheets is about 400 MB; smaller users hold what they touch.
        self._sheet = lru_cache(maxsize=256)(self._decode)

    @classmethod
    def load(cls) -> SpriteBank:
        """The bank of the installed package, always the same object."""
        return _shipped()

    def pixels(self, look: Look | str, view_index: int) -> NDArray[np.uint8]:
        """(S, S, 4) uint8 RGBA, straight alpha; colour continues under transparent pixels.

        Args:
            look: a look of this bank, or its name.
            view_index: index into its `views`.
        """
        sheet = self._sheet(look if isinstance(look, str) else look.look)
        across = sheet.shape[1] // self.cell
        y, x = divmod(view_index, across)
        size = self.cell
        return sheet[y * size : (y + 1) * size, x * size : (x + 1) * size]

    def _decode(self, look: str) -> NDArray[np.uint8]:
        path = self.folder / self._sheets[look]
        try:
            with Image.open(path) as image:
                sheet = np.asarray(image.convert("RGBA"))
        except OSError as error:
            raise DataError(f"{path}: cannot read the sprite sheet: {error}") from error
        sheet.flags.writeable = False
        return sheet


@lru_cache(maxsize=1)
def _shipped() -> SpriteBank:
    return SpriteBank(_SHIPPED)
