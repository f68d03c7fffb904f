"""Toy pictures and sentences for the seven systems: coloured rectangles, words as fixed vectors."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from askmask.models.system import Asked, Pictures, System, Truth
from askmask.models.trunk import SIZES

SIZE = SIZES["tiny"]()
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 60, 220), "white": (235,) * 3}
VOCABULARY = ("[PAD]", "the", "complete", "all", "like", *COLOURS)
STATES = 1152
Batch = TypeVar("Batch", Asked, Truth)


@cache
def _vectors() -> Tensor:
    return torch.randn(len(VOCABULARY), STATES, generator=torch.Generator().manual_seed(1))


def words(sentences: list[str]) -> tuple[Tensor, Tensor]:
    """States (S, T, 1152) and validity (S, T) of sentences of the vocabulary."""
    split = [sentence.split() for sentence in sentences]
    longest = max(map(len, split))
    ids = torch.tensor(
        [
            [VOCABULARY.index(word) for word in one + ["[PAD]"] * (longest - len(one))]
            for one in split
        ]
    )
    return _vectors()[ids], ids > 0


def _picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Image (H, W, 3), modal and amodal (3, h, w), and the colours of three rectangles."""
    height, width = SIZE.masks_hw
    colours = [str(name) for name in rng.permutation(list(COLOURS))[:3]]
    amodal = np.zeros((3, height, width), bool)
    top = int(rng.integers(1, 4))
    for index, left in enumerate(rng.permutation([0, 4, 9])):  # neighbours overlap by a column
        amodal[index, top : top + 6, left : left + 6] = True
        top = int(rng.integers(1, 5))
    modal = amodal.copy()
    image = np.full((height, width, 3), 120, np.uint8)
    for index, colour in enumerate(colours):
        image[amodal[index]] = COLOURS[colour]
        modal[:index] &= ~amodal[index]
    return image.repeat(4, 0).repeat(4, 1), modal, amodal, colours


def lesson(pictures: int = 8, *, seed: int = 0) -> tuple[Pictures, Asked, Truth, list[str]]:
    """Four sentences about each picture: a thing, a complete thing, what is absent, like [1].

    The pool of each picture holds its three true masks and a wrong one, in an order of its own.
    """
    rng = np.random.default_rng(seed)
    hw = SIZE.masks_hw
    images, pools, sentences, rows = [], [], [], []
    for place in range(pictures):
        image, modal, amodal, colours = _picture(rng)
        images.append((image / 255 - 0.45) / 0.25)
        wrong = np.zeros((1, 2, *hw), bool)
        wrong[:, :, -3:, 4:12] = True
        pool = np.concatenate([np.stack([modal, amodal], 1), wrong])
        pools.append(pool[rng.permutation(4)])
        absent = next(name for name in COLOURS if name not in colours)
        one, other, third = rng.permutation(3)
        nothing = np.zeros(hw, bool)
        sentences += [
            f"the {colours[one]}",
            f"the complete {colours[other]}",
            f"the {absent}",
            "all like",
        ]
        rows += [
            (place, 0, modal[one], modal[one], True, nothing),
            (place, 1, amodal[other], modal[other], True, nothing),
            (place, 0, nothing, nothing, False, nothing),
            (place, 0, modal[third], modal[third], True, modal[third]),
        ]
    states, valid = words(sentences)
    where, types, masks, seen, counted, references = zip(*rows, strict=True)
    referred = torch.from_numpy(np.stack(references))[:, None]
    spots = torch.where(referred.any(3).any(2), 1, -1)
    return (
        Pictures(
            torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float(),
            torch.from_numpy(np.stack(pools)),
            torch.ones(pictures, 4, dtype=torch.bool),
        ),
        Asked(
            torch.tensor(where),
            states,
            valid,
            referred,
            spots,
            torch.zeros(len(rows), dtype=torch.long),
        ),
        Truth(
            torch.from_numpy(np.stack(masks))[:, None],
            torch.from_numpy(np.stack(seen))[:, None],
            torch.tensor(counted)[:, None],
            torch.tensor(types),
        ),
        sentences,
    )


def learn(
    system: System, pictures: Pictures, asked: Asked, truth: Truth, steps: int, rate: float = 4e-3
) -> dict[str, float]:
    """Train on one batch and return the last losses; the system is left in evaluation mode."""
    optimiser = torch.optim.AdamW(system.parameters(), lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    system.train()
    parts: dict[str, Tensor] = {}
    for _ in range(steps):
        parts = system.loss(system.see(pictures), asked, truth)
        optimiser.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(system.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    _settle(system, pictures, asked, truth)
    return {name: float(part.detach()) for name, part in parts.items()}


def _settle(system: System, pictures: Pictures, asked: Asked, truth: Truth) -> None:
    """Let batch norm see these pictures only, as momentum lags behind a short training."""
    norms = [each for each in system.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for _ in range(2):
            system.loss(system.see(pictures), asked, truth)
    system.eval()


def some(batch: Batch, chosen: list[int] | Tensor) -> Batch:
    """Some of the sentences, or what is true of them."""
    return type(batch)(*(part[chosen] for part in batch))


def iou(found: Tensor, wanted: Tensor) -> Tensor:
    """(S,) IoU of (S, h, w) bool masks, 1 for two empty ones."""
    either = (found | wanted).sum((1, 2))
    shared = (found & wanted).sum((1, 2))
    return torch.where(either > 0, shared / either.clamp(min=1), 1.0)
