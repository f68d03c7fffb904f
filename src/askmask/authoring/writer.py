"""Requests, replies and the protocols of writers.

A writer is anything that answers a request about a picture with raw text. What a reply is worth is
for `parse` and `clean` to say, so that every writer is judged alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from askmask.authoring.picture import AnnotatedPicture
from askmask.authoring.prompt import instructions, message
from askmask.errors import ConfigError
from askmask.formats.files import file_sha256
from askmask.llm.chat import Reply

__all__ = [
    "MAX_REPLY_TOKENS",
    "BatchWriter",
    "Request",
    "Writer",
    "make_request",
]

MAX_REPLY_TOKENS = 3_000
"""Longest reply that is paid for; ten questions take a third of it."""


@dataclass(frozen=True, eq=False)
class Request:
    """A picture to ask about.

    Attributes:
        key: names the request by its content: same writer, words and pixels, same key.
        picture: the picture.
        modal, amodal: how many questions of each kind are wanted.
    """

    key: str
    picture: AnnotatedPicture
    modal: int
    amodal: int

    @property
    def message(self) -> str:
        """What is asked beside the picture."""
        return message(self.picture, self.modal, self.amodal)


class Writer(Protocol):
    """Answers one request at a time, from several threads at once.

    Attributes:
        name: what tells this writer's answers from others', e.g. "openai/MODEL".
        looks: whether it needs the picture's file.
    """

    name: str
    looks: bool

    def write(self, request: Request) -> Reply:
        """Answer a request.

        Raises:
            RefusedError: when this request never will be answered.
            LLMError: when no request can be answered now.
        """


@runtime_checkable
class BatchWriter(Protocol):
    """Answers many requests at once, some time later; attributes as of `Writer`."""

    name: str
    looks: bool

    def body(self, request: Request) -> object:
        """Make what is handed in for a request.

        Raises:
            AskmaskError: when the picture cannot be read.
        """

    def submit(self, bodies: Mapping[str, object]) -> str:
        """Hand in a batch, key -> body; return its id.

        Raises:
            Broken: when nobody knows whether it was handed in.
            LLMError: when it was not.
        """

    def candidates(self, since: datetime, count: int) -> list[str]:
        """Ids of the batches of `count` requests that were handed in at `since` or later."""

    def collect(self, batch: str) -> Iterable[tuple[str, Reply | str]] | None:
        """Key and reply, or reason of failure, of each request of a batch, in any order.

        Returns:
            None while the batch is not ready.

        Raises:
            Broken: also while the results are read, when they break off; they may be collected
                again.
            LLMError: when the server cannot be reached or does not know the batch.
        """


def make_request(
    picture: AnnotatedPicture, writer: Writer | BatchWriter, per_type: int
) -> Request | None:
    """Make the request about a picture, or None when nothing in it can be asked for.

    Args:
        picture: the picture.
        writer: who will be asked.
        per_type: questions of each kind; no amodal ones where nothing is occluded, as they would
            be dropped.

    Raises:
        ConfigError: when the writer needs a picture of which only the annotation is there.
        DataError: when the picture's file cannot be read.
    """
    if not picture.instances:
        return None
    amodal = per_type if picture.occluded else 0
    content = [writer.name, picture.name, message(picture, per_type, amodal)]
    if writer.looks:
        if picture.path is None:
            raise ConfigError(f"{picture.name}: {writer.name} must see the pictures; say --images")
        content += [instructions(), str(MAX_REPLY_TOKENS), file_sha256(picture.path)]
    key = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:40]
    return Request(key, picture, per_type, amodal)
