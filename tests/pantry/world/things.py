"""Plain boxes to build scenes of, without meshes."""

from itertools import product

import numpy as np

from askmask.pantry.objects.asset import OWN, Asset, Source

HOUSE = Source("Scopia", "box", "Ada", "CC-BY-3.0")


def box(look, width=0.1, depth=0.08, height=0.15, category="", container="none", source=OWN):
    corners = product((-depth / 2, depth / 2), (-width / 2, width / 2), (0.0, height))
    return Asset(
        look,
        category or look.partition("/")[0],
        container,
        "box",
        "wood",
        (width, depth, height),
        np.array(list(corners)),
        source,
    )


def boxes(count, rng):
    return [box(f"box{i}/0", *rng.uniform(0.05, 0.15, 3)) for i in range(count)]
