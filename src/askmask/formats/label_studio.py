"""Label Studio's tasks with brush masks: annotations to go on with, or predictions to review.

A project that imports them needs a labelling interface with `<Image name="image" value="$image"/>`
and `<BrushLabels name="mask" toName="image">`. Pictures are named as its local files storage
serves them, relative to that storage's root.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord
from askmask.formats.brush import decode_brush, encode_brush
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.files import read_json
from askmask.formats.foreign import fields_of, write_foreign_json
from askmask.formats.shapes import (
    Shape,
    ShapePicture,
    entity_record,
    pictures_of,
    shape_from_says,
)

__all__ = ["read_label_studio", "write_label_studio"]

_LOCAL = "/data/local-files/?d="
_FROM, _TO = "mask", "image"

_RESULT_KEYS = (
    *("id", "type", "value", "original_width", "original_height", "image_rotation"),
    *("from_name", "to_name", "score", "meta", "origin"),
)

_Json = dict[str, Any]


def _result(number: int, shape: Shape) -> _Json:
    """One region."""
    height, width = shape.mask["size"]
    score = {} if shape.score is None else {"score": shape.score}
    return {
        "id": f"mask-{number}",
        "type": "brushlabels",
        "from_name": _FROM,
        "to_name": _TO,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "format": "rle",
            "rle": encode_brush(rle.decode(shape.mask)),
            "brushlabels": [shape.label],
        },
        "meta": {"text": [shape.text] if shape.text else [], "askmask": shape.says()},
        **score,
    }


def _task(picture: ShapePicture, model: str | None) -> _Json:
    """A picture with its regions, as predictions of `model`, or as annotations for None."""
    results = [_result(number, shape) for number, shape in enumerate(picture.shapes, 1)]
    size = {"height": picture.height, "width": picture.width}
    task: _Json = {"data": {"image": _LOCAL + quote(picture.image), **size}}
    if model is None:
        return {**task, "annotations": [{"result": results}]}
    scores = [shape.score for shape in picture.shapes if shape.score is not None]
    score = sum(scores) / len(scores) if scores else 0.0
    return {**task, "predictions": [{"model_version": model, "score": score, "result": results}]}


def write_label_studio(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a list of tasks, one a picture; answers become predictions, all else annotations.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
    """
    split = collection.only()
    pictures = pictures_of(split, options, losses)
    model = collection.name if split.kind(options.records) == "predictions" else None
    write_foreign_json(out, [_task(picture, model) for picture in pictures])


def _picture_of(task: _Json, where: str) -> str:
    """Path of the task's picture, without what serves it."""
    data = fields_of(task, where, ("data",)).mapping("data")
    url = data.get(_TO) or next((one for one in data.values() if isinstance(one, str)), None)
    if not isinstance(url, str) or not url:
        raise DataError(f"{where}, key 'data': expected a picture under {_TO!r}")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DataError(f"{where}, key 'data': expected an address, {error}") from error
    local = parse_qs(parts.query).get("d")
    return local[0] if local else unquote(parts.path).lstrip("/") or url


def _shape(row: object, where: str) -> Shape:
    """Read one region."""
    fields = fields_of(row, where, _RESULT_KEYS)
    value = fields_of(fields.mapping("value"), where, ("format", "rle", "brushlabels"), "value.")
    if fields.text("type") != "brushlabels" or value.text("format") != "rle":
        raise DataError(f"{where}: expected brush labels, got type {fields.text('type')!r}")
    size_hw = fields.integer("original_height", 1), fields.integer("original_width", 1)
    labels = value.items_of("brushlabels", str, "labels")
    if len(labels) != 1:
        raise DataError(f"{where}, key 'value.brushlabels': expected one label, got {labels!r}")
    try:
        mask = rle.encode(decode_brush(value.items("rle"), size_hw))
    except DataError as error:
        raise DataError(f"{where}, key 'value.rle': {error}") from error
    meta = fields.optional("meta", fields.mapping) or {}
    return shape_from_says(labels[0], mask, meta.get("askmask"), where)


def _results_of(task: _Json) -> list[Any]:
    """Regions of the first annotation that was not cancelled, or else of the first prediction."""
    for key in ("annotations", "predictions"):
        found = task.get(key)
        for one in found if isinstance(found, list) else ():
            if isinstance(one, dict) and not one.get("was_cancelled"):
                result = one.get("result")
                return result if isinstance(result, list) else []
    return []


def _shapes(task: _Json, where: str, bad: OnBad) -> Iterator[tuple[str, Shape]]:
    for number, row in enumerate(_results_of(task), 1):
        place = f"{where}, result {number}"
        try:
            yield place, _shape(row, place)
        except DataError as error:
            bad(place, error)


def _record(task: object, where: str, bad: OnBad) -> EntityRecord:
    if not isinstance(task, dict):
        raise DataError(f"{where}: expected an object")
    image = _picture_of(task, where)
    shapes = list(_shapes(task, where, bad))
    sizes = {tuple(shape.mask["size"]) for _, shape in shapes}
    if not shapes and not _results_of(task):
        data = fields_of(task["data"], where, ("height", "width"), "data.")
        sizes = {(data.integer("height", 1), data.integer("width", 1))}
    if len(sizes) != 1:
        found = "no masks" if not sizes else f"the sizes {sorted(sizes)}"
        raise DataError(f"{where}: expected masks of one size, got {found}")
    height, width = sizes.pop()
    return entity_record(image, (height, width), shapes, bad)


def read_label_studio(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read brush masks of a task list or an export in JSON, as objects.

    A picture without masks needs height and width in its data, as `write_label_studio` has them.

    Raises:
        DataError: when the file as a whole cannot be read; for a task or a region, through `bad`.
    """
    path = Path(path)
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise DataError(f"{path}: expected a list of tasks, as Label Studio exports in JSON")
    records: dict[str, EntityRecord] = {}
    for number, task in enumerate(tasks, 1):
        where = f"{path}, task {number}"
        try:
            record = _record(task, where, bad)
            if record.image in records:
                raise DataError(f"{where}: the picture {record.image} has a task already")
            records[record.image] = record
        except DataError as error:
            bad(where, error)
    split = Split(tuple(records.values()), images=options.images or path.parent)
    return Collection({"all": split}, path.stem, source=path.name)
