"""Load a server with good and bad requests, and compare with one process a request.

    python bench/serve.py [--seconds 60] [--clients 32] [--processes 3]

Three in four clients ask about pictures, kept or sent along; the others send broken pictures, bombs
of 50 megapixels, nonsense and bodies that come byte by byte. At the same time schemathesis tries
what the server's own description allows and forbids. Prints requests a second, p50 and p99 of those
that were answered, statuses, and the server's memory after the first fifth and at the end. Exits
with 1 when a status is none that its request should have, schemathesis finds something, memory
grows by more than a fifth, or the server is less than ten times as fast as processes.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np
from PIL import Image

DEMO = Path(__file__).parents[1] / "examples" / "demo.png"
SENTENCES = ("all bottles", "the leftmost box", "the whole thing behind the others", "a zebra")
BUSY = {429, 503}
ANSWERED = {200} | BUSY
LEFT = 0
REFUSED = {400, 404, 413, 422, LEFT} | BUSY
SERVE = (sys.executable, "-m", "askmask", "serve", "--port", "0", "--max-queue", "48")


def start() -> tuple[subprocess.Popen[str], int]:
    """A server process and its port."""
    server = subprocess.Popen(SERVE, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("{"):
            break
    # Whatever it logs is to be read, or it would wait.
    threading.Thread(target=server.stderr.read, daemon=True).start()
    return server, json.loads(line)["port"]


def memory_mb(process: int) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask(port: int, path: str, content: object) -> int:
    """Status of one request."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    connection = HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        connection.request("POST", path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def code(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def picture_file(image: Image.Image, kind: str) -> bytes:
    """A picture as file."""
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


BOMB = code(picture_file(Image.new("1", (7_100, 7_000)), "PNG"))
"""A few kilobytes that become 150 megabytes."""


def pictures() -> list[str]:
    """The demo, and some noise of other sizes."""
    made = [code(DEMO.read_bytes())]
    for seed, (height, width) in enumerate(((240, 320), (480, 640), (200, 900))):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        made.append(code(picture_file(Image.fromarray(pixels), "JPEG")))
    return made


def good(port: int, chance: random.Random, made: list[str], kept: list[str]) -> int:
    """One request that can be answered."""
    text = chance.choice(SENTENCES)
    kind = chance.random()
    if kind < 0.7:
        status = ask(port, f"/v1/images/{chance.choice(kept)}/answers", {"text": text})
    elif kind < 0.8:
        status = ask(port, "/v1/images", {"image": chance.choice(made)})
    else:
        status = ask(port, "/v1/segment", {"image": chance.choice(made), "text": text})
    return status


def bad(port: int, chance: random.Random, made: list[str]) -> int:
    """One request that cannot."""
    kind = chance.randrange(6)
    if kind == 0:
        return ask(port, "/v1/segment", {"image": BOMB, "text": "a mug"})
    if kind == 1:
        return ask(port, "/v1/segment", {"image": made[0][: chance.randrange(9_000)], "text": "a"})
    if kind == 2:
        return ask(port, "/v1/segment", b"[" * 50_000)
    if kind == 3:
        return ask(port, "/v1/images/nothing/answers", {"text": "a mug"})
    if kind == 4:
        try:
            return ask(port, "/v1/images", b"x" * 21_000_000)
        except (ConnectionResetError, BrokenPipeError):  # it does not wait for all of that
            return LEFT
    with socket.create_connection(("127.0.0.1", port), timeout=90) as slow:
        slow.sendall(b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n")
        for _ in range(chance.randrange(20)):
            slow.sendall(b"{")
            time.sleep(0.2)
    return LEFT


class Load:
    """What the clients have seen."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._lock = threading.Lock()

    def begin(
        self, port: int, made: list[str], kept: list[str], clients: int, until: float
    ) -> list[threading.Thread]:
        """Start the clients, every fourth one a bad one."""
        threads = []
        for number in range(clients):
            chance = random.Random(number)
            act, allowed = partial(good, port, chance, made, kept), ANSWERED
            if is_bad := number % 4 == 3:
                act, allowed = partial(bad, port, chance, made), REFUSED
            about = (act, "bad" if is_bad else "good", allowed, until)
            threads.append(threading.Thread(target=self.client, args=about))
            threads[-1].start()
        return threads

    def client(self, act: Callable[[], int], name: str, allowed: set[int], until: float) -> None:
        """Ask again and again."""
        while time.monotonic() < until:
            begin = time.monotonic()
            try:
                status: int | str = act()
            except (HTTPException, OSError) as error:
                status = type(error).__name__
            with self._lock:
                self.statuses[f"{name} {status}"] += 1
                if status not in allowed:
                    self.wrong[f"{name} {status}"] += 1
                if status == 200:
                    self.seconds.append(time.monotonic() - begin)


def one_process_each(count: int) -> float:
    """Seconds of a request that starts a process of its own."""
    command = [sys.executable, "-m", "askmask", "segment", str(DEMO), SENTENCES[0], "--json"]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        for _ in range(count):
            subprocess.run([*command, "--out", out], capture_output=True, check=True)
    return (time.monotonic() - begin) / count


def explore(port: int, seconds: float, folder: str) -> subprocess.Popen[bytes]:
    """Begin to try what the description allows and forbids; what is found goes to found.txt.

    It cannot say which strings are pictures, so what it allows may be refused.
    """
    where = f"http://127.0.0.1:{port}/openapi.json"
    options = ["--max-time", f"{seconds:.0f}", "--exclude-checks", "positive_data_acceptance"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", where, "--request-timeout", "90"]
    with Path(folder, "found.txt").open("w") as found:
        return subprocess.Popen([*command, *options], stdout=found, stderr=found, cwd=folder)


def keep(port: int, picture: str) -> str:
    """Let the server keep a picture and return its id."""
    connection = HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        body = json.dumps({"image": picture})
        connection.request("POST", "/v1/images", body, {"content-type": "application/json"})
        return str(json.loads(connection.getresponse().read())["id"])
    finally:
        connection.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--processes", type=int, default=3)
    options = parser.parse_args()
    made, load = pictures(), Load()
    server, port = start()
    try:
        kept = [keep(port, picture) for picture in made]
        with tempfile.TemporaryDirectory() as folder:
            explorer = explore(port, options.seconds, folder)
            begin = time.monotonic()
            threads = load.begin(port, made, kept, options.clients, begin + options.seconds)
            time.sleep(options.seconds / 5)
            early = memory_mb(server.pid)
            for thread in threads:
                thread.join()
            took = time.monotonic() - begin
            explorer.wait()
            found = Path(folder, "found.txt").read_text().splitlines()
        late = memory_mb(server.pid)
    finally:
        server.terminate()
        server.wait(60)
    p50, p99 = (1_000 * np.percentile(load.seconds or [float("nan")], q) for q in (50, 99))
    rate = len(load.seconds) / took
    each = one_process_each(options.processes)
    print(f"{sum(load.statuses.values()) / took:.1f} requests/s, {rate:.1f} answered with 200/s")
    print(f"answered: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {options.clients} clients at once")
    print("statuses:", dict(sorted(load.statuses.items())))
    print(
        "schemathesis:", *(line for line in found if explorer.returncode or " generated, " in line)
    )
    print(f"memory: {early:.0f} MB after a fifth, {late:.0f} MB at the end")
    print(f"one process a request: {each:.2f} s each; the server answers {rate * each:.0f} x")
    if load.wrong or explorer.returncode or late > 1.2 * early or rate * each < 10:
        sys.exit(f"failed; statuses that should not be: {dict(load.wrong)}")


if __name__ == "__main__":
    main()
