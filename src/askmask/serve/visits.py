"""One request from outside: who it is, what became of it, and the line in the log about it."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.types import Message, Scope, Send

from askmask.serve.metrics import Metrics

__all__ = ["LOG", "Visit", "may_enter"]

LOG = logging.getLogger("askmask.serve")


@dataclass
class Visit:
    """A request while it is answered.

    Attributes:
        scope: of ASGI; its state carries the deadline in, and the code of a refusal out.
        send: where the response goes.
        id: comes back in the header x-request-id and stands in the log.
        status: of the response; 499 until there is one, as when the client leaves.
        bytes_in: size of the body.
        bytes_out: size of the response's body.
        arrived: whether the whole body has come.
        failure: traceback of an unexpected error, or None.
    """

    scope: Scope
    send: Send
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: int = 499
    bytes_in: int = 0
    bytes_out: int = 0
    arrived: bool = False
    failure: str | None = None
    start: float = field(default_factory=time.perf_counter)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Header lines by lower-case name; of a repeated one the last."""
        return dict(self.scope["headers"])

    @property
    def answered(self) -> bool:
        """Whether the response has begun."""
        return self.status != 499

    async def reply(self, message: Message) -> None:
        """Send a part of the response, and note what it says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
        else:
            self.bytes_out += len(message.get("body", b""))
        await self.send(message)

    def close(self, metrics: Metrics) -> None:
        """Count the request, and write one line of JSON about it: no picture, no sentence."""
        seconds = time.perf_counter() - self.start
        refused = self.scope["state"].get("refused")
        method = str(self.scope["method"])[:16]
        route = getattr(self.scope.get("route"), "path", "other")
        metrics.request(method, route, self.status, seconds, refused)
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request": self.id,
            "client": (self.scope.get("client") or ("",))[0],
            "method": method,
            "path": self.scope["path"][:200],
            "status": self.status,
            "ms": round(1000 * seconds, 1),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }
        entry |= {"refused": refused} if refused else {}
        entry |= {"failure": self.failure} if self.failure else {}
        LOG.log(logging.ERROR if self.failure else logging.INFO, json.dumps(entry))


def may_enter(headers: dict[bytes, bytes], token: str) -> bool:
    """Whether a request carries the token: as bearer, as Basic password, or in the header Token.

    Label Studio can send the second, X-AnyLabeling the third. Compared in constant time.
    """
    kind, _, value = headers.get(b"authorization", b"").partition(b" ")
    given = headers.get(b"token", b"")
    if kind.lower() == b"bearer":
        given = value.strip()
    elif kind.lower() == b"basic":
        try:
            given = base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            given = b""
    return hmac.compare_digest(given, token.encode())
