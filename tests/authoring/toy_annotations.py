"""Small pictures of coloured rectangles that lie on each other, with exact annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from askmask import rle
from askmask.authoring.picture import AnnotatedPicture
from askmask.formats.askmask import Entity, EntityRecord, write_entities

SIZE_HW = (96, 128)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros(SIZE_HW, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def record(image: str, *things: tuple[str, tuple[int, int, int, int]]) -> EntityRecord:
    """A picture with things, each before those that follow; ids are 11, 12, ...."""
    entities = []
    in_front = np.zeros(SIZE_HW, bool)
    for place, (category, box) in enumerate(things):
        amodal = rectangle(*box)
        modal = amodal & ~in_front
        hiders = [
            11 + other
            for other, (_, front) in enumerate(things[:place])
            if (rectangle(*front) & amodal).any()
        ]
        in_front |= amodal
        entities.append(
            Entity(
                id=11 + place,
                category=category,
                modal=rle.encode(modal),
                amodal=rle.encode(amodal),
                occlusion_rate=1 - float(modal.sum()) / float(amodal.sum()),
                occluded_by=tuple(hiders),
            )
        )
    return EntityRecord(image, *SIZE_HW, tuple(entities))


def kitchen() -> EntityRecord:
    """A cup before a person, a dog to the right, an occluded car and a far car."""
    return record(
        "images/kitchen.png",
        ("cup", (10, 40, 40, 70)),
        ("person", (5, 10, 35, 60)),
        ("dog", (60, 50, 90, 80)),
        ("car", (70, 20, 125, 60)),
        ("car", (95, 66, 120, 90)),
    )


def picture(of: EntityRecord) -> AnnotatedPicture:
    return AnnotatedPicture(Path(of.image).stem, of)


def write_source(folder: Path, count: int = 6) -> Path:
    """A benchmark folder with `count` pictures, all different, the last without occlusion."""
    (folder / "images").mkdir(parents=True)
    records = []
    for number in range(count):
        place = number % 10
        shift = 2 * place
        last = number == count - 1
        one = record(
            f"images/{number:03}.png",
            ("cup", (10 + shift, 40, 40 + shift, 70)),
            ("person", (5 + shift, 5, 35 + shift, 38 if last else 60)),
            ("dog", (80, 50 + place, 110, 80 + place)),
        )
        pixels = np.full((*SIZE_HW, 3), 40 + number, np.uint8)
        for entity, grey in zip(one.entities, (250, 160, 90), strict=True):
            pixels[rle.decode(entity.modal)] = grey
        Image.fromarray(pixels).save(folder / one.image)
        records.append(one)
    path = folder / "entities-val.jsonl"
    write_entities(path, records)
    return path
