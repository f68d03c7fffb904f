"""Pictures in, predictions out: read ahead, encoded once, failures kept one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.errors import AskmaskError, DataError, OutputError
from askmask.formats.askmask import Prediction, QueryRecord, prediction_from_answer
from askmask.images import read_image
from askmask.models.segmenter import Segmenter
from askmask.runs.drawings import Drawings
from askmask.types import MaskType

__all__ = ["AskedPicture", "Manner", "answer_picture", "answer_pictures", "group", "show_picture"]

_AHEAD = 2
"""Pictures that are read while another one is answered; more would only take memory."""


@dataclass(frozen=True)
class AskedPicture:
    """A picture and what is asked about it.

    Attributes:
        path: its file.
        queries: one or more, in the order in which they are answered.
    """

    path: Path
    queries: tuple[QueryRecord, ...]

    def without(self, answered: Iterable[str]) -> AskedPicture:
        """Return the picture with the queries whose ids are not in `answered`; maybe none."""
        return replace(self, queries=tuple(q for q in self.queries if q.id not in answered))


@dataclass(frozen=True)
class Manner:
    """How queries are answered; it is sent to other processes.

    Attributes:
        mask_type: the type of all answers; None lets each sentence decide.
        drawings: which pictures of the answers are kept.
    """

    mask_type: MaskType | None = None
    drawings: Drawings = Drawings()  # noqa: RUF009  frozen


def group(records: Iterable[QueryRecord], folder: Path) -> list[AskedPicture]:
    """Gather queries by picture, in the order of first appearance.

    Targets are left out: no model may see them, and they are most of a record's memory.

    Args:
        records: the queries.
        folder: what their pictures are relative to.
    """
    groups: dict[str, list[QueryRecord]] = {}
    for record in records:
        question = replace(record, targets=(), ignore=None, tags=(), extra={})
        groups.setdefault(record.image, []).append(question)
    return [AskedPicture(folder / image, tuple(asked)) for image, asked in groups.items()]


def show_picture(segmenter: Segmenter, path: Path, record: QueryRecord) -> None:
    """Give the picture of `record` to the model.

    Raises:
        DataError: when the picture has another size than the query says.
    """
    segmenter.set_image(_read(AskedPicture(path, (record,))))


def answer_pictures(
    segmenter: Segmenter, pictures: Iterable[AskedPicture], manner: Manner
) -> Generator[Prediction, None, None]:
    """Answer all queries about all pictures, in order."""
    for picture, pixels in _read_ahead(pictures):
        yield from answer_picture(segmenter, picture, pixels.result, manner)


def answer_picture(
    segmenter: Segmenter,
    picture: AskedPicture,
    pixels: Callable[[], NDArray[np.uint8]] | None,
    manner: Manner,
) -> Iterator[Prediction]:
    """Answer all queries about one picture; what fails becomes a prediction with an error.

    Any exception is kept, not only ours: one query that breaks a model must not end a long run. But
    a drawing that cannot be written ends it, since none after it could be.

    Args:
        segmenter: the model.
        picture: the picture and its queries.
        pixels: gives (H, W, 3) uint8 RGB, or raises; None reads the file.
        manner: how the queries are answered.

    Raises:
        OutputError: when a drawing cannot be written.
    """
    try:
        image = pixels() if pixels is not None else _read(picture)
        segmenter.set_image(image)
    except Exception as error:
        yield from (_failure(record, error) for record in picture.queries)
        return
    for record in picture.queries:
        try:
            yield _answer(segmenter, image, record, manner)
        except OutputError:
            raise
        except Exception as error:
            yield _failure(record, error)


def _answer(
    segmenter: Segmenter, image: NDArray[np.uint8], record: QueryRecord, manner: Manner
) -> Prediction:
    """Answer one query.

    The drawings are there before the prediction is, so that a killed run draws what is missing.

    Raises:
        DataError: when the answer breaks the format, which would make the whole file unreadable.
    """
    query = replace(record.to_query(), mask_type=manner.mask_type)
    answer = segmenter.answer(query)
    prediction = prediction_from_answer(record.id, answer)
    checked = Prediction.from_json(prediction.to_json(), "the model's answer")
    manner.drawings.draw(record.id, image, answer, query)
    return checked


def _failure(record: QueryRecord, error: Exception) -> Prediction:
    """Prediction of a query that failed: the error in one line, its kind unless it is ours."""
    kind = "" if isinstance(error, AskmaskError) else f"{type(error).__name__}: "
    return Prediction(id=record.id, error=kind + " ".join(str(error).split()))


def _read(picture: AskedPicture) -> NDArray[np.uint8]:
    """Read a picture, (H, W, 3) uint8 RGB.

    Raises:
        DataError: when it has another size than its queries say.
    """
    image = read_image(picture.path)
    record = picture.queries[0]
    if image.shape[:2] != (record.height, record.width):
        raise DataError(
            f"{picture.path}: expected {record.height} x {record.width} pixels as in query "
            f"{record.id}, got {image.shape[0]} x {image.shape[1]}"
        )
    return image


def _read_ahead(
    pictures: Iterable[AskedPicture],
) -> Iterator[tuple[AskedPicture, Future[NDArray[np.uint8]]]]:
    """Yield each picture with its pixels, while a thread reads the next ones."""
    waiting: deque[tuple[AskedPicture, Future[NDArray[np.uint8]]]] = deque()
    with ThreadPoolExecutor(1, "askmask-reader") as reader:
        for picture in pictures:
            waiting.append((picture, reader.submit(_read, picture)))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
