"""A real server on a free port in a thread of this process, and what tests send to it."""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.serve.limits import Limits
from askmask.serve.run import make_server
from askmask.serve.service import Service
from askmask.types import Answer, Query

DEMO = Path(__file__).parents[2] / "examples" / "demo.png"


PATIENT = Limits(seconds=120)
"""A busy machine must not fail a test."""


class Braked(EmbeddedSegmenter):
    """The embedded model, which begins to answer when `go` is set."""

    go = threading.Event()

    def answer(self, query: Query | str) -> Answer:
        assert self.go.wait(60)
        return super().answer(query)


class Client:
    """Speaks to a server; every call is a connection of its own."""

    def __init__(self, port: int, service: Service) -> None:
        self.port, self.service = port, service

    def raw(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            names = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return (
                response.status,
                {k.lower(): v for k, v in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        status, _, body = self.raw("GET", path, **headers)
        return status, json.loads(body)

    def post(self, path: str, content: Any, **headers: str) -> tuple[int, Any]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers.setdefault("content_type", "application/json")
        status, _, answer = self.raw("POST", path, body, **headers)
        return status, json.loads(answer)

    def refused(self, path: str, content: Any, **headers: str) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        status, answer = self.post(path, content, **headers)
        error = answer["error"]
        assert set(error) == {"code", "type", "message"}
        assert "\n" not in error["message"]
        assert "Traceback" not in error["message"]
        return status, error["code"], error["message"]


@contextmanager
def running(
    model: EmbeddedSegmenter,
    limits: Limits | None = None,
    token: str | None = None,
    page: Path | None = None,
) -> Iterator[Client]:
    """Run a server until the block ends."""
    service = Service(model, limits or PATIENT)
    server, listener = make_server(service, "127.0.0.1", 0, token=token, page=page)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield Client(listener.getsockname()[1], service)
    finally:
        server.should_exit = True
        thread.join(120)
        assert not thread.is_alive()


def png(pixels: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def noise(height: int, width: int, seed: int = 0) -> bytes:
    """A picture that compresses badly."""
    return png(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def form(boundary: str, **fields: str | bytes) -> bytes:
    """A multipart body; bytes are files."""
    parts = []
    for name, value in fields.items():
        is_file = isinstance(value, bytes)
        file = '; filename="../../etc/passwd"' if is_file else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + (value if is_file else value.encode()) + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()
