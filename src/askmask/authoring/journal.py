"""The journal of a run: what was asked and what came back, kept safe before the next step.

Every line is on the disk before the run goes on, so a killed run knows on its next start which
replies it has, which batches are on their way, and which single requests were out when it died.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from askmask.errors import DataError, OutputError
from askmask.formats.files import iter_jsonl
from askmask.llm.chat import Reply, Usage

__all__ = ["Intent", "Journal"]


@dataclasses.dataclass(frozen=True)
class Intent:
    """A batch that was about to be handed in: when, and with which requests."""

    at: datetime
    keys: tuple[str, ...]


class Journal:
    """State of a run, and the file that keeps it.

    Attributes:
        replies: key -> reply.
        in_doubt: keys of single requests that were sent and have no reply.
        batches: id -> keys, of the batches that were handed in and not collected.
        intent: a batch of which nobody knows whether it was handed in, or None.
        known: ids of all batches that the journal mentions.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Continue a journal whose file is open for appending; prefer `Journal.open`."""
        self._stream = stream
        self.replies: dict[str, Reply] = {}
        self.in_doubt: set[str] = set()
        self.batches: dict[str, tuple[str, ...]] = {}
        self.intent: Intent | None = None
        self.known: set[str] = set()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Journal]:
        """Open a journal, made when missing; no other process may have it open.

        Raises:
            DataError: when a line is not what a journal holds.
            OutputError: when it cannot be written or another run writes it.
        """
        try:
            with path.open("ab") as stream:
                _lock(stream, path)
                _cut_torn_line(path)
                journal = cls(stream)
                for number, record in iter_jsonl(path):
                    try:
                        journal._apply(record)
                    except (KeyError, TypeError, ValueError) as error:
                        raise DataError(
                            f"{path}:{number}: expected a line of an authoring journal"
                        ) from error
                yield journal
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error

    def asked(self, key: str) -> None:
        """Note that a single request goes out now."""
        self._write({"asked": key})

    def replied(self, key: str, reply: Reply) -> None:
        """Note a reply; it is paid."""
        self._write({"reply": key, **dataclasses.asdict(reply)})

    def failed(self, key: str, reason: str) -> None:
        """Note that a request came to nothing and cost nothing; it may be asked again."""
        self._write({"failed": key, "reason": reason})

    def submitting(self, keys: Sequence[str]) -> None:
        """Note that a batch is about to be handed in."""
        self._write({"submitting": list(keys), "at": datetime.now(UTC).isoformat()})

    def submitted(self, batch: str, keys: Sequence[str]) -> None:
        """Note that a batch was handed in."""
        self._write({"submitted": batch, "keys": list(keys)})

    def abandoned(self) -> None:
        """Note that the batch that was about to be handed in never was."""
        self._write({"abandoned": True})

    def collected(self, batch: str) -> None:
        """Note that every result of a batch was read."""
        self._write({"collected": batch})

    def _write(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._apply(record)

    def _apply(self, record: Mapping[str, Any]) -> None:
        """Change the state as a line says."""
        match record:
            case {"asked": str(key)}:
                self.in_doubt.add(key)
            case {"reply": str(key), "text": str(text), "usage": dict(usage), "stop": str(stop)}:
                self.in_doubt.discard(key)
                self.replies[key] = Reply(text, Usage(**usage), stop)
            case {"failed": str(key)}:
                self.in_doubt.discard(key)
            case {"submitting": list(keys), "at": str(at)}:
                self.intent = Intent(datetime.fromisoformat(at), tuple(keys))
            case {"submitted": str(batch), "keys": list(keys)}:
                self.intent = None
                self.batches[batch] = tuple(keys)
                self.known.add(batch)
            case {"abandoned": True}:
                self.intent = None
            case {"collected": str(batch)}:
                self.batches.pop(batch)
            case _:
                raise ValueError("not a line of a journal")


def _lock(stream: BinaryIO, path: Path) -> None:
    """Keep a second run away, which would pay for the same requests."""
    try:
        import fcntl
    except ImportError:  # Windows: the user must take care
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(f"{path}: another run writes this journal; wait until it ends") from error


def _cut_torn_line(path: Path) -> None:
    """Remove what a killed process left after the last line end."""
    with path.open("r+b") as stream:
        whole = sum(len(line) for line in stream if line.endswith(b"\n"))
        stream.truncate(whole)
