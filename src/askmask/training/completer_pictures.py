"""Pictures with exact masks, made stranger: other paint and backdrops, more things that cover.

Masks stay exact. What the completer should carry over to photographs are outlines and what covers
what, not the objects and colours of our scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from askmask.images import read_image
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank
from askmask.rle import RLE, decode
from askmask.training.completer_shapes import random_paint, random_shape
from askmask.training.renders import learnable

__all__ = ["Picture", "Rendered", "areas", "composed", "made_strange", "read_rendered"]

_SCENE_HW = (240, 320)
_MOST_ADDED = 4
_WHOLE = 0.98
"""Least visible share of an object that is cut out and pasted elsewhere."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with N objects.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        modal: (N, H, W) bool.
        amodal: (N, H, W) bool, inside the picture.
    """

    image: NDArray[np.uint8]
    modal: NDArray[np.bool_]
    amodal: NDArray[np.bool_]


def areas(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixels of each of (N, H, W) masks; many times quicker than a sum over two axes."""
    return np.array([np.count_nonzero(mask) for mask in masks], np.int64)


def composed(seed: int) -> Picture:
    """Compose the scene of `seed`, 320 x 240 pixels."""
    scene = compose(SpriteBank.load(), seed, size_hw=_SCENE_HW)
    modal = np.stack([item.modal for item in scene.objects])
    return Picture(scene.image, modal, np.stack([item.amodal for item in scene.objects]))


@dataclass(frozen=True)
class Rendered:
    """A rendered picture on disk: read when it is used, as hundreds of them would fill memory.

    Attributes:
        path: the picture.
        objects: modal and amodal masks of its objects, one or more.
    """

    path: Path
    objects: tuple[tuple[RLE, RLE], ...]

    def picture(self) -> Picture:
        """Read it at 320 x 240."""
        size_wh = (_SCENE_HW[1], _SCENE_HW[0])
        image = cv2.resize(read_image(self.path), size_wh, interpolation=cv2.INTER_AREA)
        modal = np.stack([_shrunk(visible) for visible, _ in self.objects])
        amodal = np.stack([_shrunk(whole) for _, whole in self.objects])
        return Picture(image, modal & amodal, amodal)


def read_rendered(folders: Sequence[Path]) -> list[Rendered]:
    """List the pictures of benchmark folders of rendered scenes, without their test part."""
    found = []
    for folder in folders:
        for record, _ in learnable(folder):
            objects = tuple((one.modal, one.amodal) for one in record.entities if one.amodal)
            if objects:
                found.append(Rendered(folder / record.image, objects))
    return found


def _shrunk(code: RLE) -> NDArray[np.bool_]:
    size_wh = (_SCENE_HW[1], _SCENE_HW[0])
    mask = decode(code).astype(np.float32)
    small: NDArray[np.bool_] = cv2.resize(mask, size_wh, interpolation=cv2.INTER_AREA) > 0.5
    return small


def made_strange(picture: Picture, others: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Repaint objects and backdrop, and add random shapes and objects of other pictures.

    Args:
        picture: stays as it is.
        others: whose objects may be cut out; any size.
        rng: decides everything; two times in five nothing but additions happen.
    """
    image = picture.image.copy()
    if rng.random() < 0.4:
        for mask in picture.modal:
            if rng.random() < 0.5:
                _repaint(image, mask, rng)
    if rng.random() < 0.4:
        backdrop = np.logical_not(np.logical_or.reduce(picture.modal))
        _cover(image, random_paint(_size(image), rng), backdrop)
    changed = Picture(image, picture.modal, picture.amodal)
    for _ in range(int(rng.integers(_MOST_ADDED + 1))):
        changed = _with_one_more(changed, others, rng)
    return changed


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[0], image.shape[1]


def _repaint(image: NDArray[np.uint8], mask: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Change what a mask covers, in place: channels swapped, or a surface in the old light."""
    if rng.random() < 0.5:
        paint = image[..., rng.permutation(3)] * rng.uniform(0.5, 1.5, 3)
    else:
        light = image.mean(2, keepdims=True) / max(
            1.0, float(image[mask].mean()) if mask.any() else 1
        )
        paint = random_paint(_size(image), rng) * (0.4 + 0.6 * light)
    _cover(image, paint.clip(0, 255).astype(np.uint8), mask)


def _cover(image: NDArray[np.uint8], paint: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    """Lay paint over the masked part, in place, with edges as soft as a lens has them."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6)[..., None]
    image[:] = (image * (1 - soft) + paint * soft + 0.5).astype(np.uint8)


def _with_one_more(
    picture: Picture, others: Sequence[Picture], rng: np.random.Generator
) -> Picture:
    """Add a thing in front of all, near an object, or behind all."""
    size_hw = _size(picture.image)
    rows, columns = np.nonzero(picture.amodal[rng.integers(len(picture.amodal))])
    if not len(rows):
        return picture
    place = rng.integers(len(rows))
    centre = (columns[place] + rng.normal(0, 12), rows[place] + rng.normal(0, 12))
    if rng.random() < 0.5:
        radius = float(np.exp(rng.uniform(np.log(8), np.log(70))))
        shape, paint = random_shape(size_hw, centre, radius, rng), random_paint(size_hw, rng)
    else:
        shape, paint = _cut_out(others[int(rng.integers(len(others)))], size_hw, centre, rng)
    behind = rng.random() < 0.3
    seen = shape & ~picture.modal.any(0) if behind else shape
    if not seen.any():
        return picture
    image = picture.image.copy()
    _cover(image, paint, seen)
    modal = picture.modal if behind else picture.modal & ~shape
    return Picture(
        image, np.concatenate([modal, seen[None]]), np.concatenate([picture.amodal, shape[None]])
    )


def _cut_out(
    source: Picture,
    size_hw: tuple[int, int],
    centre_xy: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Mask and colours of an object that is seen whole, turned, scaled and moved to a place."""
    visible, area = areas(source.modal), areas(source.amodal)
    edge = source.amodal[:, [0, -1]].any((1, 2)) | source.amodal[:, :, [0, -1]].any((1, 2))
    whole = np.flatnonzero((visible >= _WHOLE * area) & (area > 0) & ~edge)
    if not len(whole):
        return np.zeros(size_hw, bool), np.zeros((*size_hw, 3), np.uint8)
    mask = source.modal[whole[rng.integers(len(whole))]]
    rows, columns = np.nonzero(mask)
    middle = (float(columns.mean()), float(rows.mean()))
    moved = cv2.getRotationMatrix2D(middle, rng.normal(0, 20), rng.uniform(0.5, 1.6))
    if rng.random() < 0.5:
        moved = moved @ np.array([[-1, 0, 2 * middle[0]], [0, 1, 0], [0, 0, 1]])
    moved[:, 2] += np.array(centre_xy) - middle
    size_wh = (size_hw[1], size_hw[0])
    soft = cv2.warpAffine(mask.astype(np.float32), moved, size_wh)
    paint = cv2.warpAffine(source.image, moved, size_wh, borderMode=cv2.BORDER_REPLICATE)
    return soft > 0.5, paint
