"""`askmask serve` as a process: its log, its token, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from running import DEMO, Client, base64_of

COMMAND = (sys.executable, "-m", "askmask", "serve", "--seconds", "120")


class Process:
    """A server process."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running
        assert running.stderr is not None
        self._lines = iter(running.stderr)
        for line in self._lines:
            if line.startswith("{"):
                self.first = json.loads(line)
                break
        self.client = Client(self.first["port"], None)  # type: ignore[arg-type]

    def line(self) -> dict[str, Any]:
        """The next line of the log."""
        return dict(json.loads(next(self._lines)))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._running.send_signal(number)

    def rest(self) -> tuple[int, list[str]]:
        """Exit code, and the lines that were not read, after the end."""
        lines = list(self._lines)
        return self._running.wait(120), lines


@contextmanager
def process(*options: str, **variables: str) -> Iterator[Process]:
    running = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        yield Process(running)
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def test_it_logs_finishes_what_runs_and_refuses_what_is_new() -> None:
    demo = base64_of(DEMO.read_bytes())
    with process("--token", ASKMASK_TOKEN="sesame") as server, ThreadPoolExecutor(4) as pool:
        assert server.first["listening"] == "127.0.0.1"
        client, key = server.client, {"token": "sesame"}
        assert client.post("/v1/segment", {})[0] == 401
        assert client.post("/v1/segment", {"image": demo, "text": "my secret mug"}, **key)[0] == 200
        refused, answered = server.line(), server.line()
        assert (refused["status"], refused["refused"]) == (401, "unauthorized")
        assert (answered["path"], answered["status"]) == ("/v1/segment", 200)
        assert answered["bytes_in"] > len(demo)
        assert answered["ms"] > 0
        assert not {"secret", "sesame", demo[:20]} & set(json.dumps(answered).split())
        assert "secret" not in json.dumps(answered)

        items = [{"image": demo, "text": "all boxes"}] * 12
        asked = [pool.submit(client.post, "/v1/batch", {"items": items}, **key) for _ in range(3)]
        while b"askmask_jobs 3.0" not in client.raw("GET", "/metrics", **key)[2]:
            assert not any(one.done() for one in asked)
        server.stop()
        assert [one.result()[0] for one in asked] == [200] * 3
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", client.port), timeout=60).close()
        code, lines = server.rest()
        assert code == 0
        assert all(json.loads(line)["status"] == 200 for line in lines)


def fails(*arguments: str) -> str:
    """Line that a command leaves with exit code 1."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "ASKMASK_TOKEN": ""},
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done
    return done.stderr.splitlines()[-1]


def test_what_it_cannot_start_with() -> None:
    assert "expected the token in the variable ASKMASK_TOKEN" in fails("--token")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in fails("--port", str(port))
