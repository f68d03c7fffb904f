"""The compositor: sprites on a painted stage, far to near, with exact modal and amodal masks.

A scene is a function of bank, seed, size and settings alone. Nothing is painted that is not
annotated: an object that would hardly be seen is put elsewhere, and left out when no place helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError, MissingExtraError
from askmask.pantry.backdrop import Light, gain_table, paint_backdrop
from askmask.pantry.cast import ComposeSettings, choose_cast
from askmask.pantry.scene import Scene, SceneObject
from askmask.pantry.staging import Actor, Board, Placement, Stage, set_stage

if TYPE_CHECKING:
    from askmask.pantry.sprites import Look, SpriteBank

__all__ = ["ComposeSettings", "compose"]

_ATTEMPTS = 40
"""Stages that are tried before a bank is said to be unable to fill a scene."""

_ROUNDS = 6
"""Times that badly hidden objects are put elsewhere before they are left out."""

_GRAIN_SPARE = 128
"""Pixels by which the sheet of noise may be shifted over the picture."""

_FULL_SIZE = 480 * 640
"""Picture area for which `ComposeSettings.min_visible` is meant."""


@dataclass(frozen=True, eq=False)
class _Cutout:
    """A placement in pixels.

    Attributes:
        placement: what stands where.
        colour: (h, w, 3) uint8 RGB multiplied by alpha, the part inside the picture.
        alpha: (h, w) uint8, the same part.
        mask: (h, w) bool, alpha above one half.
        left: column of its first pixel in the picture.
        top: row of its first pixel in the picture.
        area_full: pixels of the mask, also outside the picture.
    """

    placement: Placement
    colour: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    left: int
    top: int
    area_full: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns that it covers."""
        rows, columns = self.mask.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


def compose(
    bank: SpriteBank,
    seed: int,
    size_hw: tuple[int, int] = (480, 640),
    settings: ComposeSettings | None = None,
) -> Scene:
    """Compose one scene of objects on a table or a shelf.

    Args:
        bank: where the sprites come from.
        seed: not negative; the same seed gives the same bytes.
        size_hw: height and width of the picture in pixels.
        settings: what scenes look like on average; None for the defaults.

    Returns:
        The scene, with `settings.objects` objects, each of them partly visible.

    Raises:
        DataError: when the bank's looks cannot fill a scene of that many objects.
        MissingExtraError: when OpenCV is not installed.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("opencv-python-headless", "scenes", "composing") from error
    settings = settings or ComposeSettings()
    rng = np.random.default_rng(seed)
    for _ in range(_ATTEMPTS):
        cast = choose_cast(bank, rng, settings)
        elevations = sorted({view.elevation for look in cast for view in look.views})
        stage, elevation = set_stage(cast, elevations, size_hw, rng, settings)
        cutouts = _populate(bank, cast, elevation, stage, rng, settings)
        if len(cutouts) >= settings.objects[0]:
            image = _paint(stage, cutouts, rng)
            objects, occlusion = _annotate(cutouts, size_hw)
            return Scene(image, objects, occlusion, stage.layout, seed)
    raise DataError(
        f"compose: expected a bank that fills scenes of {settings.objects[0]} objects, but "
        f"{_ATTEMPTS} tries with its {len(bank.looks)} looks failed (seed {seed}); "
        "add looks of like size or ask for fewer objects"
    )


def _populate(
    bank: SpriteBank,
    cast: Sequence[Look],
    elevation: float,
    stage: Stage,
    rng: np.random.Generator,
    settings: ComposeSettings,
) -> list[_Cutout]:
    """Place the cast and mend bad places; the survivors, far to near."""
    cutouts: list[_Cutout] = []
    for look in cast:
        views = [i for i, view in enumerate(look.views) if view.elevation == elevation]
        if views:
            actor = Actor.of(bank, look, views[rng.integers(len(views))])
            for board in _emptiest_first(stage, cutouts, rng):
                if _add(cutouts, actor, board, stage, rng, settings):
                    break
    for _ in range(_ROUNDS):
        unseen = _unseen(cutouts, stage.size_hw, settings)
        if not unseen:
            return cutouts
        for cutout in unseen:
            cutouts.remove(cutout)
            board = next(b for b in stage.boards if b.y == cutout.placement.y)
            _add(cutouts, cutout.placement.actor, board, stage, rng, settings)
    while unseen := _unseen(cutouts, stage.size_hw, settings):
        cutouts.remove(unseen[0])
    return cutouts


def _emptiest_first(
    stage: Stage, cutouts: Sequence[_Cutout], rng: np.random.Generator
) -> list[Board]:
    """Boards by the number of things on them, in drawn order where that is the same."""
    levels = [cutout.placement.y for cutout in cutouts]
    drawn = [stage.boards[index] for index in rng.permutation(len(stage.boards))]
    return sorted(drawn, key=lambda board: levels.count(board.y))


def _add(
    cutouts: list[_Cutout],
    actor: Actor,
    board: Board,
    stage: Stage,
    rng: np.random.Generator,
    settings: ComposeSettings,
) -> bool:
    """Insert an actor's cutout in painting order; False when its board has no room."""
    placed = [cutout.placement for cutout in cutouts]
    placement = stage.find_place(actor, board, placed, rng, settings)
    if placement is None:
        return False
    cutouts.append(_cut(placement, stage))
    cutouts.sort(key=lambda cutout: -cutout.placement.z)
    return True


