"""From masks to a `Scene`: painting order, measures and colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.colours import colour_shares
from askmask.pantry.render.device import Camera
from askmask.pantry.scene import Scene, SceneObject
from askmask.pantry.world.layout import Placed
from askmask.pantry.world.studio import Masks
from askmask.pantry.world.viewpoint import levelled

__all__ = ["annotate", "far_to_near"]

_TRACE = 0.01
"""Shares of a colour below this are left out."""

_DIGITS = 6
"""Decimals of metres in places and sizes."""


def annotate(
    image: NDArray[np.uint8],
    placed: Sequence[Placed],
    masks: Masks,
    camera: Camera,
    *,
    layout: str,
    seed: int,
) -> Scene:
    """Describe every thing of which a pixel is visible; ids are places in `placed`, from 1."""
    overlaps = masks.overlaps
    seen = np.flatnonzero(overlaps.diagonal() > 0)
    boxes = [levelled(item.points, camera) for item in placed]
    depth = np.array([box[:, 2].mean() for box in boxes])
    order = [int(seen[index]) for index in far_to_near(overlaps[np.ix_(seen, seen)], depth[seen])]
    objects = []
    for index in order:
        asset, modal = placed[index].asset, masks.front == index + 1
        low, high = boxes[index].min(0), boxes[index].max(0)
        # Processors differ in the last digits, and sentences hang on what is larger or nearer.
        width, height, away = (round(float(side), _DIGITS) for side in high - low)
        x, y, z = (round(float(value), _DIGITS) for value in (low + high) / 2)
        shares = colour_shares(image[modal])
        objects.append(
            SceneObject(
                id=index + 1,
                category=asset.category,
                look=asset.look,
                container=asset.container,
                shape=asset.shape,
                material=asset.material,
                colours={
                    name: round(share, 3) for name, share in shares.items() if share >= _TRACE
                },
                size_m=(width, away, height),
                centre_m=(x, y, z),
                modal=modal,
                amodal=masks.amodal[index],
                amodal_area_full=int(masks.area_full[index]),
            )
        )
    occlusion = overlaps[np.ix_(order, order)]
    np.fill_diagonal(occlusion, 0)
    return Scene(image, tuple(objects), occlusion, layout, seed)


def far_to_near(overlaps: NDArray[np.int64], depth: NDArray[np.float64]) -> list[int]:
    """Order in which a painter would paint: what hides another thing comes after it.

    Args:
        overlaps: (N, N), pixels of b that a hides at [a, b]; the diagonal does not matter.
        depth: (N,) metres; decides where nothing hides anything, and breaks circles.
    """
    left = list(np.argsort(-depth, kind="stable"))
    order = []
    while left:
        # Of two things that hide parts of each other, the one that hides more is nearer.
        free = [a for a in left if all(overlaps[a, b] <= overlaps[b, a] for b in left if b != a)]
        nearest = (free or left)[0]
        left.remove(nearest)
        order.append(int(nearest))
    return order
