"""Crops around objects with exact shapes: the endless stream that the completer learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.completer.config import CompleterConfig
from askmask.models.completer.window import window_around
from askmask.pantry.build import TRAINING_SEEDS
from askmask.training.completer_pictures import (
    Picture,
    areas,
    composed,
    made_strange,
    read_rendered,
)
from askmask.training.feed import fed, windowed, workers_for
from askmask.training.rough_masks import roughened

__all__ = ["CropBatch", "crop_batches"]

_WINDOW = 20
"""Batches of new scenes before the same scenes come again, made strange otherwise: composing takes
a core from the training, and most of what the completer should learn is in what is added."""

_LOOKS = 3
"""Times that each scene is used."""

_FIRST_SEED = TRAINING_SEEDS + (1 << 39)
"""First scene seed: far from those that the proposer and the selector learn from."""

_LEAST_VISIBLE = 24
"""Fewest visible pixels of an object in a scene of 320 x 240 that is learnt from."""

_MOST_HIDDEN = 0.93
_LITTLE_HIDDEN = 0.02
_WHOLE_SHARE = 0.3
"""How likely a whole object is chosen, beside 1 for a partly hidden one: it learns from both, or it
would complete what is complete."""

_REACHES = ((1.9, 3.1), (1.6, 6.0))
"""Narrowest and widest window, in longer sides of the modal mask's box: mostly as the first look,
sometimes as the second or anything else."""

_FIRST_LOOK = 0.65


class CropBatch(NamedTuple):
    """B crops.

    Attributes:
        image: (B, S, S, 3) uint8 RGB.
        modal: (B, S, S) uint8, share of each cell that the given mask covers, 255 for all.
        inside: (B, S, S) bool, where there is picture.
        amodal: (B, S, S) bool, the true complete shape.
    """

    image: Tensor
    modal: Tensor
    inside: Tensor
    amodal: Tensor


class _Crop(NamedTuple):
    """One row of a `CropBatch`."""

    image: NDArray[np.uint8]
    modal: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    amodal: NDArray[np.bool_]


def _made(
    numbers: range,
    *,
    scenes: int,
    crops: int,
    config: CompleterConfig,
    renders: Sequence[Path],
    render_share: float,
) -> Iterator[CropBatch]:
    rendered = read_rendered(renders)
    for batch, seeds, known in windowed(numbers, window=_WINDOW, looks=_LOOKS, scenes=scenes):
        rng = np.random.default_rng([17, batch])
        pictures = []
        for number in seeds:
            if rendered and rng.random() < render_share:
                pictures.append(rendered[rng.integers(len(rendered))].picture())
                continue
            if number not in known:
                known[number] = composed(_FIRST_SEED + number)
            pictures.append(known[number])
        yield _batch(pictures, crops, config, rng)


def _batch(
    pictures: Sequence[Picture], count: int, config: CompleterConfig, rng: np.random.Generator
) -> CropBatch:
    strange = [made_strange(picture, pictures, rng) for picture in pictures]
    chances = [_chances(picture) for picture in strange]
    crops: list[_Crop] = []
    while len(crops) < count:
        place = len(crops) % len(strange)
        index = int(rng.choice(len(chances[place]), p=chances[place]))
        crops.append(_crop(strange[place], index, config, rng))
    columns = [np.stack(column) for column in zip(*crops, strict=True)]
    return CropBatch(*(torch.from_numpy(column) for column in columns))


def _chances(picture: Picture) -> NDArray[np.float64]:
    """Chance of each object, (N,), to be learnt from; the largest has all if none is seen well."""
    visible, area = areas(picture.modal), areas(picture.amodal)
    hidden = 1 - visible / np.maximum(area, 1)
    weight = np.where(hidden > _LITTLE_HIDDEN, 1.0, _WHOLE_SHARE)
    weight[(visible < _LEAST_VISIBLE) | (hidden > _MOST_HIDDEN)] = 0
    if not weight.any():
        weight[visible.argmax()] = 1
    chances: NDArray[np.float64] = weight / weight.sum()
    return chances


def _crop(picture: Picture, index: int, config: CompleterConfig, rng: np.random.Generator) -> _Crop:
    """Cut a turned and shifted window around an object, and spoil colours and given mask."""
    modal, amodal = picture.modal[index], picture.amodal[index]
    reach = float(np.exp(rng.uniform(*np.log(_REACHES[0 if rng.random() < _FIRST_LOOK else 1]))))
    window = window_around(modal, reach=reach, least_side=config.least_side / 2, cells=config.cells)
    scale = config.cells / window.side
    centre = np.array([window.left, window.top]) + window.side / 2
    centre = centre + rng.normal(0, 0.03, 2) * window.side
    angle = np.deg2rad(rng.normal(0, 10) if rng.random() < 0.5 else 0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn = turn @ np.diag([-1.0, 1.0])
    # OpenCV's places are pixel centres, the window's are edges.
    shift = config.cells / 2 - turn @ centre - 0.5 + turn @ [0.5, 0.5]
    move = np.concatenate([turn, shift[:, None]], 1)

    def cut(array: NDArray[np.generic]) -> NDArray[np.float32]:
        warped: NDArray[np.float32] = cv2.warpAffine(
            array.astype(np.float32), move, (config.cells, config.cells), flags=cv2.INTER_LINEAR
        )
        return warped

    seen = cut(modal)
    given = roughened(seen > 0.5, rng)
    soft = cv2.GaussianBlur(given.astype(np.float32), (0, 0), 0.5) if rng.random() < 0.6 else given
    inside = cut(np.ones(modal.shape, bool)) > 0.5
    image = _seen_otherwise(cut(picture.image), rng)
    share = (soft * np.float32(255) * inside).astype(np.uint8)
    return _Crop(image, share, inside, (cut(amodal) > 0.5) & inside)


def _seen_otherwise(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, light, colour cast, grey, noise and JPEG; (S, S, 3) float in 0 to 255 -> uint8."""
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    image = 255 * np.power(image.clip(0, 255) / 255, np.float32(rng.uniform(0.6, 1.6)))
    image = (image - 128) * np.float32(rng.uniform(0.6, 1.3)) + 128 + np.float32(rng.normal(0, 12))
    image = image * rng.uniform(0.8, 1.2, 3).astype(np.float32)
    if rng.random() < 0.15:
        image = image[..., rng.permutation(3)]
    if rng.random() < 0.12:
        image = np.repeat(image.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(1, 10), image.shape).astype(np.float32)
    seen = image.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
        _, code = cv2.imencode(".jpg", np.ascontiguousarray(seen), quality)
        seen = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    result: NDArray[np.uint8] = np.ascontiguousarray(seen)
    return result


def crop_batches(
    numbers: range,
    *,
    scenes: int,
    crops: int,
    config: CompleterConfig,
    renders: Sequence[Path] = (),
    render_share: float = 0.0,
    workers: int | None = None,
) -> Iterator[CropBatch]:
    """Batches of these numbers, each the same whenever it is asked for.

    Args:
        numbers: of the batches.
        scenes: scenes that a batch is cut from.
        crops: crops a batch.
        config: sizes.
        renders: benchmark folders of rendered scenes that are mixed in.
        render_share: share of scenes from them.
        workers: processes that make them beside the training; None for what the cores allow.
    """
    make = partial(
        _made,
        scenes=scenes,
        crops=crops,
        config=config,
        renders=renders,
        render_share=render_share,
    )
    return fed(make, numbers, workers_for(_WINDOW) if workers is None else workers)
