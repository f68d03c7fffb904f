"""Pictures with exact masks for the proposer: the endless compositor stream and rendered scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from askmask.images import read_image
from askmask.pantry.colours import COLOURS
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank
from askmask.rle import decode
from askmask.training.renders import learnable

__all__ = [
    "VALIDATION_SEEDS",
    "Sample",
    "augment",
    "categories",
    "read_renders",
    "scene_sample",
]

VALIDATION_SEEDS = 1 << 41
"""First scene seed of the validation during training."""

_SCENE_HW = (240, 320)


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture in the network's frame.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        modal: (N, H/4, W/4) bool.
        amodal: (N, H/4, W/4) bool.
        category: (N,) int64 index into `categories()`, or -1 where unknown.
        colours: (N, 11) float32 shares of the visible surface, or NaN where unknown.
        occlusion: (N,) float32 in [0, 1].
    """

    image: NDArray[np.uint8]
    modal: NDArray[np.bool_]
    amodal: NDArray[np.bool_]
    category: NDArray[np.int64]
    colours: NDArray[np.float32]
    occlusion: NDArray[np.float32]


@lru_cache(maxsize=1)
def categories() -> tuple[str, ...]:
    """Nouns of the sprite bank, sorted; the classes of the auxiliary category loss."""
    return tuple(sorted({look.category for look in SpriteBank.load().looks}))


def _shrink(masks: NDArray[np.bool_], hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Area-average (N, H, W) bool to (N, *hw) and cut at one half."""
    size_wh = (hw[1], hw[0])
    small = [
        cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA) > 0.5
        for mask in masks
    ]
    return np.stack(small) if small else np.zeros((0, *hw), bool)


def scene_sample(seed: int, input_hw: tuple[int, int]) -> Sample:
    """Compose the scene of `seed` and shrink it to `input_hw`."""
    scene = compose(SpriteBank.load(), seed, size_hw=_SCENE_HW)
    names = {name: index for index, name in enumerate(categories())}
    masks_hw = (input_hw[0] // 4, input_hw[1] // 4)
    return Sample(
        image=_resize(scene.image, input_hw),
        modal=_shrink(np.stack([item.modal for item in scene.objects]), masks_hw),
        amodal=_shrink(np.stack([item.amodal for item in scene.objects]), masks_hw),
        category=np.array([names[item.category] for item in scene.objects], np.int64),
        colours=np.array(
            [[item.colours.get(name, 0.0) for name in COLOURS] for item in scene.objects],
            np.float32,
        ),
        occlusion=np.array([item.occlusion_rate for item in scene.objects], np.float32),
    )


def _resize(image: NDArray[np.uint8], hw: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape[:2] == hw:
        return image
    resized: NDArray[np.uint8] = cv2.resize(image, (hw[1], hw[0]), interpolation=cv2.INTER_AREA)
    return resized


def read_renders(folders: Iterable[Path], input_hw: tuple[int, int]) -> Iterator[Sample]:
    """Read the rendered scenes of benchmark folders that may be learnt from."""
    names = {name: index for index, name in enumerate(categories())}
    masks_hw = (input_hw[0] // 4, input_hw[1] // 4)
    for folder in folders:
        for record, _ in learnable(folder):
            objects = record.entities
            if not objects:
                continue
            modal = np.stack([decode(item.modal) for item in objects])
            amodal = np.stack([decode(item.amodal or item.modal) for item in objects])
            yield Sample(
                image=_resize(read_image(folder / record.image), input_hw),
                modal=_shrink(modal, masks_hw),
                amodal=_shrink(amodal, masks_hw),
                category=np.array([names.get(item.category, -1) for item in objects], np.int64),
                colours=np.full((len(objects), len(COLOURS)), np.nan, np.float32),
                occlusion=np.array([item.occlusion_rate or 0.0 for item in objects], np.float32),
            )


def augment(sample: Sample, rng: np.random.Generator) -> Sample:
    """Blur, gamma, colour cast, noise, JPEG-like blocks; mirror now and then."""
    image = sample.image.astype(np.float32)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.0)).astype(np.float32)
    image = 255 * np.power(image / 255, rng.uniform(0.7, 1.4), dtype=np.float32)
    image *= rng.uniform(0.93, 1.07, 3).astype(np.float32)
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(1, 6), image.shape).astype(np.float32)
    augmented = image.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:  # mirrored print is rare in pictures, so less often than one half
        return replace(
            sample,
            image=np.ascontiguousarray(augmented[:, ::-1]),
            modal=np.ascontiguousarray(sample.modal[:, :, ::-1]),
            amodal=np.ascontiguousarray(sample.amodal[:, :, ::-1]),
        )
    return replace(sample, image=augmented)
