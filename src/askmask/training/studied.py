"""Data sets to learn from: pictures, their objects, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.datasets.registry import recognise
from askmask.datasets.sources import read_dataset
from askmask.errors import ConfigError, DataError
from askmask.formats.collection import Options
from askmask.formats.records import Entity, QueryRecord
from askmask.images import read_image

__all__ = ["Studied", "read_studied", "with_held_out"]


@dataclass(frozen=True)
class Studied:
    """A picture on disk with what is known of it.

    Attributes:
        path: the picture.
        objects: its annotated objects; () where the source has none.
        queries: sentences about it; () where the source has none.
    """

    path: Path
    objects: tuple[Entity, ...] = ()
    queries: tuple[QueryRecord, ...] = ()

    def image(self) -> NDArray[np.uint8]:
        """Read it, (H, W, 3) uint8 RGB."""
        return read_image(self.path)


def read_studied(
    sources: Sequence[str | Path], images: str | Path | None = None, split: str = "train"
) -> list[Studied]:
    """Read data sets of any format that `askmask data` knows, in the order of their pictures.

    Pictures that a query tagged "part:test" is about are left out.

    Args:
        sources: files or folders.
        images: folder of the pictures, where the data set lies elsewhere.
        split: the one that is read; a data set without splits is read whole.

    Raises:
        DataError: when a source cannot be read, or a picture is not there.
        ConfigError: when it has no such split.
    """
    found = []
    for source in map(Path, sources):
        dataset = recognise(source)
        name = _split(dataset.splits(source), split, source)
        options = Options(images=None if images is None else Path(images), split=name)
        part = read_dataset(dataset, source, options).splits[name]
        objects = {one.image: one.entities for one in part.entities}
        queries: dict[str, list[QueryRecord]] = {image: [] for image in objects}
        for query in part.queries:
            queries.setdefault(query.image, []).append(query)
        home = part.images or source
        found += [
            Studied(home / image, objects.get(image, ()), tuple(asked))
            for image, asked in queries.items()
            if not any("part:test" in query.tags for query in asked)
        ]
    missing = next((one.path for one in found if not one.path.is_file()), None)
    if missing is not None:
        raise DataError(f"{missing}: is not there; name the folder of the pictures with --images")
    return found


def _split(names: Sequence[str], wanted: str, source: Path) -> str:
    if wanted in names:
        return wanted
    if len(names) == 1 and not names[0].startswith("test"):
        return names[0]
    raise ConfigError(
        f"{source}: has the splits {', '.join(names)}; expected {wanted!r} among them, or one only"
    )


def with_held_out(
    sources: Sequence[str], images: str | None, validate: str | None, most: int
) -> tuple[list[Studied], list[Studied]]:
    """Pictures to learn from, and others to measure on.

    Args:
        sources: data sets to learn from.
        images: folder of their pictures, where they lie elsewhere.
        validate: data set to measure on; None holds back a fifth of the pictures at most.
        most: pictures that are measured.

    Raises:
        ConfigError: when there is nothing to learn from.
    """
    if not sources:
        raise ConfigError("--data: expected a data set to learn from, got none; name a folder")
    learnt = read_studied(sources, images)
    order = np.random.default_rng(0)
    if validate is not None:
        held_out = read_studied([validate], images, "val")
        order.shuffle(held_out)
        return learnt, held_out[:most]
    order.shuffle(learnt)
    count = min(most, len(learnt) // 5)
    return learnt[count:], learnt[:count]
