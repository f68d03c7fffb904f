"""What a step of the proposer's training learns from: pictures, centres, and masks to draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.pantry.build import TRAINING_SEEDS
from askmask.training.feed import fed, windowed, workers_for
from askmask.training.samples import Sample, augment, read_renders, scene_sample

__all__ = ["ProposerBatch", "proposer_batches"]

_WINDOW = 60
"""Batches of new scenes before the same scenes come again, augmented otherwise: composing takes a
core from the training, and a second look at a scene teaches nearly as much as a new one."""

_CENTRES = 12
"""Most cells that are centres of one object."""


class ProposerBatch(NamedTuple):
    """B pictures of H x W pixels with O objects in all; h and w are H/8 and W/8.

    Attributes:
        image: (B, H, W, 3) uint8 RGB.
        centre: (B, h, w) bool, cells that are the centre of an object.
        picture: (P,) long, picture of each centre whose masks are learnt.
        cells: (P, 2) long, row and column of that centre.
        masks: (P, 2, 2h, 2w) bool, modal and amodal mask to draw from there.
        visible: (O, 2h, 2w) bool, modal masks of all objects, picture by picture.
        category: (O,) long index into `samples.categories()`, or -1 where unknown.
        colours: (O, 11) float shares of the visible surface, or NaN where unknown.
        counts: objects of each picture.
    """

    image: Tensor
    centre: Tensor
    picture: Tensor
    cells: Tensor
    masks: Tensor
    visible: Tensor
    category: Tensor
    colours: Tensor
    counts: tuple[int, ...]


def proposer_batches(
    numbers: range,
    *,
    size: int,
    positives: int,
    input_hw: tuple[int, int],
    looks: int = 2,
    renders: Sequence[Path] = (),
    render_share: float = 0.0,
    workers: int | None = None,
) -> Iterator[ProposerBatch]:
    """Batches of these numbers.

    Args:
        numbers: of the batches.
        size: pictures in a batch.
        positives: most centres whose masks are learnt.
        input_hw: height and width of the pictures.
        looks: times that a composed scene comes.
        renders: benchmark folders of rendered scenes that are mixed in.
        render_share: share of pictures from them.
        workers: processes that make them; None for what the cores allow.
    """
    make = partial(
        _made,
        size=size,
        positives=positives,
        input_hw=input_hw,
        looks=looks,
        renders=renders,
        render_share=render_share,
    )
    return fed(make, numbers, workers_for(_WINDOW) if workers is None else workers)


def _made(
    numbers: range,
    *,
    size: int,
    positives: int,
    input_hw: tuple[int, int],
    looks: int,
    renders: Sequence[Path],
    render_share: float,
) -> Iterator[ProposerBatch]:
    rendered = list(read_renders(renders, input_hw))
    for number, scenes, known in windowed(numbers, window=_WINDOW, looks=looks, scenes=size):
        rng = np.random.default_rng([7, number])
        found: list[Sample] = []
        for scene in scenes:
            if rendered and rng.random() < render_share:
                sample = rendered[rng.integers(len(rendered))]
            else:
                if scene not in known:
                    known[scene] = scene_sample(TRAINING_SEEDS + scene, input_hw)
                sample = known[scene]
            found.append(augment(sample, rng))
        yield _batch(found, positives, rng)


def _batch(found: Sequence[Sample], positives: int, rng: np.random.Generator) -> ProposerBatch:
    masks_hw = found[0].modal.shape[1:]
    cells_hw = (masks_hw[0] // 2, masks_hw[1] // 2)
    owners = np.stack([_owners(sample.modal, cells_hw) for sample in found])
    chosen = np.argwhere(owners)
    if len(chosen) > positives:
        chosen = chosen[rng.permutation(len(chosen))[:positives]]
    masks = np.zeros((len(chosen), 2, *masks_hw), bool)
    for place, (picture, row, column) in enumerate(chosen):
        owner = owners[picture, row, column] - 1
        masks[place, 0] = found[picture].modal[owner]
        masks[place, 1] = found[picture].amodal[owner]
    return ProposerBatch(
        image=torch.from_numpy(np.stack([sample.image for sample in found])),
        centre=torch.from_numpy(owners > 0),
        picture=torch.from_numpy(chosen[:, 0]),
        cells=torch.from_numpy(chosen[:, 1:]),
        masks=torch.from_numpy(masks),
        visible=torch.from_numpy(np.concatenate([sample.modal for sample in found])),
        category=torch.from_numpy(np.concatenate([sample.category for sample in found])),
        colours=torch.from_numpy(np.concatenate([sample.colours for sample in found])),
        counts=tuple(len(sample.modal) for sample in found),
    )


def _owners(modal: NDArray[np.bool_], hw: tuple[int, int]) -> NDArray[np.int64]:
    """Assign cells to objects.

    Args:
        modal: (N, 2h, 2w) bool.
        hw: h and w of the cells.

    Returns:
        (h, w) int64, 1-based object that the cell is a centre of, else 0. The nearest visible
        pixels to an object's centroid decide, so that a centre always lies on the object; small
        objects come last and win shared cells.
    """
    owners = np.zeros(hw, np.int64)
    for index in np.argsort(-modal.reshape(len(modal), -1).sum(1)):
        rows, columns = np.nonzero(modal[index])
        if not len(rows):
            continue
        distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        near = np.argsort(distance)[: max(1, min(_CENTRES, len(rows) // 3))]
        owners[
            np.minimum(rows[near] // 2, hw[0] - 1), np.minimum(columns[near] // 2, hw[1] - 1)
        ] = index + 1
    return owners
