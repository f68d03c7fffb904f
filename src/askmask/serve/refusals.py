"""Requests that are not answered: status, code and one line that says what to do next."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import Response

from askmask.errors import AskmaskError, ConfigError, ImageError

__all__ = ["Refusal", "as_refusal", "json_response", "refusal_response"]

_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    429: "overloaded_error",
    500: "server_error",
    503: "overloaded_error",
}


class Refusal(AskmaskError):
    """A request that is not answered.

    Attributes:
        status: HTTP status.
        code: one word for programs, e.g. "queue_full".
        retry_after: seconds after which the same request may be answered, or None for never.
    """

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after


def as_refusal(error: AskmaskError) -> Refusal:
    """What a failure below the server means to its client."""
    if isinstance(error, Refusal):
        return error
    code = "invalid_query"
    if isinstance(error, ImageError):
        code = "invalid_image"
    elif isinstance(error, ConfigError):
        code = "not_supported"
    return Refusal(422, code, str(error))


def refusal_response(refusal: Refusal) -> Response:
    """The response of a refusal: `{"error": {"code", "type", "message"}}`."""
    headers = {}
    if refusal.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(refusal.retry_after)))
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    content = {
        "code": refusal.code,
        "type": _TYPES.get(refusal.status, "invalid_request_error"),
        "message": " ".join(str(refusal).split()),
    }
    return json_response({"error": content}, refusal.status, headers)


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON response in ASCII, so that no string of a request can break its encoding."""
    return Response(json.dumps(content), status, headers, "application/json")
