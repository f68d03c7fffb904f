"""Prediction runs: every query of a file answered by a model, one picture at a time, resumable."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from askmask.formats.askmask import Prediction, read_queries
from askmask.formats.files import file_sha256
from askmask.formats.versions import versions
from askmask.models.registry import load as load_model
from askmask.models.segmenter import Segmenter
from askmask.runs.engine import AskedPicture, Manner, answer_pictures, group
from askmask.runs.folder import RUN_FORMAT, RunFolder
from askmask.runs.on_ray import answer_on_ray
from askmask.runs.shard import Shard
from askmask.runs.workers import answer_in_processes

__all__ = ["Crew", "Engine", "Progress", "made_by", "predict", "run_pictures"]

Engine: TypeAlias = Literal["processes", "ray"]
"""What runs the workers."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: queries with a prediction, failed ones and those of earlier starts among them.
        failed: queries whose prediction is an error.
        total: queries of the file, or of the shard.
    """

    done: int
    failed: int
    total: int


@dataclass(frozen=True)
class Crew:
    """Who answers.

    Attributes:
        segmenter: the model.
        workers: number of processes; 1 is this one, on as many threads as the model likes, more
            are new ones with a model of their own on one thread each.
        load: makes the others their model; None loads it by the segmenter's name.
        engine: what runs the processes; on Ray, one worker is another process too.
    """

    segmenter: Segmenter
    workers: int = 1
    load: Callable[[], Segmenter] | None = None
    engine: Engine = "processes"

    def answer(
        self, pictures: Sequence[AskedPicture], manner: Manner
    ) -> Generator[Prediction, None, None]:
        """Answer all queries about all pictures; only one process keeps their order."""
        load = self.load or partial(load_model, self.segmenter.model_id)
        if self.engine == "ray" and pictures:
            return answer_on_ray(load, pictures, manner, self.workers)
        if self.workers == 1 or len(pictures) < 2:
            return answer_pictures(self.segmenter, pictures, manner)
        return answer_in_processes(load, pictures, manner, min(self.workers, len(pictures)))


def made_by(
    segmenter: Segmenter, command: str, arguments: Mapping[str, Any], queries_sha256: str
) -> dict[str, Any]:
    """Return what run.json says of a run that begins now."""
    return {
        "format": RUN_FORMAT,
        "command": command,
        "arguments": {**arguments, "model": segmenter.model_id},
        "model": {"id": segmenter.model_id, "sha256": segmenter.weights_hash},
        "inputs": {"queries": queries_sha256},
        "versions": versions("askmask", "numpy", "onnxruntime"),
        "device": getattr(segmenter, "device", "cpu"),
        "seed": None,  # a Segmenter draws no random numbers
        "started": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_pictures(
    crew: Crew,
    pictures: Sequence[AskedPicture],
    folder: RunFolder,
    manner: Manner,
    progress: Callable[[Progress], None] | None,
    unreadable: Mapping[str, str] | None = None,
) -> Progress:
    """Answer what a run that was begun has not answered yet.

    Args:
        crew: who answers.
        pictures: everything that the run is to answer.
        folder: the run.
        manner: how queries are answered.
        progress: called at the start and after each query.
        unreadable: pictures that nothing could be asked about -> why, for errors.jsonl.

    Returns:
        Progress at the end.
    """
    report = progress or (lambda _: None)
    with folder.appending(unreadable) as (answered, append):
        failed = sum(error is not None for error in answered.values())
        state = Progress(len(answered), failed, sum(len(one.queries) for one in pictures))
        report(state)
        rest = [left for one in pictures if (left := one.without(answered)).queries]
        with closing(crew.answer(rest, manner)) as predictions:
            for prediction in predictions:
                append(prediction)
                failed = state.failed + (prediction.error is not None)
                state = Progress(state.done + 1, failed, state.total)
                report(state)
    folder.add_to_run({"finished": _now(), "queries": state.total, "failed": state.failed})
    return state


def predict(
    segmenter: Segmenter,
    queries: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    engine: Engine = "processes",
    shard: Shard | None = None,
    load: Callable[[], Segmenter] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Answer every query of a file and keep the answers in a run folder.

    Queries are answered picture by picture, so that each picture is encoded once; one process
    answers always in the same order, so that a resumed run writes what an unbroken one does. A
    query that fails, or whose picture cannot be read, gets a prediction with an error. The run may
    be interrupted or killed at any moment and continued with `resume`, also with another number of
    workers; then nothing is lost, and nothing that is done is done again.

    Args:
        segmenter: the model.
        queries: queries file; pictures are relative to it.
        out: run folder; new or empty unless `resume` is set.
        resume: continue the run in `out`, which the same model must have begun with the same
            queries; start it when there is none.
        workers: processes that answer; with more than one, their order is as it comes.
        engine: what runs them.
        shard: the share of the pictures to answer about; None for all.
        load: makes the processes their model; None loads it by the segmenter's name.
        progress: called at the start and after each query.

    Returns:
        Progress at the end.

    Raises:
        DataError: when the queries file is malformed.
        OutputError: when `out` is in use by another run or cannot be written.
        ConfigError: when the run in `out` was begun by something else.
    """
    pictures = group(read_queries(queries), queries.parent)
    content = made_by(segmenter, "predict", {"queries": str(queries)}, file_sha256(queries))
    content["shard"] = None if shard is None else str(shard)
    folder = RunFolder(out)
    folder.begin(content, resume=resume)
    share = pictures if shard is None else shard.of(pictures)
    return run_pictures(Crew(segmenter, workers, load, engine), share, folder, Manner(), progress)
