"""A writer behind any server that speaks OpenAI's chat completions: vLLM, ollama, OpenAI itself."""

from __future__ import annotations

import base64
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from askmask.authoring.marks import marked_jpeg
from askmask.authoring.patience import Broken, Patience, failure_of_status
from askmask.authoring.prompt import instructions
from askmask.authoring.writer import MAX_REPLY_TOKENS, Reply, Request, Usage
from askmask.errors import ConfigError, RefusedError

__all__ = ["OpenAIServer"]

_MAX_BYTES = 10_000_000
"""Longest answer that is read."""

_KEY_VARIABLE = "OPENAI_API_KEY"


class OpenAIServer:
    """Asks a model of a server for questions about one picture at a time."""

    looks = True

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

    def write(self, request: Request) -> Reply:
        """Ask about a picture; see `Writer`."""
        picture = base64.b64encode(marked_jpeg(request.picture)).decode()
        messages = [
            {"role": "system", "content": instructions()},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/jpeg;base64,{picture}"},
                    },
                    {"type": "text", "text": request.message},
                ],
            },
        ]

        def ask() -> Reply:
            body = {"model": self._model, "messages": messages, self._limit_key: MAX_REPLY_TOKENS}
            return _reply(self._post(body, request.key))

        try:
            return self._patience.call(ask)
        except RefusedError as error:
            # OpenAI's newer models have another name for the limit, which older servers lack.
            if "max_completion_tokens" not in str(error) or self._limit_key != "max_tokens":
                raise
            self._limit_key = "max_completion_tokens"
            return self._patience.call(ask)

    def _post(self, body: Mapping[str, Any], key: str) -> Any:
        """Send a request and return the answer's JSON.

        Raises:
            Busy: when the server asks to come again.
            Broken: when no whole answer came.
            WriterError: when the server answers with another failure.
        """
        headers = {"content-type": "application/json", "idempotency-key": key}
        if os.environ.get(_KEY_VARIABLE):
            headers["authorization"] = f"Bearer {os.environ[_KEY_VARIABLE]}"
        call = urllib.request.Request(self._url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(call, timeout=self._timeout) as answer:
                return json.loads(answer.read(_MAX_BYTES))
        except urllib.error.HTTPError as error:
            said = b""
            with error, suppress(OSError, http.client.HTTPException):
                said = error.read(2_000)
            retry_after = error.headers.get("retry-after")
            raise failure_of_status(
                self._url, error.code, said.decode("utf-8", "replace"), retry_after
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
        return Reply(
            text=choice["message"].get("content") or "",
            usage=Usage(
                int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            ),
            stop=choice.get("finish_reason") or "",
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise Broken(f"expected a chat completion, got {str(answer)[:200]}") from error
