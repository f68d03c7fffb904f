"""What GLaMM leaves for its grounded captions: one JSON a picture, with masks and phrases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from askmask.errors import DataError
from askmask.formats.fields import Fields
from askmask.formats.files import read_json
from askmask.formats.prediction import PredictedMask, Prediction
from askmask.formats.predictions.asked import Asked
from askmask.formats.predictions.folders import files_in
from askmask.formats.predictions.png import SCORE

__all__ = ["read_glamm"]

_KEYS = frozenset(("image_id", "caption", "phrases", "pred_masks"))

_MAX_BYTES = 64_000_000
"""Largest file of one picture that is read."""


def _prediction(fields: Fields, asked: Asked) -> Prediction:
    query = asked.pictured(fields.name("image_id"), fields.where)
    codes = fields.codes("pred_masks", asked.size_hw[query])
    phrases = fields.items_of("phrases", str, "strings")
    labels = phrases if len(phrases) == len(codes) else [None] * len(codes)
    return Prediction(
        query,
        masks=tuple(
            PredictedMask(code, SCORE, label=label)
            for code, label in zip(codes, labels, strict=True)
        ),
        rationale=fields.optional("caption", fields.text),
        place=fields.where,
    )


def read_glamm(folder: Path, asked: Asked) -> Iterator[Prediction]:
    """Read one answer a file, its masks as instances of score 1, as GLaMM's own evaluation does.

    `image_id` is a query's id, or the name of a picture that one query asks about.

    Raises:
        DataError: naming file and key.
    """
    seen: set[str] = set()
    for path in files_in(folder, ".json"):
        fields = Fields(read_json(path, _MAX_BYTES), str(path), _KEYS)
        fields.value("pred_masks")
        prediction = _prediction(fields, asked)
        if prediction.id in seen:
            raise DataError(f"{path}: query {prediction.id!r} has another file; expected one")
        seen.add(prediction.id)
        yield prediction
