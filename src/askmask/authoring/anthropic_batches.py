"""A writer behind Anthropic's Message Batches, at half the price of single messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from askmask.authoring.looking import prompt_about
from askmask.authoring.writer import Request
from askmask.llm.anthropic_api import connect, message_body, message_reply, translated
from askmask.llm.chat import Reply
from askmask.llm.patience import Broken, Patience

__all__ = ["AnthropicBatches"]


class AnthropicBatches:
    """Asks for questions about many pictures at once."""

    looks = True

    def __init__(
        self, model: str, *, base_url: str | None = None, patience: Patience | None = None
    ) -> None:
        """As of `AnthropicMessages`, whose replies serve this writer too and the other way."""
        self.name = f"anthropic/{model}"
        self._model = model
        self._batches = connect(self, base_url).messages.batches
        self._patience = patience or Patience()

    def body(self, request: Request) -> object:
        """Parameters of one message; see `BatchWriter`."""
        return message_body(self._model, prompt_about(request), "1h")

    def submit(self, bodies: Mapping[str, object]) -> str:
        """Hand in a batch; see `BatchWriter`."""
        requests: Any = [{"custom_id": key, "params": body} for key, body in bodies.items()]

        def ask() -> str:
            return str(self._batches.create(requests=requests).id)

        return self._patience.call(lambda: translated(ask), repeats_broken=False)

    def candidates(self, since: datetime, count: int) -> list[str]:
        """Batches of that size, newest first; see `BatchWriter`."""

        def ask() -> list[str]:
            found = []
            for batch in self._batches.list(limit=100):  # pages follow by themselves
                if batch.created_at < since:
                    break
                counts = batch.request_counts
                done = counts.succeeded + counts.errored + counts.canceled + counts.expired
                if counts.processing + done == count:
                    found.append(batch.id)
            return found

        return self._patience.call(lambda: translated(ask))

    def collect(self, batch: str) -> Iterable[tuple[str, Reply | str]] | None:
        """Results of a batch, read as they come; see `BatchWriter`."""

        def ask() -> Any:
            if self._batches.retrieve(batch).processing_status != "ended":
                return None
            return self._batches.results(batch)

        stream = self._patience.call(lambda: translated(ask))
        return None if stream is None else _results(stream, batch)


def _results(stream: Iterable[Any], batch: str) -> Iterator[tuple[str, Reply | str]]:
    """Read the lines of a result file; raises Broken when they break off."""
    lines = iter(stream)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except Exception as error:  # the SDK passes on what its HTTP library raises
            raise Broken(f"Anthropic: the results of {batch} broke off ({error})") from error
        yield str(line.custom_id), _result(line.result)


def _result(result: Any) -> Reply | str:
    """One result: the reply, or why there is none."""
    if result.type == "succeeded":
        return message_reply(result.message)
    if result.type == "errored":
        return f"{result.error.error.type}: {result.error.error.message}"
    return f"{result.type} before it was answered: ask again with --resume"
