"""A tiny data set to learn from: blocks that cover each other, and a sentence about each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from askmask import rle
from askmask.formats.askmask import write_entities, write_queries
from askmask.formats.records import Entity, EntityRecord, QueryRecord, Target
from askmask.images import write_png
from askmask.types import MaskType

SIZE_HW = (48, 64)
COLOURS = {"red": (220, 60, 40), "green": (40, 180, 60), "blue": (50, 80, 220)}


def toy_data(folder: Path, pictures: int = 3, split: str = "train", scale: int = 1) -> Path:
    """Write a benchmark folder with pictures of three blocks, 48 x 64 pixels times `scale`."""
    rng = np.random.default_rng(len(split))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    entities, queries = [], []
    for number in range(pictures):
        image = rng.integers(90, 130, (*SIZE_HW, 3), np.uint8)
        whole = []
        for place, colour in enumerate(rng.permutation(list(COLOURS))):
            mask = np.zeros(SIZE_HW, bool)
            top, left = rng.integers(2, 20), 2 + 14 * place
            mask[top : top + 24, left : left + 26] = True
            image[mask] = COLOURS[colour]
            whole.append((str(colour), mask))
        image = image.repeat(scale, 0).repeat(scale, 1)
        size_hw = image.shape[:2]
        covered = np.zeros(size_hw, bool)
        objects = []
        for colour, small in reversed(whole):
            mask = small.repeat(scale, 0).repeat(scale, 1)
            modal, amodal = rle.encode(mask & ~covered), rle.encode(mask)
            objects.append(Entity(len(objects), f"{colour} block", modal, amodal))
            covered |= mask
        name = f"images/{split}-{number}.png"
        write_png(folder / name, image)
        entities.append(EntityRecord(name, *size_hw, tuple(objects)))
        for one in objects:
            for kind, words in (
                (MaskType.MODAL, "the visible part of"),
                (MaskType.AMODAL, "the whole shape, hidden parts included, of"),
            ):
                code = one.modal if kind is MaskType.MODAL else one.amodal
                target = Target(code, one.id, one.category, one.modal)
                text = f"{words} the {one.category}"
                queries.append(
                    QueryRecord(
                        f"{number}-{one.id}-{kind}", name, *size_hw, text, (target,), (), kind
                    )
                )
    write_entities(folder / f"entities-{split}.jsonl", entities)
    write_queries(folder / f"queries-{split}.jsonl", queries)
    return folder
