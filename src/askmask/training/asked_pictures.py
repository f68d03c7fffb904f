"""What a system learns from: composed pictures with generated sentences, in endless batches.

A batch depends on its number only, so that a resume goes on and every system sees the same pictures
and sentences in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.embedded.mask_type import TYPES
from askmask.models.embedded.text_net import TextTower
from askmask.models.system import Asked, Pictures, Truth
from askmask.models.system_segmenter import proposer_pool, reference_spots
from askmask.models.trunk import TrunkSize, word_states
from askmask.pantry.build import TRAINING_SEEDS
from askmask.pantry.compose import compose
from askmask.pantry.language import banks
from askmask.pantry.language.queries import build_queries
from askmask.pantry.sprites import SpriteBank
from askmask.training.feed import windowed
from askmask.training.words import pad_ids, tokenizer
from askmask.types import MaskType

__all__ = [
    "SEEDS",
    "AskedPicture",
    "Lesson",
    "Question",
    "StreamSettings",
    "asked_picture",
    "collate",
    "lessons",
]

SEEDS = range(256)
"""Seeds of streams: each has a range of scenes of its own, apart from those of other trainings."""

_SEED_SCENES = 1 << 30
"""Scenes of a seed; 63 of 64 stand by for those of which nothing can be asked."""

_SCENE_HW = (240, 320)

_LEAST_HIDDEN = 3
"""Fewest hidden cells of a target of which the hidden part may be forced."""


class Question(NamedTuple):
    """A sentence about a picture of N objects.

    Attributes:
        text: the sentence.
        references: objects that [1], [2], … point at.
        targets: objects that answer it; empty when nothing fits.
        mask_type: index into `TYPES`.
    """

    text: str
    references: tuple[int, ...]
    targets: tuple[int, ...]
    mask_type: int


@dataclass(frozen=True, eq=False)
class AskedPicture:
    """One training sample, in the network's frame.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        modal: (N, h, w) bool at 1/4, visible parts of all objects.
        amodal: (N, h, w) bool, their complete shapes.
        pool: (C, 2, h, w) bool, candidates from outside; C may be 0.
        questions: the sentences.
    """

    image: NDArray[np.uint8]
    modal: NDArray[np.bool_]
    amodal: NDArray[np.bool_]
    pool: NDArray[np.bool_]
    questions: tuple[Question, ...]

    def masks(self, mask_type: int, objects: Sequence[int]) -> NDArray[np.bool_]:
        """Masks (n, h, w) of some objects in a mask type."""
        modal, amodal = self.modal[list(objects)], self.amodal[list(objects)]
        return (modal, amodal, amodal & ~modal)[mask_type]


@dataclass(frozen=True)
class StreamSettings:
    """What is asked about which pictures.

    Attributes:
        size: the system's frame.
        types: mask types that are asked for, as values of `MaskType`.
        pictures: in a batch.
        sentences: about each picture.
        pool: model whose proposer gives candidates, or None.
        window: batches of new pictures before the same come again, otherwise coloured: composing
            costs more than a second look is worse.
        forced_share: of sentences whose mask type is forced.
        seed: one of `SEEDS`; another one gives other pictures.
    """

    size: TrunkSize
    types: tuple[str, ...]
    pictures: int
    sentences: int
    pool: str | None = None
    window: int = 50
    forced_share: float = 0.15
    seed: int = 0


class Lesson(NamedTuple):
    """A batch as it travels between processes: P pictures, S sentences; see `models.system`.

    Attributes:
        images: (P, H, W, 3) uint8.
        pool: (P, C, 2, h, w) bool.
        pooled: (P, C) bool.
        picture: (S,) long.
        ids: (S, T) long, word pieces.
        valid: (S, T) bool.
        references: (S, R, h, w) bool.
        spots: (S, R) long.
        forced: (S,) long.
        masks: (S, N, h, w) bool.
        modal: (S, N, h, w) bool.
        counted: (S, N) bool.
        types: (S,) long.
    """

    images: Tensor
    pool: Tensor
    pooled: Tensor
    picture: Tensor
    ids: Tensor
    valid: Tensor
    references: Tensor
    spots: Tensor
    forced: Tensor
    masks: Tensor
    modal: Tensor
    counted: Tensor
    types: Tensor

    def to(self, device: torch.device) -> Lesson:
        """The same on another device."""
        return Lesson(*(tensor.to(device, non_blocking=True) for tensor in self))

    def read(self, tower: TextTower) -> tuple[Pictures, Asked, Truth]:
        """Normalise the pictures and let the frozen tower read the sentences."""
        images = (self.images.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.25  # as `normalise`
        words = word_states(tower, self.ids, self.valid)
        return (
            Pictures(images, self.pool, self.pooled),
            Asked(self.picture, words, self.valid, self.references, self.spots, self.forced),
            Truth(self.masks, self.modal, self.counted, self.types),
        )


def asked_picture(seed: int, settings: StreamSettings, pool: banks.Pool) -> AskedPicture:
    """Compose the scene of `seed` and ask about it in a pool of wordings, "train" or "test"."""
    scene = compose(SpriteBank.load(), seed, size_hw=_SCENE_HW)
    kinds = tuple(MaskType(name) for name in settings.types)
    # Where some mask types are left out, as many sentences are left.
    wanted = settings.sentences * (1 if len(kinds) == len(TYPES) else 3)
    generated = build_queries(scene, np.random.default_rng(seed), pool, wanted)
    questions = [
        Question(query.text, query.references, query.targets, TYPES.index(query.mask_type))
        for query in generated
        if query.mask_type in kinds
    ]
    size = settings.size
    found = np.zeros((0, 2, *size.masks_hw), bool)
    if settings.pool is not None:
        found = _pool(settings.pool)(scene.image, size)
    return AskedPicture(
        image=_shrunk(scene.image, size.input_hw),
        modal=_shrunk_masks([item.modal for item in scene.objects], size.masks_hw),
        amodal=_shrunk_masks([item.amodal for item in scene.objects], size.masks_hw),
        pool=found,
        questions=tuple(questions[: settings.sentences]),
    )


_pool = cache(proposer_pool)


def _shrunk(image: NDArray[np.uint8], hw: tuple[int, int]) -> NDArray[np.uint8]:
    resized: NDArray[np.uint8] = cv2.resize(image, (hw[1], hw[0]), interpolation=cv2.INTER_AREA)
    return resized


def _shrunk_masks(masks: Sequence[NDArray[np.bool_]], hw: tuple[int, int]) -> NDArray[np.bool_]:
    """(N, h, w) bool: cells of which more than half is covered."""
    shares = [
        cv2.resize(mask.astype(np.float32), (hw[1], hw[0]), interpolation=cv2.INTER_AREA)
        for mask in masks
    ]
    return np.array(shares).reshape(-1, *hw) > 0.5


def collate(
    pictures: Sequence[AskedPicture],
    settings: StreamSettings,
    rng: np.random.Generator | None = None,
) -> Lesson:
    """Put pictures with their sentences into one batch.

    Args:
        pictures: at least one of them with a sentence.
        settings: sizes, and the mask types that may be forced.
        rng: for colours and forced mask types; without, everything is as it is.
    """
    size = settings.size
    hw = size.masks_hw
    rows = [(place, one) for place, each in enumerate(pictures) for one in each.questions]
    encoded = [tokenizer(size.max_words).encode(question.text) for _, question in rows]
    ids, valid = pad_ids([one.ids for one in encoded])
    most_targets = max(1, *(len(question.targets) for _, question in rows))
    most_references = min(
        size.max_references, max(len(question.references) for _, question in rows)
    )
    candidates = max(int(settings.pool is not None), *(len(each.pool) for each in pictures))
    pool = np.zeros((len(pictures), candidates, 2, *hw), bool)
    pooled = np.zeros((len(pictures), candidates), bool)
    for place, each in enumerate(pictures):
        pool[place, : len(each.pool)] = each.pool
        pooled[place, : len(each.pool)] = True
    references = np.zeros((len(rows), most_references, *hw), bool)
    spots = np.full((len(rows), most_references), -1)
    masks = np.zeros((len(rows), most_targets, *hw), bool)
    modal, counted = masks.copy(), np.zeros((len(rows), most_targets), bool)
    forced, types = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for row, ((place, question), encoding) in enumerate(zip(rows, encoded, strict=True)):
        each = pictures[place]
        types[row] = question.mask_type
        if rng is not None and rng.random() < settings.forced_share:
            types[row] = _forced_type(each, question, settings, rng)
            forced[row] = 1 + types[row]
        given = question.references[:most_references]
        references[row, : len(given)] = each.modal[list(given)]
        spots[row, : len(given)] = reference_spots(encoding, question.text, len(given))
        count = len(question.targets)
        masks[row, :count] = each.masks(int(types[row]), question.targets)
        modal[row, :count] = each.masks(0, question.targets)
        counted[row, :count] = True
    images = np.stack(
        [each.image if rng is None else _recoloured(each.image, rng) for each in pictures]
    )
    places = np.array([place for place, _ in rows], np.int64)
    seen = [torch.from_numpy(array) for array in (images, pool, pooled, places)]
    told = (references, spots, forced, masks, modal, counted, types)
    return Lesson._make([*seen, ids, valid, *(torch.from_numpy(array) for array in told)])


def _forced_type(
    picture: AskedPicture,
    question: Question,
    settings: StreamSettings,
    rng: np.random.Generator,
) -> int:
    """Index of a mask type to force; hidden only where each target has a hidden part."""
    kinds = [TYPES.index(MaskType(name)) for name in settings.types]
    hidden = picture.masks(2, question.targets).sum((1, 2))
    if not len(hidden) or hidden.min() < _LEAST_HIDDEN:
        kinds = [kind for kind in kinds if kind != 2] or kinds
    return int(kinds[int(rng.integers(len(kinds)))])


def _recoloured(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gamma, colour cast and noise; never mirrored, as sentences speak of left and right."""
    changed = 255 * np.power(image / np.float32(255), np.float32(rng.uniform(0.7, 1.4)))
    changed = changed * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    if rng.random() < 0.3:
        changed = changed + rng.normal(0, rng.uniform(1, 6), image.shape).astype(np.float32)
    return changed.clip(0, 255).astype(np.uint8)


def lessons(settings: StreamSettings, numbers: range) -> Iterator[Lesson]:
    """Batches of these numbers, one for each, with the wordings to learn from."""
    for number, places, composed in windowed(
        numbers, window=settings.window, looks=2, scenes=settings.pictures
    ):
        for place in places:
            if place not in composed:
                composed[place] = _learnt(place, settings)
        chosen = [composed[place] for place in places]
        yield collate(chosen, settings, np.random.default_rng([19, settings.seed, number]))


def _learnt(place: int, settings: StreamSettings) -> AskedPicture:
    """Picture of a place in the stream, with at least one sentence.

    A scene of which nothing can be asked gives way to another one, which depends on the place alone
    too: no batch is ever left out, or those after it would have other numbers.
    """
    first = TRAINING_SEEDS + settings.seed * _SEED_SCENES + place
    for seed in range(first, first + _SEED_SCENES, _SEED_SCENES // 64):
        picture = asked_picture(seed, settings, "train")
        if picture.questions:
            return picture
    raise AssertionError(f"64 scenes in a row of which nothing can be asked, from seed {first}")
