"""Packages: what a can, a jar or a carton is made of, with its label on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from askmask.pantry.render.labels import INKS, Label
from askmask.pantry.render.pen import Colour
from askmask.pantry.render.shapes import (
    Finish,
    Part,
    Profile,
    flat,
    join,
    lathe,
    moved,
    quad,
    smooth_profile,
    triangle,
)

__all__ = ["BODIES", "Body", "package"]

_TIN = flat((150, 153, 158), roughness=0.4, metallic=0.8)
_PRINT = 0.45
"""Roughness of printed paper and card."""


def _print(label: Label, circumference: float, height: float) -> Finish:
    return Finish(label.wrap(circumference, height), roughness=_PRINT)


def _sleeve(label: Label, radius: float, low: float, high: float, squash: float = 1.0) -> Part:
    """Label around an upright body, between two heights."""
    mesh = lathe([(radius, low), (radius, high)], squash)
    return Part(mesh, _print(label, np.pi * radius * (1 + squash), high - low))


def _can(label: Label, _content: Colour, radius: float, height: float) -> list[Part]:
    foot = [(0.0, 0.0), (radius * 0.97, 0.0), (radius, 0.004)]
    rim = height - 0.004
    lid = [
        *((radius, rim), (radius * 1.02, height - 0.002), (radius * 0.98, height)),
        *((radius * 0.93, height), (radius * 0.92, rim), (0.0, rim)),
    ]
    return [
        Part(lathe(foot), _TIN),
        _sleeve(label, radius, 0.004, rim),
        Part(lathe(lid), _TIN),
    ]


def _drink_can(label: Label, _content: Colour, radius: float, height: float) -> list[Part]:
    foot = [(0.0, 0.0), (radius * 0.72, 0.0), (radius, 0.01)]
    shoulder = height * 0.9
    lid = [
        *((radius, shoulder), (radius * 0.84, height - 0.003), (radius * 0.84, height)),
        *((radius * 0.78, height), (radius * 0.76, height - 0.004), (0.0, height - 0.004)),
    ]
    return [
        Part(lathe(foot), _TIN),
        _sleeve(label, radius, 0.01, shoulder),
        Part(lathe(lid), _TIN),
    ]


def _cap(label: Label, radius: float, low: float, high: float) -> Part:
    soft = min(radius * 0.15, (high - low) * 0.3)
    profile = [(radius, low), (radius, high - soft), (radius - soft, high), (0.0, high)]
    return Part(lathe(profile), flat(INKS[label.main], roughness=0.35))


def _jar(label: Label, content: Colour, radius: float, height: float) -> list[Part]:
    glass: Profile = [
        *((0.0, 0.0), (radius * 0.86, 0.001), (radius, height * 0.09), (radius, height * 0.7)),
        *(
            (radius * 0.94, height * 0.78),
            (radius * 0.8, height * 0.83),
            (radius * 0.8, height * 0.9),
        ),
    ]
    return [
        Part(lathe(smooth_profile(glass)), flat(content, roughness=0.18)),
        _sleeve(label, radius * 1.01, height * 0.13, height * 0.68),
        _cap(label, radius * 0.88, height * 0.83, height),
    ]


def _bottle(label: Label, content: Colour, radius: float, height: float) -> list[Part]:
    body: Profile = [
        *((0.0, 0.0), (radius * 0.88, 0.001), (radius, height * 0.05), (radius, height * 0.58)),
        *(
            (radius * 0.82, height * 0.7),
            (radius * 0.42, height * 0.84),
            (radius * 0.36, height * 0.93),
        ),
    ]
    return [
        Part(lathe(smooth_profile(body)), flat(content, roughness=0.2)),
        _sleeve(label, radius * 1.01, height * 0.12, height * 0.55),
        _cap(label, radius * 0.42, height * 0.91, height),
    ]


def _slim_bottle(label: Label, content: Colour, radius: float, height: float) -> list[Part]:
    body: Profile = [
        *((0.0, 0.0), (radius * 0.92, 0.001), (radius, height * 0.04), (radius, height * 0.52)),
        *(
            (radius * 0.8, height * 0.62),
            (radius * 0.42, height * 0.7),
            (radius * 0.36, height * 0.94),
        ),
    ]
    return [
        Part(lathe(smooth_profile(body)), flat(content, roughness=0.15)),
        _sleeve(label, radius * 1.01, height * 0.07, height * 0.5),
        _cap(label, radius * 0.42, height * 0.86, height),
    ]


def _squeeze_bottle(label: Label, content: Colour, radius: float, height: float) -> list[Part]:
    squash = 1.25
    body: Profile = [
        *((0.0, 0.0), (radius * 0.85, 0.001), (radius, height * 0.06), (radius, height * 0.64)),
        *(
            (radius * 0.8, height * 0.76),
            (radius * 0.5, height * 0.82),
            (radius * 0.46, height * 0.86),
        ),
    ]
    return [
        Part(lathe(smooth_profile(body), squash), flat(content, roughness=0.35)),
        _sleeve(label, radius * 1.012, height * 0.12, height * 0.66, squash),
        _cap(label, radius * 0.56, height * 0.84, height),
    ]


def _cup(label: Label, _content: Colour, radius: float, height: float) -> list[Part]:
    side = lathe([(radius * 0.78, 0.0), (radius, height)])
    lid = [
        *((radius * 1.05, height - 0.005), (radius * 1.06, height - 0.001)),
        *((radius * 1.04, height + 0.001), (0.0, height + 0.001)),
    ]
    return [
        Part(side, _print(label, 2 * np.pi * radius * 0.9, height)),
        Part(lathe([(0.0, 0.001), (radius * 0.78, 0.0)]), flat(INKS["white"])),
        Part(lathe(lid), flat(INKS[label.main], roughness=0.4)),
    ]


def _tube(label: Label, _content: Colour, radius: float, height: float) -> list[Part]:
    return [
        Part(lathe([(0.0, 0.0), (radius, 0.0), (radius, 0.004)]), _TIN),
        _sleeve(label, radius, 0.004, height * 0.94),
        _cap(label, radius * 1.05, height * 0.92, height),
    ]


def _walls(label: Label, depth: float, width: float, height: float) -> list[Part]:
    """Four printed sides of a box that stands on the ground; X is depth, Y is width."""
    x, y = depth / 2, width / 2
    front, side = label.panel(width, height), label.panel(depth, height)
    faces = [
        (quad((x, -y, 0), (0, width, 0), (0, 0, height)), front),
        (quad((x, y, 0), (-depth, 0, 0), (0, 0, height)), side),
        (quad((-x, y, 0), (0, -width, 0), (0, 0, height)), front),
        (quad((-x, -y, 0), (depth, 0, 0), (0, 0, height)), side),
    ]
    return [Part(mesh, Finish(texture, roughness=_PRINT)) for mesh, texture in faces]


def _box(label: Label, _content: Colour, depth: float, width: float, height: float) -> list[Part]:
    top = quad((depth / 2, -width / 2, height), (0, width, 0), (-depth, 0, 0))
    lid = Part(top, Finish(label.panel(width, depth), roughness=_PRINT))
    return [*_walls(label, depth, width, height), lid]


def _carton(
    label: Label, _content: Colour, depth: float, width: float, height: float
) -> list[Part]:
    x, y, shoulder = depth / 2, width / 2, height * 0.78
    ridge, fin = height * 0.93, height
    roof = [
        quad((x, -y, shoulder), (0, width, 0), (-x, 0, ridge - shoulder)),
        quad((-x, y, shoulder), (0, -width, 0), (x, 0, ridge - shoulder)),
        quad((0.002, -y, ridge), (0, width, 0), (0, 0, fin - ridge)),
        quad((-0.002, y, ridge), (0, -width, 0), (0, 0, fin - ridge)),
        triangle((x, y, shoulder), (-x, y, shoulder), (0, y * 0.96, ridge)),
        triangle((-x, -y, shoulder), (x, -y, shoulder), (0, -y * 0.96, ridge)),
    ]
    cap = lathe([(0.013, 0.0), (0.013, 0.014), (0.0, 0.014)])
    cap = moved(cap, (x * 0.5, 0, (shoulder + ridge) / 2))
    return [
        *_walls(label, depth, width, shoulder),
        Part(join(roof), flat(INKS[label.main], roughness=_PRINT)),
        Part(cap, flat(INKS[label.accent], roughness=0.35)),
    ]


Builder = Callable[..., list[Part]]


@dataclass(frozen=True)
class Body:
    """A kind of package.

    Attributes:
        build: makes the parts from a label, the content's colour and the measures.
        measures: radius and height, or depth, width and height; metres.
        shape: form label of the scene ("cylinder", "box", …).
        material: main material label.
    """

    build: Builder
    measures: tuple[float, ...]
    shape: str
    material: str


BODIES: dict[str, Body] = {
    "can": Body(_can, (0.0375, 0.108), "cylinder", "metal"),
    "wide can": Body(_can, (0.05, 0.135), "cylinder", "metal"),
    "short can": Body(_can, (0.0425, 0.075), "cylinder", "metal"),
    "tin": Body(_can, (0.044, 0.042), "cylinder", "metal"),
    "drink can": Body(_drink_can, (0.033, 0.118), "cylinder", "metal"),
    "slim can": Body(_drink_can, (0.028, 0.135), "cylinder", "metal"),
    "jar": Body(_jar, (0.038, 0.115), "cylinder", "glass"),
    "squat jar": Body(_jar, (0.044, 0.1), "cylinder", "glass"),
    "tall jar": Body(_jar, (0.036, 0.14), "cylinder", "glass"),
    "bottle": Body(_bottle, (0.042, 0.25), "bottle-like", "plastic"),
    "small bottle": Body(_bottle, (0.032, 0.175), "bottle-like", "glass"),
    "slim bottle": Body(_slim_bottle, (0.037, 0.275), "bottle-like", "glass"),
    "short slim bottle": Body(_slim_bottle, (0.031, 0.22), "bottle-like", "glass"),
    "squeeze bottle": Body(_squeeze_bottle, (0.034, 0.19), "bottle-like", "plastic"),
    "large squeeze bottle": Body(_squeeze_bottle, (0.046, 0.26), "bottle-like", "plastic"),
    "cup": Body(_cup, (0.038, 0.072), "cylinder", "plastic"),
    "tub": Body(_cup, (0.056, 0.105), "cylinder", "plastic"),
    "bucket": Body(_cup, (0.064, 0.15), "cylinder", "cardboard"),
    "tube": Body(_tube, (0.037, 0.2), "cylinder", "cardboard"),
    "short tube": Body(_tube, (0.041, 0.145), "cylinder", "cardboard"),
    "carton": Body(_carton, (0.072, 0.082, 0.22), "box", "cardboard"),
    "tall box": Body(_box, (0.062, 0.178, 0.26), "box", "cardboard"),
    "slim box": Body(_box, (0.045, 0.135, 0.19), "box", "cardboard"),
    "small box": Body(_box, (0.065, 0.125, 0.085), "box", "cardboard"),
    "matchbox": Body(_box, (0.05, 0.11, 0.06), "box", "cardboard"),
    "flat box": Body(_box, (0.11, 0.19, 0.055), "box", "cardboard"),
    "brick": Body(_box, (0.065, 0.125, 0.045), "box", "paper"),
    "bar": Body(_box, (0.085, 0.165, 0.022), "box", "paper"),
    "pizza box": Body(_box, (0.27, 0.27, 0.04), "box", "cardboard"),
}


def package(body: Body, label: Label, content: Colour, rng: np.random.Generator) -> list[Part]:
    """Parts of one package; its proportions vary by a few per cent with `rng`."""
    measures = [value * rng.uniform(0.95, 1.06) for value in body.measures]
    return body.build(label, content, *measures)
