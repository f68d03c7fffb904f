"""Prediction runs: every query of a file answered by a model, one picture at a time, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from askmask.errors import AskmaskError, DataError
from askmask.formats.askmask import Prediction, QueryRecord, prediction_from_answer, read_queries
from askmask.formats.files import file_sha256
from askmask.formats.versions import versions
from askmask.images import read_image
from askmask.models.segmenter import Segmenter
from askmask.runs.folder import RUN_FORMAT, RunFolder

__all__ = ["Progress", "predict", "show_picture"]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: queries with a prediction, failed ones and those of earlier starts among them.
        failed: queries whose prediction is an error.
        total: queries of the file.
    """

    done: int
    failed: int
    total: int


def _by_image(records: Iterable[QueryRecord]) -> dict[str, list[QueryRecord]]:
    """Group queries by picture, in the order of first appearance."""
    groups: dict[str, list[QueryRecord]] = {}
    for record in records:
        groups.setdefault(record.image, []).append(record)
    return groups


def _failure(record: QueryRecord, error: Exception) -> Prediction:
    """Prediction of a query that failed: the error in one line, its kind unless it is ours."""
    kind = "" if isinstance(error, AskmaskError) else f"{type(error).__name__}: "
    return Prediction(id=record.id, error=kind + " ".join(str(error).split()))


def show_picture(segmenter: Segmenter, path: Path, record: QueryRecord) -> None:
    """Give the picture to the model.

    Raises:
        DataError: when the picture has another size than the query says.
    """
    image = read_image(path)
    if image.shape[:2] != (record.height, record.width):
        raise DataError(
            f"{path}: expected {record.height} x {record.width} pixels as in query {record.id}, "
            f"got {image.shape[0]} x {image.shape[1]}"
        )
    segmenter.set_image(image)


def _answer(segmenter: Segmenter, record: QueryRecord) -> Prediction:
    """Answer one query.

    Raises:
        DataError: when the answer breaks the format, which would make the whole file unreadable.
    """
    prediction = prediction_from_answer(record.id, segmenter.answer(record.to_query()))
    return Prediction.from_json(prediction.to_json(), "the model's answer")


def _answer_all(
    segmenter: Segmenter, path: Path, records: Sequence[QueryRecord]
) -> Iterator[Prediction]:
    """Answer all queries about one picture; what fails becomes a prediction with an error.

    Any exception is kept, not only ours: one query that breaks a model must not end a long run.
    """
    if not records:
        return
    try:
        show_picture(segmenter, path, records[0])
    except Exception as error:
        yield from (_failure(record, error) for record in records)
        return
    for record in records:
        try:
            yield _answer(segmenter, record)
        except Exception as error:
            yield _failure(record, error)


def _made_by(segmenter: Segmenter, queries: Path) -> dict[str, Any]:
    """Return what run.json says of a run that begins now."""
    return {
        "format": RUN_FORMAT,
        "command": "predict",
        "arguments": {"queries": str(queries), "model": segmenter.model_id},
        "model": {"id": segmenter.model_id, "sha256": segmenter.weights_hash},
        "inputs": {"queries": file_sha256(queries)},
        "versions": versions("askmask", "numpy", "onnxruntime"),
        "device": getattr(segmenter, "device", "cpu"),
        "seed": None,  # a Segmenter draws no random numbers
        "started": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def predict(
    segmenter: Segmenter,
    queries: Path,
    out: Path,
    *,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Answer every query of a file and keep the answers in a run folder.

    Queries are answered picture by picture, so that each picture is encoded once, and always in
    the same order, so that a resumed run writes what an unbroken one does. A query that fails, or
    whose picture cannot be read, gets a prediction with an error. The run may be interrupted or
    killed at any moment and continued with `resume`; then nothing is lost, and nothing that is
    done is done again.

    Args:
        segmenter: the model.
        queries: queries file; pictures are relative to it.
        out: run folder; new or empty unless `resume` is set.
        resume: continue the run in `out`, which the same model must have begun with the same
            queries; start it when there is none.
        progress: called at the start and after each query.

    Returns:
        Progress at the end.

    Raises:
        DataError: when the queries file is malformed.
        OutputError: when `out` is in use by another run or cannot be written.
        ConfigError: when the run in `out` was begun by something else.
    """
    report = progress or (lambda _: None)
    records = list(read_queries(queries))
    folder = RunFolder(out)
    folder.begin(_made_by(segmenter, queries), resume=resume)
    with folder.appending() as (answered, append):
        failed = sum(error is not None for error in answered.values())
        state = Progress(len(answered), failed, len(records))
        report(state)
        for image, group in _by_image(records).items():
            waiting = [record for record in group if record.id not in answered]
            for prediction in _answer_all(segmenter, queries.parent / image, waiting):
                append(prediction)
                failed = state.failed + (prediction.error is not None)
                state = Progress(state.done + 1, failed, state.total)
                report(state)
    folder.add_to_run({"finished": _now(), "queries": state.total, "failed": state.failed})
    return state
