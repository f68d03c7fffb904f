"""Any server that speaks OpenAI's chat completions: vLLM, ollama, OpenAI itself."""

from __future__ import annotations

import http.client
import json
import math
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from askmask.errors import ConfigError, RefusedError
from askmask.llm.chat import REFUSED, Prompt, Reply, Token, Usage
from askmask.llm.patience import Broken, Patience, failure_of_status

__all__ = ["OpenAIServer"]

_MAX_BYTES = 10_000_000
"""Longest answer that is read."""

_KEY_VARIABLE = "OPENAI_API_KEY"

_LACKING = {"logprobs": "logprobs", "json_schema": "schema", "response_format": "schema"}
"""What a refusal names -> what the server then is not asked for again."""


class OpenAIServer:
    """Asks a model of a server; see `ChatServer`."""

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        patience: Patience | None = None,
        timeout: float = 600.0,
    ) -> None:
        """Nothing is sent yet.

        Args:
            model: as the server calls it.
            base_url: up to and with the version, e.g. "http://localhost:8000/v1". The API key, if
                one is needed, comes from the environment: OPENAI_API_KEY.
            patience: how long to try.
            timeout: seconds for one answer.

        Raises:
            ConfigError: when the url is none of a web server.
        """
        url = urllib.parse.urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.netloc:
            raise ConfigError(
                f"expected a base URL like http://localhost:8000/v1, got {base_url!r}"
            )
        self.name = f"openai/{model}"
        self._model = model
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._patience = patience or Patience()
        self._timeout = timeout
        self._limit_key = "max_tokens"
        self._lacks: frozenset[str] = frozenset()

    def ask(self, prompt: Prompt) -> Reply:
        """Answer a question; see `ChatServer`."""
        while True:
            try:
                return self._patience.call(lambda: _reply(self._post(prompt)))
            except RefusedError as error:
                if not self._give_way(str(error)):
                    raise

    def _give_way(self, refusal: str) -> bool:
        """Leave out, or call otherwise, what the server refused; False when it is nothing of it."""
        if "max_completion_tokens" in refusal and self._limit_key == "max_tokens":
            # OpenAI's newer models have another name for the limit, which older servers lack.
            self._limit_key = "max_completion_tokens"
            return True
        lacks = {option for word, option in _LACKING.items() if word in refusal} - self._lacks
        self._lacks |= lacks
        return bool(lacks)

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        shown = [
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
            for picture in prompt.encoded_pictures
        ]
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": prompt.rules},
                {"role": "user", "content": [*shown, {"type": "text", "text": prompt.message}]},
            ],
            self._limit_key: prompt.max_tokens,
        }
        if prompt.schema is not None and "schema" not in self._lacks:
            schema = {"name": "answer", "strict": True, "schema": prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if prompt.alternatives and "logprobs" not in self._lacks:
            body |= {"logprobs": True, "top_logprobs": prompt.alternatives}
        return body

    def _post(self, prompt: Prompt) -> Any:
        """Send a prompt and return the answer's JSON.

        Raises:
            Busy: when the server asks to come again.
            Broken: when no whole answer came.
            LLMError: when the server answers with another failure.
        """
        headers = {"content-type": "application/json"}
        if prompt.key is not None:
            headers["idempotency-key"] = prompt.key
        if os.environ.get(_KEY_VARIABLE):
            headers["authorization"] = f"Bearer {os.environ[_KEY_VARIABLE]}"
        call = urllib.request.Request(self._url, json.dumps(self._body(prompt)).encode(), headers)
        try:
            with urllib.request.urlopen(call, timeout=self._timeout) as answer:
                return json.loads(answer.read(_MAX_BYTES))
        except urllib.error.HTTPError as error:
            said = b""
            with error, suppress(OSError, http.client.HTTPException):
                said = error.read(2_000)
            retry_after = error.headers.get("retry-after")
            raise failure_of_status(
                self._url, error.code, said.decode("utf-8", "replace"), retry_after, _KEY_VARIABLE
            ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Broken(f"{self._url} cannot be reached or broke off ({reason})") from error
        except ValueError as error:
            raise Broken(f"{self._url} answered with broken JSON ({error})") from error


def _reply(answer: Any) -> Reply:
    """Read an answer; raises Broken when it is none."""
    try:
        choice = answer["choices"][0]
        usage = answer.get("usage") or {}
        refusal = choice["message"].get("refusal")
        stop = choice.get("finish_reason") or ""
        return Reply(
            text=refusal or choice["message"].get("content") or "",
            usage=Usage(
                int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            ),
            stop=REFUSED if refusal or stop == "content_filter" else stop,
            tokens=tuple(_tokens((choice.get("logprobs") or {}).get("content") or ())),
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise Broken(f"expected a chat completion, got {str(answer)[:200]}") from error


def _tokens(content: Iterable[Mapping[str, Any]]) -> Iterable[Token]:
    for one in content:
        others = one.get("top_logprobs") or ()
        yield Token(one["token"], {other["token"]: math.exp(other["logprob"]) for other in others})
