"""Makes scenes in 3D: draws casts, layouts and cameras until enough is hidden, but not too much.

A scene is a function of the store, the seed, the size and the settings. Masks are drawn first:
they cost a tenth of a picture, so most of what is rejected is rejected before it is painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.pantry.render.device import Camera
from askmask.pantry.scene import Scene
from askmask.pantry.world.annotate import annotate
from askmask.pantry.world.cast import Casting, Troupe, choose_things
from askmask.pantry.world.layout import Layout, put_on_shelf, put_on_table
from askmask.pantry.world.lighting import draw_lighting, expose
from askmask.pantry.world.pile import drop
from askmask.pantry.world.studio import Masks, Studio
from askmask.pantry.world.surroundings import build_surroundings
from askmask.pantry.world.viewpoint import draw_camera

__all__ = ["WorldSettings", "make_views"]

_LAYOUTS = {"table": put_on_table, "pile": drop, "shelf": put_on_shelf}

_ATTEMPTS = 60
"""Layouts that are tried before the settings are said to be too hard."""

_FULL_SIZE = 480 * 640
"""Picture area for which `WorldSettings.min_visible` is meant."""

_BLOCKED = 0.02
"""Share of a thing that table or shelf may hide: they are no objects that one could name."""


@dataclass(frozen=True)
class WorldSettings:
    """What scenes are like on average.

    Attributes:
        casting: who plays.
        layouts: layout -> share.
        textures: variants of surfaces that may be used.
        least: fewest things that are visible.
        hidden: a scene has at least this many things that are hidden by 5 to 80 %.
        max_occlusion: no visible thing is hidden by more than this share.
        min_visible: no visible thing has fewer visible pixels, counted at 480 x 640.
        cameras: cameras that are tried for each layout.
    """

    casting: Casting = field(default_factory=Casting)
    layouts: dict[str, float] = field(
        default_factory=lambda: {"table": 0.5, "pile": 0.25, "shelf": 0.25}
    )
    textures: tuple[int, ...] = tuple(range(20))
    least: int = 4
    hidden: int = 2
    max_occlusion: float = 0.9
    min_visible: int = 60
    cameras: int = 3


def make_views(
    studio: Studio,
    troupe: Troupe,
    seed: int,
    size_hw: tuple[int, int],
    settings: WorldSettings | None = None,
    *,
    views: int = 1,
    shown: Sequence[int] | None = None,
) -> tuple[Scene, ...]:
    """Make a scene and show it from one or more cameras.

    Args:
        studio: draws; for pictures of `size_hw`.
        troupe: who may play.
        seed: not negative.
        size_hw: height and width of the pictures in pixels.
        settings: what scenes are like; None for the defaults.
        views: number of cameras that must show the scene well. A thing has the same id in all.
        shown: which of the cameras to take pictures with, in this order; None for all. It
            changes nothing about the scene.

    Returns:
        One scene a shown camera.

    Raises:
        DataError: when the settings ask for more than the troupe can give.
        MissingExtraError: when mujoco is not installed.
    """
    settings = settings or WorldSettings()
    rng = np.random.default_rng(seed)
    for _ in range(_ATTEMPTS):
        drawn = _draw_layout(troupe, rng, settings)
        found = _draw_cameras(studio, troupe, drawn, size_hw, rng, settings, views)
        if found is None:
            continue
        layout, cameras = found
        surroundings = build_surroundings(layout, settings.textures, rng)
        lighting = draw_lighting(layout, rng)
        with studio.set_up(layout.placed, surroundings, lighting):
            fronts = [studio.front(camera) for camera, _ in cameras]
            alone = [masks for _, masks in cameras]
            if any(_blocked(front, masks) for front, masks in zip(fronts, alone, strict=True)):
                continue
            scenes = []
            for view in range(views) if shown is None else shown:
                camera, masks = cameras[view]
                image = expose(studio.picture(camera), lighting.brightness)
                image = _grainy(image, np.random.default_rng([seed, view]))
                seen = replace(masks, front=fronts[view])
                scenes.append(
                    annotate(image, layout.placed, seen, camera, layout=layout.kind, seed=seed)
                )
            return tuple(scenes)
    raise DataError(
        f"scene {seed}: none of {_ATTEMPTS} layouts of {len(troupe.members)} objects showed "
        f"{settings.least} of them and {settings.hidden} partly hidden; add objects or ask for less"
    )


def _draw_layout(troupe: Troupe, rng: np.random.Generator, settings: WorldSettings) -> Layout:
    names = list(settings.layouts)
    shares = np.array([settings.layouts[name] for name in names])
    kind = names[rng.choice(len(names), p=shares / shares.sum())]
    return _LAYOUTS[kind](choose_things(troupe, rng, settings.casting), rng)


def _draw_cameras(
    studio: Studio,
    troupe: Troupe,
    layout: Layout,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
    settings: WorldSettings,
    views: int,
) -> tuple[Layout, list[tuple[Camera, Masks]]] | None:
    """Find cameras that show a layout well, perhaps without some of its things; None for none."""
    cameras: list[tuple[Camera, Masks]] = []
    for _ in range(settings.cameras * views):
        if len(layout.placed) < settings.least:
            return None
        camera = draw_camera(layout, size_hw[1] / size_hw[0], rng)
        masks = studio.masks(layout.placed, camera)
        lost = _hardly_seen(masks, size_hw, settings)
        if lost and not cameras and layout.kind != "pile":
            # Nothing rests on these; on a pile, what lies above would hang in the air.
            layout = _without(layout, lost)
            if len(layout.placed) < settings.least:
                return None
            masks = studio.masks(layout.placed, camera)
            lost = _hardly_seen(masks, size_hw, settings)
        if not lost and _is_worth_it(masks, settings) and _has_star(masks, layout, troupe):
            cameras.append((camera, masks))
            if len(cameras) == views:
                return layout, cameras
    return None


def _hardly_seen(masks: Masks, size_hw: tuple[int, int], settings: WorldSettings) -> list[int]:
    """Indices of things of which something is visible, but too little."""
    overlaps = masks.overlaps
    visible, inside = overlaps.diagonal(), overlaps.sum(0)
    least = max(1.0, settings.min_visible * size_hw[0] * size_hw[1] / _FULL_SIZE)
    poor = (visible < least) | (visible < (1 - settings.max_occlusion) * inside)
    return [int(index) for index in np.flatnonzero(poor & (visible > 0))]


def _is_worth_it(masks: Masks, settings: WorldSettings) -> bool:
    overlaps = masks.overlaps
    visible, inside = overlaps.diagonal(), overlaps.sum(0)
    hidden = 1 - visible / np.maximum(inside, 1)
    partly = (hidden >= 0.05) & (hidden <= 0.8) & (visible > 0)
    return int((visible > 0).sum()) >= settings.least and int(partly.sum()) >= settings.hidden


def _has_star(masks: Masks, layout: Layout, troupe: Troupe) -> bool:
    """Whether one of the troupe's stars is visible, where it has any."""
    visible = masks.overlaps.diagonal() > 0
    seen = [item.asset for item, is_seen in zip(layout.placed, visible, strict=True) if is_seen]
    return not troupe.stars or any(asset in troupe.stars for asset in seen)


def _without(layout: Layout, lost: list[int]) -> Layout:
    kept = tuple(item for index, item in enumerate(layout.placed) if index not in lost)
    return replace(layout, placed=kept)


def _blocked(front: NDArray[np.uint8], alone: Masks) -> bool:
    """Whether the surroundings hide part of a thing."""
    count = len(alone.amodal) + 1
    before = np.bincount(alone.front.ravel(), minlength=count)[1:]
    after = np.bincount(front.ravel(), minlength=count)[1:]
    return bool((before - after > _BLOCKED * np.maximum(before, 1)).any())


def _grainy(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with the noise of a camera; (H, W, 3) uint8."""
    deviation = rng.uniform(0.5, 3.0)
    noise = rng.normal(0, deviation, image.shape[:2]).astype(np.float32)
    grainy: NDArray[np.uint8] = np.clip(image + noise[..., None] + 0.5, 0, 255).astype(np.uint8)
    return grainy
