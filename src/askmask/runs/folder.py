"""Run folders: predictions that only grow, beside a record of what made them.

A run may be killed at any moment. So a prediction is written whole or cut off at the next start,
and `errors.jsonl`, which repeats the failures among the predictions, is then made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.atomic import remove_drafts
from askmask.errors import ConfigError, OutputError
from askmask.formats.askmask import Prediction, read_predictions
from askmask.formats.files import appending_jsonl, read_json, write_json, write_jsonl

__all__ = ["RUN_FORMAT", "RunFolder"]

RUN_FORMAT = "askmask-run/1"
"""First key of run.json."""

_DECISIVE = ("model", "inputs", "versions", "seed", "shard", "drawings")
"""Parts of run.json that decide what is written: a run must not mix two of them."""

_MAX_RUN_JSON = 1_000_000
"""Largest run.json that is read, in bytes."""


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def run_json(self) -> Path:
        """Record of what made the predictions."""
        return self.path / "run.json"

    @property
    def queries(self) -> Path:
        """What was asked, where the run has made the queries itself."""
        return self.path / "queries.jsonl"

    @property
    def predictions(self) -> Path:
        """One line a query, in the order in which they were answered."""
        return self.path / "predictions.jsonl"

    @property
    def errors(self) -> Path:
        """One line a failed query, its id and error, or a picture that cannot be opened."""
        return self.path / "errors.jsonl"

    def begin(self, made_by: Mapping[str, Any], *, resume: bool) -> None:
        """Make the folder and run.json, or check that the run there may be continued.

        Args:
            made_by: content of run.json.
            resume: continue the run in the folder; a new one is begun when there is none.

        Raises:
            OutputError: when a new run would mix with other files, or cannot be written.
            ConfigError: when the run to continue was begun by something else.
        """
        if resume and self.run_json.exists():
            self._check_made_by(made_by)
            return
        self._check_empty()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be made ({error.strerror})") from error
        write_json(self.run_json, made_by)

    def add_to_run(self, content: Mapping[str, Any]) -> None:
        """Add keys to run.json."""
        write_json(self.run_json, {**read_json(self.run_json, _MAX_RUN_JSON), **content})

    @contextmanager
    def appending(
        self, unreadable: Mapping[str, str] | None = None
    ) -> Iterator[tuple[dict[str, str | None], Callable[[Prediction], None]]]:
        """Open the run for more predictions; no other process may have it open.

        Args:
            unreadable: pictures that no query could be made for -> why; for errors.jsonl.

        Yields:
            The queries that are answered, id -> error or None, and a function that appends one
            prediction, and its error if it has one.

        Raises:
            OutputError: when another process has the run open, or a file cannot be written.
        """
        with self._alone(), appending_jsonl(self.predictions) as append_line:
            remove_drafts(self.path)
            # What a killed writer left of its last line is cut off by now.
            answered = {answer.id: answer.error for answer in read_predictions(self.predictions)}
            write_jsonl(self.errors, _errors(unreadable or {}, answered))
            with appending_jsonl(self.errors) as append_error:

                def append(prediction: Prediction) -> None:
                    append_line(prediction.to_json())
                    if prediction.error is not None:
                        append_error({"id": prediction.id, "error": prediction.error})

                yield answered, append

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the run; the system lets go of it when this process ends, however it ends.

        Raises:
            OutputError: when another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # not on Windows, where nobody guards against two writers
            yield
            return
        with self.predictions.open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"{self.path}: another process is at work on this run; wait for it or choose "
                    "another --out"
                ) from None
            except OSError:
                pass  # a file system without locks
            yield

    def _check_empty(self) -> None:
        """Refuse a folder with files, which a new run would mix with its own."""
        if self.run_json.exists():
            raise OutputError(
                f"{self.path}: holds a run already; continue it with --resume or choose another "
                "--out"
            )
        # Hidden files do not count: a kill while run.json is first written leaves one.
        if self.path.is_dir() and any(
            not path.name.startswith(".") for path in self.path.iterdir()
        ):
            raise OutputError(
                f"{self.path}: expected a new or empty folder, got one with files and no run.json; "
                "choose another --out"
            )

    def _check_made_by(self, made_by: Mapping[str, Any]) -> None:
        """Refuse to continue a run that something else has begun."""
        begun = read_json(self.run_json, _MAX_RUN_JSON)
        for key in _DECISIVE:
            if begun.get(key) != made_by.get(key):
                raise ConfigError(
                    f"{self.run_json}: the run was begun with {key} {json.dumps(begun.get(key))}, "
                    f"now it is {json.dumps(made_by.get(key))}; repeat it as begun or choose "
                    "another --out"
                )


def _errors(
    unreadable: Mapping[str, str], answered: Mapping[str, str | None]
) -> Iterator[dict[str, str]]:
    """Lines of errors.jsonl: pictures, then queries."""
    for image, error in unreadable.items():
        yield {"image": image, "error": error}
    for name, reason in answered.items():
        if reason is not None:
            yield {"id": name, "error": reason}
