"""Own packages and produce: the sprite bank's designs and, held out, one more of each."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from askmask.pantry.objects.asset import OWN, Source
from askmask.pantry.render.labels import INKS, LAYOUTS, Label
from askmask.pantry.render.packages import BODIES, package
from askmask.pantry.render.produce import PRODUCE, Produce, fruit
from askmask.pantry.render.products import PRODUCTS, Product
from askmask.pantry.render.shapes import Part

__all__ = ["DESIGNS", "Recipe", "groceries"]

DESIGNS = 4
"""Designs of a product; the sprite bank shows the first three."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to make an asset; names as in `Asset`."""

    look: str
    category: str
    container: str
    shape: str
    material: str
    make: Callable[[], list[Part]]
    source: Source = OWN


def groceries() -> Iterator[Recipe]:
    """All looks of packages and produce, in the order of the catalogue."""
    for product in PRODUCTS:
        body = BODIES[product.body]
        for design in range(DESIGNS):
            look = _look(product.noun, design)
            yield Recipe(
                look,
                product.noun,
                product.container,
                body.shape,
                body.material,
                make=_Package(product, design, look),
            )
    for kind in PRODUCE:
        for variant in range(DESIGNS):
            look = _look(kind.noun, variant)
            yield Recipe(look, kind.noun, "none", kind.shape, "food", _Fruit(kind, variant, look))


def _look(noun: str, design: int) -> str:
    return f"{noun.replace(' ', '-')}/{design}"


def _rng(look: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(look.encode()))


@dataclass(frozen=True)
class _Package:
    product: Product
    design: int
    look: str

    def __call__(self) -> list[Part]:
        product = self.product
        return package(
            BODIES[product.body], _label(product, self.design), product.content, _rng(self.look)
        )


@dataclass(frozen=True)
class _Fruit:
    kind: Produce
    variant: int
    look: str

    def __call__(self) -> list[Part]:
        return fruit(self.kind, self.variant % len(self.kind.skins), _rng(self.look))


def _label(product: Product, design: int) -> Label:
    """Label of any design; those beyond the catalogue's differ in ink and ornament from all."""
    known = len(product.inks)
    if design < known:
        return product.label(design)
    others = [ink for ink in INKS if ink not in product.inks and ink != "grey"]
    ink = others[(sum(map(ord, product.noun)) + design) % len(others)]
    label = replace(product, inks=(*product.inks, ink)).label(known)
    used = {product.label(other).layout for other in range(known)}
    free = [layout for layout in LAYOUTS if layout not in used]
    return replace(label, layout=free[(design - known) % len(free)])
