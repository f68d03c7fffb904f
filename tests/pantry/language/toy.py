"""Small scenes of rectangles with given positions in space, for the tests of the language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from askmask.pantry.scene import Scene, SceneObject

WIDTH, HEIGHT = 320, 240
PIXELS_PER_METRE = 200
MARGIN = 60


@dataclass
class Thing:
    """A box in space: x of its centre, base height and depth of its centre, in metres."""

    category: str
    x: float
    z: float = 1.0
    base: float = 0.0
    size: tuple[float, float, float] = (0.1, 0.1, 0.2)
    colour: str = "red"
    share: float = 0.9
    material: str = "glass"
    shape: str = "cylinder"
    container: str = "jar"
    disc: bool = False


def toy_scene(things: Sequence[Thing], seed: int = 0) -> Scene:
    """Project boxes without perspective: x to columns, height to rows; nearer ones cover."""
    order = sorted(range(len(things)), key=lambda i: -things[i].z)
    full = [_mask(things[i], margin=MARGIN) for i in range(len(things))]
    inside = [mask[:, MARGIN:-MARGIN] for mask in full]
    front = np.full((HEIGHT, WIDTH), -1)
    for i in order:
        front[inside[i]] = i
    n = len(things)
    occlusion = np.array(
        [[np.sum(inside[b] & (front == a)) if a != b else 0 for b in range(n)] for a in range(n)],
        np.int64,
    ).reshape(n, n)
    objects = tuple(
        SceneObject(
            id=i + 1,
            category=thing.category,
            look=f"{thing.category}/0",
            container=thing.container,
            shape=thing.shape,
            material=thing.material,
            colours={thing.colour: thing.share} if thing.colour else {},
            size_m=thing.size,
            centre_m=(thing.x, thing.base + thing.size[2] / 2, thing.z),
            modal=front == i,
            amodal=inside[i],
            amodal_area_full=int(full[i].sum()),
        )
        for i, thing in enumerate(things)
    )
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Scene(image, objects, occlusion, "table", seed)


def _mask(thing: Thing, margin: int) -> np.ndarray:
    """(HEIGHT, WIDTH + 2 margin) bool; what is farther stands a little higher in the picture."""
    ground = HEIGHT - 40 - 60 * (thing.z - 1.0)
    left = WIDTH / 2 + (thing.x - thing.size[0] / 2) * PIXELS_PER_METRE + margin
    right = left + thing.size[0] * PIXELS_PER_METRE
    bottom = ground - thing.base * PIXELS_PER_METRE
    top = bottom - thing.size[2] * PIXELS_PER_METRE
    rows, columns = np.mgrid[0:HEIGHT, 0 : WIDTH + 2 * margin] + 0.5
    if thing.disc:
        radius = (right - left) / 2
        return np.hypot(columns - (left + right) / 2, rows - (bottom - radius)) <= radius
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)


GROCERIES = (
    ("jar of honey", "glass", "cylinder", "jar"),
    ("jar of strawberry jam", "glass", "cylinder", "jar"),
    ("can of beans", "metal", "cylinder", "can"),
    ("can of corn", "metal", "cylinder", "can"),
    ("box of cereal", "cardboard", "box", "box"),
    ("carton of milk", "cardboard", "box", "carton"),
    ("bottle of ketchup", "plastic", "bottle-like", "bottle"),
    ("apple", "food", "ball", "none"),
    ("lemon", "food", "ball", "none"),
    ("tomato", "food", "ball", "none"),
)


def random_scene(seed: int, count: int = 9) -> Scene:
    """A table of groceries at random places, some behind others, some of a kind twice."""
    rng = np.random.default_rng(seed)
    things = []
    for _ in range(count):
        category, material, shape, container = GROCERIES[int(rng.integers(len(GROCERIES)))]
        width, height = rng.uniform(0.07, 0.2), rng.uniform(0.09, 0.35)
        things.append(
            Thing(
                category,
                x=rng.uniform(-0.75, 0.75),
                z=rng.uniform(0.8, 1.6),
                size=(width, 0.08, height),
                colour=("red", "green", "blue", "yellow", "white")[int(rng.integers(5))],
                material=material,
                shape=shape,
                container=container,
                disc=shape == "ball",
            )
        )
    return toy_scene(things, seed)
