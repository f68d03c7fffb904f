"""A scene: a picture with everything that is known about its objects.

The compositor and, later, the 3D renderer make scenes; the language evaluates its patterns on them.
Coordinates are the camera's, levelled: X to the right in the picture, Y up (gravity), Z away from
the camera along the ground, all in metres (`operations.md`, section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ShapeError

__all__ = ["Scene", "SceneObject"]


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One object of a scene.

    Attributes:
        id: 1-based number in the scene, also the entity id.
        category: noun of the noun bank, e.g. "jar of honey".
        look: name of the sprite or model, e.g. "jar-of-honey/2".
        container: kind of package ("jar", "can", "box", …) or "none".
        shape: one of box, cylinder, ball, disc, bowl, cone, ring, stick, sheet, bottle-like,
            irregular.
        material: main material label, e.g. "glass".
        colours: colour name -> share of the visible surface, summing to at most 1.
        size_m: width across the picture, depth, height, in metres.
        centre_m: X, Y, Z of the centre in metres.
        modal: (H, W) bool, visible pixels.
        amodal: (H, W) bool, pixels inside the picture as if nothing stood in front.
        amodal_area_full: pixels of the amodal mask including the part outside the picture.
    """

    id: int
    category: str
    look: str
    container: str
    shape: str
    material: str
    colours: Mapping[str, float]
    size_m: tuple[float, float, float]
    centre_m: tuple[float, float, float]
    modal: NDArray[np.bool_]
    amodal: NDArray[np.bool_]
    amodal_area_full: int

    @property
    def occlusion_rate(self) -> float:
        """Share of the amodal mask that other objects hide, in [0, 1]."""
        area = int(self.amodal.sum())
        return 1.0 - int(self.modal.sum()) / area if area else 0.0


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with its objects, nearest object last.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        objects: the objects, in the order in which they were painted (far to near).
        occlusion: (N, N) int64; `occlusion[a, b]` = pixels of b's amodal mask whose front-most
            surface is object a (indices into `objects`, diagonal 0).
        layout: "table", "shelf", "pile", …
        seed: what the scene was made from.
    """

    image: NDArray[np.uint8]
    objects: tuple[SceneObject, ...]
    occlusion: NDArray[np.int64]
    layout: str
    seed: int

    def __post_init__(self) -> None:
        n = len(self.objects)
        if self.occlusion.shape != (n, n):
            raise ShapeError(f"Scene: expected occlusion ({n}, {n}), got {self.occlusion.shape}")
        for item in self.objects:
            if item.modal.shape != self.image.shape[:2] or item.amodal.shape != item.modal.shape:
                raise ShapeError(
                    f"Scene: object {item.id} has masks {item.modal.shape} and "
                    f"{item.amodal.shape} in a picture of {self.image.shape[:2]}"
                )
