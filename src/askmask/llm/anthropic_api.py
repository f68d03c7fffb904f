"""Anthropic's API by its official SDK.

The SDK's own retries are off: what may be repeated differs between a message and the hand-in of a
batch, and is decided in `patience` for every server alike.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from askmask.errors import LLMError, MissingExtraError, RefusedError
from askmask.llm.chat import Prompt, Reply, Usage
from askmask.llm.patience import Broken, Patience, failure_of_status

if TYPE_CHECKING:
    import anthropic

__all__ = ["AnthropicMessages", "connect", "message_body", "message_reply", "translated"]

_TIMEOUT = 600.0

_KEY_VARIABLE = "ANTHROPIC_API_KEY"

_T = TypeVar("_T")


class AnthropicMessages:
    """Asks a model by Anthropic's Messages; see `ChatServer`."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        patience: Patience | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Nothing is sent yet.

        Raises:
            MissingExtraError: when the SDK is not installed.
            LLMError: when the SDK finds no credentials.
        """
        self.name = f"anthropic/{model}"
        self._model = model
        self._client = connect(self, base_url, timeout)
        self._patience = patience or Patience()

    def ask(self, prompt: Prompt) -> Reply:
        """Answer a question; see `ChatServer`."""
        body = message_body(self._model, prompt, "5m")
        headers = {} if prompt.key is None else {"idempotency-key": prompt.key}

        def ask() -> Reply:
            return message_reply(self._client.messages.create(**body, extra_headers=headers))

        try:
            return self._patience.call(lambda: translated(ask))
        except RefusedError as error:
            if prompt.schema is None or "output_config" not in str(error):
                raise
            return self.ask(replace(prompt, schema=None))  # an older model, which is told in words


def connect(owner: object, base_url: str | None, timeout: float = _TIMEOUT) -> anthropic.Anthropic:
    """Make the SDK's client; the API key comes from the environment: ANTHROPIC_API_KEY.

    Its connections stay open for the next question, and are closed when `owner` is gone.

    Raises:
        MissingExtraError: when the SDK is not installed.
        LLMError: when the SDK finds no credentials.
    """
    try:
        import anthropic
    except ImportError as error:
        raise MissingExtraError.of("anthropic", "llm", "asking Anthropic's models") from error
    try:
        client = anthropic.Anthropic(base_url=base_url, max_retries=0, timeout=timeout)
    except anthropic.AnthropicError as error:
        raise LLMError(f"Anthropic's SDK: {error}; set {_KEY_VARIABLE}") from error
    weakref.finalize(owner, client.close)
    return client


def translated(call: Callable[[], _T]) -> _T:
    """Return what `call` returns; the SDK's exceptions become ours."""
    import anthropic

    try:
        return call()
    except anthropic.APIStatusError as error:
        retry_after = error.response.headers.get("retry-after")
        raise failure_of_status(
            "Anthropic", error.status_code, error.message, retry_after, _KEY_VARIABLE
        ) from error
    except anthropic.APIConnectionError as error:
        raise Broken(f"Anthropic cannot be reached or broke off ({error})") from error
    except (anthropic.APIResponseValidationError, ValueError) as error:
        raise Broken(f"Anthropic answered with broken JSON ({error})") from error
    except (anthropic.AnthropicError, TypeError) as error:  # TypeError: no credentials
        reason = " ".join(str(error).split())[:300]
        raise LLMError(f"Anthropic's SDK: {reason}; is {_KEY_VARIABLE} set?") from error


def message_body(model: str, prompt: Prompt, cache_for: str) -> dict[str, Any]:
    """Parameters of a message: the rules, kept in the server's cache, then pictures and question.

    Args:
        model: as Anthropic calls it.
        prompt: the question; probabilities of other tokens are never told.
        cache_for: "5m" or "1h".
    """
    cached = {"type": "ephemeral", "ttl": cache_for}
    shown: list[dict[str, Any]] = [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": picture},
        }
        for picture in prompt.encoded_pictures
    ]
    shown.append({"type": "text", "text": prompt.message})
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": prompt.max_tokens,
        "system": [{"type": "text", "text": prompt.rules, "cache_control": cached}],
        "messages": [{"role": "user", "content": shown}],
    }
    if prompt.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": prompt.schema}}
    return body


def message_reply(message: Any) -> Reply:
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
