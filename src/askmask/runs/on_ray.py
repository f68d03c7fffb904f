"""Pictures answered on Ray: by processes of this machine, or by those of a cluster.

As in `workers`, the others answer and this process alone writes. So a run on Ray can be killed and
continued like any other, and one that was begun without Ray may go on with it.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from askmask.errors import AskmaskError, MissingExtraError
from askmask.formats.askmask import Prediction
from askmask.formats.packed import pack, unpack_prediction, unpack_query
from askmask.models.segmenter import Segmenter
from askmask.runs.engine import AskedPicture, Manner, answer_picture

__all__ = ["answer_on_ray"]

_PICTURES_A_BLOCK = 4
"""Pictures that are handed out together: more would be lost at a kill, fewer cost time."""


def answer_on_ray(
    load: Callable[[], Segmenter], pictures: Sequence[AskedPicture], manner: Manner, workers: int
) -> Generator[Prediction, None, None]:
    """Answer all queries about all pictures, in the order in which pictures get ready.

    The cluster is the one that RAY_ADDRESS names; without it, Ray is started on this machine for as
    long as the run takes. Pictures, and folders of drawings, must have the same paths everywhere.
    What a process that has gone was to answer is given to another one, again and again.

    Args:
        load: makes a process its model.
        pictures: what is asked.
        manner: how queries are answered.
        workers: how many processes, each on one core.

    Raises:
        MissingExtraError: when Ray is not installed.
        AskmaskError: when Ray cannot be reached, or its processes cannot load the model.
    """
    try:
        ray: Any = importlib.import_module("ray")
        data: Any = importlib.import_module("ray.data")
    except ImportError as error:
        raise MissingExtraError.of("ray", "ray", "--engine ray") from error
    rows = [
        {"path": str(picture.path), "queries": [pack(query) for query in picture.queries]}
        for picture in pictures
    ]
    try:
        with _connected(ray, workers):
            data.DataContext.get_current().enable_progress_bars = False
            logging.getLogger("ray.data").setLevel(logging.ERROR)
            answered = data.from_items(
                rows, override_num_blocks=max(1, len(rows) // _PICTURES_A_BLOCK)
            ).map(
                _Answerer,
                fn_constructor_args=(load, manner, Path.cwd()),
                compute=data.ActorPoolStrategy(size=workers),
                num_cpus=1,
            )
            for row in answered.iter_rows():
                yield from map(unpack_prediction, row["predictions"])
    except ray.exceptions.RayError as error:
        raise _failure(error) from error


@contextmanager
def _connected(ray: Any, workers: int) -> Iterator[None]:
    """Reach a cluster, or start Ray on this machine, and leave it at the end."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    cluster = os.environ.get("RAY_ADDRESS")
    here = {} if cluster else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, logging_level="warning", **here)
    except Exception as error:  # plain ones, too
        raise _failure(error) from error
    try:
        yield
    finally:
        ray.shutdown()


def _failure(error: Exception) -> AskmaskError:
    """The last line of what Ray says: after a traceback that is what went wrong."""
    reason = str(error).strip().splitlines()[-1:]
    return AskmaskError(f"Ray: {' '.join(reason)}; put it right, then continue with --resume")


class _Answerer:
    """A process with a model of its own; Ray keeps it to one thread, as it has one core."""

    def __init__(self, load: Callable[[], Segmenter], manner: Manner, folder: Path) -> None:
        os.chdir(folder)  # which the paths of the pictures lead from
        self._segmenter, self._manner = load(), manner

    def __call__(self, row: dict[str, Any]) -> dict[str, list[str]]:
        picture = AskedPicture(Path(row["path"]), tuple(map(unpack_query, row["queries"])))
        predictions = answer_picture(self._segmenter, picture, None, self._manner)
        return {"predictions": [pack(prediction) for prediction in predictions]}
