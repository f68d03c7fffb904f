"""The gate in front of all routes: token, sizes, times, and the last resort for failures.

A body is read here as a whole, so that its size, its slowness and the memory of all open bodies
are limited in one place, and routes begin with requests that have arrived.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from askmask.errors import AskmaskError
from askmask.serve.limits import Limits
from askmask.serve.metrics import Metrics
from askmask.serve.refusals import Refusal, as_refusal, refusal_response
from askmask.serve.visits import Visit, may_enter

__all__ = ["Gate"]

_DRAIN_SECONDS = 2.0
_OPEN_PATHS = ("/", "/health", "/page", "/page/")
"""Without a token: whether the server lives, and the page, which asks its user for the token."""

_ALWAYS = ("/health", "/metrics")
"""Answered also when too many requests are open."""


class _Left(Exception):
    """The client has closed the connection."""


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        metrics: Metrics,
        token: str | None,
        draining: Callable[[], bool],
    ) -> None:
        """Guard `app`.

        Args:
            app: what is behind the gate.
            limits: of the server.
            metrics: of the server.
            token: that requests must carry, or None.
            draining: whether the server is about to stop.
        """
        self._app, self._limits, self._metrics = app, limits, metrics
        self._token, self._draining = token, draining
        self._requests = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        visit = Visit(scope, send)
        self._requests += 1
        try:
            await self._answer(visit, receive)
        except _Left:
            pass
        except AskmaskError as error:
            await self._refuse(visit, as_refusal(error))
        except Exception:
            visit.failure = traceback.format_exc()
            message = f"an unexpected error; please report it with request {visit.id}"
            await self._refuse(visit, Refusal(500, "unexpected", message))
        finally:
            self._requests -= 1
            self._bytes -= visit.bytes_in
            visit.close(self._metrics)

    async def _answer(self, visit: Visit, receive: Receive) -> None:
        try:
            self._admit(visit)
            body = await self._body(visit, receive)
        except Refusal as refusal:
            if refusal.status != 408:
                await self._drain(visit, receive)
            raise
        visit.scope["state"]["deadline"] = time.monotonic() + self._limits.seconds
        await self._app(visit.scope, _replay(body, receive), visit.reply)

    def _admit(self, visit: Visit) -> None:
        """Refuse what can be refused by its head."""
        path = visit.scope["path"]
        is_open = path in _OPEN_PATHS or path.startswith("/page/")
        if self._token is not None and not is_open and not may_enter(visit.headers, self._token):
            raise Refusal(
                401,
                "unauthorized",
                "expected the server's token: send the header 'Authorization: Bearer TOKEN'",
            )
        if self._draining():
            raise Refusal(503, "stopping", "the server is stopping: ask another one, or later", 5)
        if self._requests > self._limits.max_requests and path not in _ALWAYS:
            raise Refusal(
                503, "too_many_requests", f"{self._requests - 1} requests are open: ask later", 1
            )
        length = visit.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.max_body_bytes:
            raise self._too_large(int(length))

    async def _body(self, visit: Visit, receive: Receive) -> bytes:
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while not visit.arrived:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Left
                    part = message.get("body", b"")
                    visit.arrived = not message.get("more_body", False)
                    self._take(visit, len(part))
                    parts.append(part)
        except TimeoutError:
            raise Refusal(
                408,
                "too_slow_body",
                f"expected the whole request within {self._limits.body_seconds:g} s, got "
                f"{visit.bytes_in:,} bytes: send less, or faster",
            ) from None
        return b"".join(parts)

    def _take(self, visit: Visit, size: int) -> None:
        """Count bytes that have come."""
        visit.bytes_in += size
        self._bytes += size
        if visit.bytes_in > self._limits.max_body_bytes:
            raise self._too_large(visit.bytes_in)
        if self._bytes > self._limits.max_open_bytes:
            raise Refusal(
                503, "out_of_room", "too many bytes are on their way to the server: ask later", 1
            )

    def _too_large(self, size: int) -> Refusal:
        most = self._limits.max_body_bytes
        return Refusal(
            413,
            "body_too_large",
            f"expected a request of at most {most:,} bytes, got {size:,} or more: send a smaller "
            "picture, or a JPEG",
        )

    async def _drain(self, visit: Visit, receive: Receive) -> None:
        """Read on for a while: a client that still sends would not hear the refusal."""
        if b"expect" in visit.headers:
            return  # it waits for our word before it sends
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not visit.arrived:
                    visit.arrived = not (await receive()).get("more_body", False)
        except TimeoutError:
            return

    async def _refuse(self, visit: Visit, refusal: Refusal) -> None:
        if visit.answered:  # too late to say anything
            return
        visit.scope["state"]["refused"] = refusal.code
        response = refusal_response(refusal)
        if refusal.status in (408, 413):
            response.headers["connection"] = "close"  # what else is sent is not a new request

        async def never() -> Message:
            return {"type": "http.disconnect"}

        await response(visit.scope, never, visit.reply)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body at once, and then what the connection says."""
    waiting = True

    async def again() -> Message:
        nonlocal waiting
        if waiting:
            waiting = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