def _cut(placement: Placement, stage: Stage) -> _Cutout:
    """Scale a sprite to its place and crop it to the picture."""
    import cv2

    left, top, columns, rows = placement.box(stage.camera)
    pixels = placement.actor.pixels
    # Colours are weighted by alpha, or transparent pixels would bleed into the edge.
    weight = cv2.cvtColor(pixels[..., 3], cv2.COLOR_GRAY2RGBA)
    weight[..., 3] = 255
    weighted = cv2.multiply(pixels, weight, scale=1 / 255)
    how = cv2.INTER_AREA if rows < pixels.shape[0] else cv2.INTER_LINEAR
    scaled = cv2.resize(weighted, (columns, rows), interpolation=how)
    mask = scaled[..., 3] > 127
    height, width = stage.size_hw
    inside = (
        slice(max(-top, 0), max(min(rows, height - top), 0)),
        slice(max(-left, 0), max(min(columns, width - left), 0)),
    )
    return _Cutout(
        placement,
        scaled[(*inside, slice(3))],
        scaled[(*inside, 3)],
        mask[inside],
        max(left, 0),
        max(top, 0),
        int(mask.sum()),
    )


def _front_most(cutouts: Sequence[_Cutout], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8: 1 + index of the nearest cutout at each pixel, 0 for none."""
    front = np.zeros(size_hw, np.uint8)
    for number, cutout in enumerate(cutouts, 1):
        front[cutout.window][cutout.mask] = number
    return front


def _overlaps(cutouts: Sequence[_Cutout], size_hw: tuple[int, int]) -> NDArray[np.int64]:
    """(N, N) int64: pixels of b's silhouette at which a is nearest; the diagonal is visible."""
    front = _front_most(cutouts, size_hw)
    count = len(cutouts)
    columns = [
        np.bincount(front[cutout.window][cutout.mask], minlength=count + 1)[1:]
        for cutout in cutouts
    ]
    return np.array(columns, np.int64).reshape(count, count).T


def _unseen(
    cutouts: Sequence[_Cutout], size_hw: tuple[int, int], settings: ComposeSettings
) -> list[_Cutout]:
    """Cutouts of which too little is visible, in painting order."""
    overlaps = _overlaps(cutouts, size_hw)
    least = max(1.0, settings.min_visible * size_hw[0] * size_hw[1] / _FULL_SIZE)
    visible, silhouette = overlaps.diagonal(), overlaps.sum(0)
    hidden = visible < (1 - settings.max_occlusion) * silhouette
    too_little = hidden | (visible < least)
    return [cutout for cutout, bad in zip(cutouts, too_little, strict=True) if bad]


def _paint(stage: Stage, cutouts: Sequence[_Cutout], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: backdrop, shadows, objects far to near, and the lens."""
    light = Light(stage, [cutout.placement for cutout in cutouts], rng)
    canvas = light.fall_on(paint_backdrop(stage, rng))
    for cutout in cutouts:
        placement = cutout.placement
        foot = stage.camera.project(placement.x, placement.y, placement.z)
        _lay_over(canvas, cutout, light.tint * (light.at(*foot) * rng.uniform(0.93, 1.1)))
    return _expose(canvas, rng)


def _lay_over(canvas: NDArray[np.uint8], cutout: _Cutout, gain: NDArray[np.float32]) -> None:
    """Blend a cutout, its channels multiplied by `gain` (3,), into the canvas, in place."""
    import cv2

    if not cutout.mask.size:
        return
    rest = cv2.cvtColor(255 - cutout.alpha, cv2.COLOR_GRAY2RGB)
    under = cv2.multiply(canvas[cutout.window], rest, scale=1 / 255)
    canvas[cutout.window] = cv2.add(under, cv2.LUT(cutout.colour, gain_table(gain)))


@lru_cache(maxsize=4)
def _grain(size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """Noise of mean 128 and deviation 32, larger than the picture by `_GRAIN_SPARE`."""
    shape = (size_hw[0] + _GRAIN_SPARE, size_hw[1] + _GRAIN_SPARE)
    grey = np.random.default_rng(0).normal(128.5, 32, shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2)


def _expose(canvas: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise, sometimes a soft focus, and a tone curve; (H, W, 3) uint8 -> uint8."""
    import cv2

    height, width = canvas.shape[:2]
    top, left = rng.integers(0, _GRAIN_SPARE, 2)
    grain = _grain((height, width))[top : top + height, left : left + width]
    share = rng.uniform(0.5, 4) / 32
    picture = cv2.addWeighted(canvas, 1, grain, share, -128 * share)
    if rng.random() < 0.3:
        sigma = rng.uniform(0.3, 0.8) * width / 640
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    tone = (np.arange(256) / 255) ** rng.uniform(0.85, 1.2) * 255 + 0.5
    result: NDArray[np.uint8] = cv2.LUT(picture, tone.astype(np.uint8))
    return result


def _annotate(
    cutouts: Sequence[_Cutout], size_hw: tuple[int, int]
) -> tuple[tuple[SceneObject, ...], NDArray[np.int64]]:
    """Objects with their masks, and the occlusion matrix of a `Scene`."""
    front = _front_most(cutouts, size_hw)
    occlusion = _overlaps(cutouts, size_hw)
    np.fill_diagonal(occlusion, 0)
    objects = []
    for number, cutout in enumerate(cutouts, 1):
        amodal = np.zeros(size_hw, bool)
        amodal[cutout.window] = cutout.mask
        placement, look = cutout.placement, cutout.placement.actor.look
        size = placement.actor.size_m
        objects.append(
            SceneObject(
                id=number,
                category=look.category,
                look=look.look,
                container=look.container,
                shape=look.shape,
                material=look.material,
                colours=dict(placement.actor.view.colours),
                size_m=size,
                centre_m=(placement.x, placement.y + size[2] / 2, placement.z),
                modal=front == number,
                amodal=amodal,
                amodal_area_full=cutout.area_full,
            )
        )
    return tuple(objects), occlusion
