"""Completers scored on data sets that know complete shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.datasets.registry import recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.records import Entity, EntityRecord
from askmask.images import read_image
from askmask.metrics.bootstrap import intervals
from askmask.metrics.completion import Guess, completion_terms, judge_guess
from askmask.models.completion import MaskCompleter
from askmask.rle import area
from askmask.types import Masks

__all__ = ["LEAST_VISIBLE", "CompletionFigure", "annotated_pictures", "score_completers"]

LEAST_VISIBLE = 20
"""Fewest visible pixels of an object that is scored."""

Annotated = tuple[NDArray[np.uint8], Masks, Masks]
"""Picture (H, W, 3) uint8 RGB, modal and true amodal masks of its objects."""


@dataclass(frozen=True)
class CompletionFigure:
    """A figure with its 95 % interval; pictures are resampled.

    Attributes:
        value: in [0, 1]; NaN where no object counts.
        low: lower end of the interval.
        high: upper end of the interval.
        objects: number of objects it is over.
    """

    value: float
    low: float
    high: float
    objects: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; undefined ones are null."""
        return {key: _null(value) for key, value in vars(self).items()}


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def annotated_pictures(
    paths: Sequence[Path], *, split: str | None = None, images: Path | None = None
) -> Iterator[Annotated]:
    """Read pictures whose objects have modal and amodal masks, from data sets of any format.

    Left out are objects without an amodal mask, with fewer than `LEAST_VISIBLE` visible pixels, or
    that the source calls stuff.

    Args:
        paths: files or folders of data sets.
        split: for those with several; None takes the only one.
        images: folder of the pictures; None looks beside the annotations.

    Raises:
        ConfigError: when a data set has several splits and none is named, or not this one.
        DataError: when a data set or a picture cannot be read.
    """
    for path in paths:
        found = recognise(path)
        if found.entities is None:
            raise ConfigError(f"{path}: format {found.name} has no objects with amodal masks")
        chosen = split or _only_split(found, path)
        for record in found.entities(path, chosen, images, BadRecords()):
            objects = [one for one in record.entities if _scored(one)]
            if objects:
                size_hw = (record.height, record.width)
                image = read_image(_picture(record, path, images))
                if image.shape[:2] != size_hw:
                    raise DataError(
                        f"{path}: {record.image} should be {size_hw[1]} x {size_hw[0]} pixels, the "
                        f"picture is {image.shape[1]} x {image.shape[0]}; name its folder with "
                        "--images"
                    )
                modal = Masks.from_rles([one.modal for one in objects], size_hw)
                whole = [one.amodal for one in objects if one.amodal is not None]
                yield image, modal, Masks.from_rles(whole, size_hw)


def _only_split(found: DatasetFormat, path: Path) -> str:
    splits = found.splits(path)
    if len(splits) != 1:
        raise ConfigError(f"{path}: has the splits {', '.join(splits)}; name one with --split")
    return splits[0]


def _scored(entity: Entity) -> bool:
    known = entity.amodal is not None and not entity.extra.get("is_stuff")
    return known and area(entity.modal) >= LEAST_VISIBLE


def _picture(record: EntityRecord, path: Path, images: Path | None) -> Path:
    """The file of a picture; a file of one annotation may have its picture beside it."""
    folder = images or (path if path.is_dir() else path.parent)
    places = [folder / record.image, folder / Path(record.image).name]
    if path.is_file():
        places += [path.with_suffix(suffix) for suffix in (".jpg", ".png", ".webp")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise DataError(
            f"{path}: the picture {record.image} is not in {folder}; name its folder with --images"
        )
    return found


def score_completers(
    pictures: Iterator[Annotated],
    completers: Sequence[MaskCompleter],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, dict[str, CompletionFigure]]:
    """Give each completer the true modal masks and compare what it makes of them.

    Args:
        pictures: as `annotated_pictures` reads them.
        completers: any number.
        progress: called with the number of pictures done.

    Returns:
        Completer -> figure -> value with interval.

    Raises:
        DataError: when there is no object to score.
    """
    guesses: list[list[Guess]] = [[] for _ in completers]
    for number, (image, modal, amodal) in enumerate(pictures):
        for completer, own in zip(completers, guesses, strict=True):
            done = completer.complete_masks(image, modal)
            rows = zip(modal, amodal, done.amodal, done.confidence.tolist(), strict=True)
            own += [judge_guess(number, *row) for row in rows]
        progress(number + 1)
    if not guesses or not guesses[0]:
        raise DataError(
            "found no object to score: expected objects with an amodal mask and at least "
            f"{LEAST_VISIBLE} visible pixels"
        )
    return {
        completer.model_id: _figures(own)
        for completer, own in zip(completers, guesses, strict=True)
    }


def _figures(guesses: list[Guess]) -> dict[str, CompletionFigure]:
    terms = completion_terms(guesses)
    ends = intervals(list(terms.values()), seed=0)
    return {
        name: CompletionFigure(one.value, *pair, int(one.denominator.sum()))
        for (name, one), pair in zip(terms.items(), ends, strict=True)
    }
