"""The answers of a run as objects of its pictures, for formats that know nothing of sentences.

An object is a mask of an answer; its category is the label that the model gave, or the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord, PredictedMask, Prediction, QueryRecord
from askmask.formats.benchmark import read_benchmark
from askmask.formats.collection import Collection, OnBad, Options, Split, stop
from askmask.types import MaskType

__all__ = ["answered_objects", "read_answered_objects"]


def answered_objects(
    queries: Iterable[QueryRecord], predictions: Iterable[Prediction]
) -> tuple[EntityRecord, ...]:
    """Return the pictures with the masks of their answers as objects, numbered from 1.

    A modal answer is an object's visible part, an amodal one its complete shape beside the visible
    part. A hidden part stands in the place of the visible one, with the key `mask_type`. Pictures
    of which every query failed are left out, as nobody knows what is in them.

    Raises:
        DataError: when a prediction's query is not there.
    """
    asked = {query.id: query for query in queries}
    pictures: dict[str, EntityRecord] = {}
    for prediction in predictions:
        query = asked.get(prediction.id)
        if query is None:
            raise DataError(
                f"{prediction.place or 'predictions'}: expected a query {prediction.id!r}, got "
                "none; name the queries file with --queries"
            )
        if prediction.error is not None:
            continue
        empty = EntityRecord(query.image, query.height, query.width, ())
        picture = pictures.get(query.image, empty)
        first = len(picture.entities) + 1
        found = (
            _object(number, mask, prediction, query)
            for number, mask in enumerate(_masks(prediction), first)
        )
        pictures[query.image] = replace(picture, entities=(*picture.entities, *found))
    return tuple(pictures.values())


def _masks(prediction: Prediction) -> tuple[PredictedMask, ...]:
    if prediction.masks or prediction.fused is None:
        return prediction.masks
    return (PredictedMask(prediction.fused, 1.0),)


def _object(number: int, mask: PredictedMask, prediction: Prediction, query: QueryRecord) -> Entity:
    category = mask.label or " ".join(query.text.split())
    extra: dict[str, Any] = {"score": mask.score, "query": query.id}
    if prediction.mask_type is MaskType.AMODAL:
        modal = mask.modal or mask.segmentation
        return Entity(number, category, modal, mask.segmentation, extra=extra)
    if prediction.mask_type is MaskType.HIDDEN:
        extra["mask_type"] = MaskType.HIDDEN.value
    return Entity(number, category, mask.segmentation, extra=extra)


def read_answered_objects(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a run folder, or a predictions file with `options.queries`.

    Raises:
        DataError: when a file cannot be read, or a prediction's query is not there.
    """
    run = read_benchmark(path, options, bad)
    splits = {
        name: Split(answered_objects(split.queries, split.predictions), images=split.images)
        for name, split in run.splits.items()
    }
    return replace(run, splits=splits)
