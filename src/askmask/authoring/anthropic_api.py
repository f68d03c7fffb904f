"""Writers behind Anthropic's API, by its official SDK: Messages, and Message Batches at half price.

The SDK's own retries are off: what may be repeated differs between a message and the hand-in of a
batch, and is decided in `patience` for every server alike.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from askmask.authoring.marks import marked_jpeg
from askmask.authoring.patience import Broken, Patience, failure_of_status
from askmask.authoring.prompt import instructions
from askmask.authoring.writer import MAX_REPLY_TOKENS, Reply, Request, Usage
from askmask.errors import MissingExtraError, WriterError

if TYPE_CHECKING:
    import anthropic

__all__ = ["AnthropicBatches", "AnthropicMessages"]

_TIMEOUT = 600.0

_T = TypeVar("_T")


def _client(base_url: str | None) -> anthropic.Anthropic:
    """Make the SDK's client; the API key comes from the environment: ANTHROPIC_API_KEY."""
    try:
        import anthropic
    except ImportError as error:
        raise MissingExtraError.of("anthropic", "llm", "asking Anthropic's models") from error
    try:
        return anthropic.Anthropic(base_url=base_url, max_retries=0, timeout=_TIMEOUT)
    except anthropic.AnthropicError as error:
        raise WriterError(f"Anthropic's SDK: {error}; set ANTHROPIC_API_KEY") from error


def _translated(call: Callable[[], _T]) -> _T:
    """Return what `call` returns; the SDK's exceptions become ours."""
    import anthropic

    try:
        return call()
    except anthropic.APIStatusError as error:
        retry_after = error.response.headers.get("retry-after")
        raise failure_of_status(
            "Anthropic", error.status_code, error.message, retry_after
        ) from error
    except anthropic.APIConnectionError as error:
        raise Broken(f"Anthropic cannot be reached or broke off ({error})") from error
    except (anthropic.APIResponseValidationError, ValueError) as error:
        raise Broken(f"Anthropic answered with broken JSON ({error})") from error
    except (anthropic.AnthropicError, TypeError) as error:  # TypeError: no credentials
        reason = " ".join(str(error).split())[:300]
        raise WriterError(f"Anthropic's SDK: {reason}; is ANTHROPIC_API_KEY set?") from error


def _body(model: str, request: Request, cache_for: str) -> dict[str, Any]:
    """Parameters of a message: the rules, kept in the server's cache, then picture and list."""
    return {
        "model": model,
        "max_tokens": MAX_REPLY_TOKENS,
        "system": [
            {
                "type": "text",
                "text": instructions(),
                "cache_control": {"type": "ephemeral", "ttl": cache_for},
            }
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {
                            "type": "base64",
                            "media_type": "image/jpeg",
                            "data": base64.b64encode(marked_jpeg(request.picture)).decode(),
                        },
                    },
                    {"type": "text", "text": request.message},
                ],
            }
        ],
    }


def _reply(message: Any) -> Reply:
    """Read a message; raises Broken when it is none."""
    try:
        texts = [block.text for block in message.content if block.type == "text"]
        usage = message.usage
        return Reply(
            text="".join(texts),
            usage=Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_write_tokens=usage.cache_creation_input_tokens or 0,
                cache_read_tokens=usage.cache_read_input_tokens or 0,
            ),
            stop=message.stop_reason or "",
        )
    except (AttributeError, TypeError) as error:
        raise Broken(f"Anthropic: expected a message, got {str(message)[:200]}") from error


class AnthropicMessages:
    """Asks for questions about one picture at a time."""

    looks = True

    def __init__(
        self, model: str, *, base_url: str | None = None, patience: Patience | None = None
    ) -> None:
        """Nothing is sent yet.

        Raises:
            MissingExtraError: when the SDK is not installed.
            WriterError: when the SDK finds no credentials.
        """
        self.name = f"anthropic/{model}"
        self._model = model
        self._client = _client(base_url)
        self._patience = patience or Patience()

    def write(self, request: Request) -> Reply:
        """Ask about a picture; see `Writer`."""
        body = _body(self._model, request, "5m")
        headers = {"idempotency-key": request.key}

        def ask() -> Reply:
            return _reply(self._client.messages.create(**body, extra_headers=headers))

        return self._patience.call(lambda: _translated(ask))


class AnthropicBatches:
    """Asks for questions about many pictures at once."""

    looks = True

    def __init__(
        self, model: str, *, base_url: str | None = None, patience: Patience | None = None
    ) -> None:
        """As of `AnthropicMessages`, whose replies serve this writer too and the other way."""
        self.name = f"anthropic/{model}"
        self._model = model
        self._batches = _client(base_url).messages.batches
        self._patience = patience or Patience()

    def body(self, request: Request) -> object:
        """Parameters of one message; see `BatchWriter`."""
        return _body(self._model, request, "1h")

    def submit(self, bodies: Mapping[str, object]) -> str:
        """Hand in a batch; see `BatchWriter`."""
        requests: Any = [{"custom_id": key, "params": body} for key, body in bodies.items()]

        def ask() -> str:
            return str(self._batches.create(requests=requests).id)

        return self._patience.call(lambda: _translated(ask), repeats_broken=False)

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

        return self._patience.call(lambda: _translated(ask))

    def collect(self, batch: str) -> Iterable[tuple[str, Reply | str]] | None:
        """Results of a batch, read as they come; see `BatchWriter`."""

        def ask() -> Any:
            if self._batches.retrieve(batch).processing_status != "ended":
                return None
            return self._batches.results(batch)

        stream = self._patience.call(lambda: _translated(ask))
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
        return _reply(result.message)
    if result.type == "errored":
        return f"{result.error.error.type}: {result.error.error.message}"
    return f"{result.type} before it was answered: ask again with --resume"
