"""Load a server with good and bad requests, and compare with one process a request.

    python bench/serve.py [--seconds 60] [--clients 32] [--processes 3]

Three in four clients ask about pictures, kept or sent along; the others send broken pictures,
bombs of 64 megapixels, nonsense and bodies that never end. Prints requests a second, p50 and p99 of
the good ones, statuses, and the server's memory after the first fifth and at the end. Answers of
status 500 and memory that grows by more than a fifth end with exit code 1.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np
from PIL import Image

DEMO = Path(__file__).parents[1] / "examples" / "demo.png"
SENTENCES = ("all bottles", "the leftmost box", "the whole thing behind the others", "a zebra")
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


def bomb() -> bytes:
    """A PNG whose header says 64 megapixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 8_000, 8_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + head + struct.pack(">I", zlib.crc32(head))


def pictures() -> list[str]:
    """The demo, and some noise of other sizes."""
    made = [code(DEMO.read_bytes())]
    for seed, (height, width) in enumerate(((240, 320), (480, 640), (200, 900))):
        stream = io.BytesIO()
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(stream, "JPEG")
        made.append(code(stream.getvalue()))
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
        return ask(port, "/v1/segment", {"image": code(bomb()), "text": "a mug"})
    if kind == 1:
        return ask(port, "/v1/segment", {"image": made[0][: chance.randrange(9_000)], "text": "a"})
    if kind == 2:
        return ask(port, "/v1/segment", b"[" * 50_000)
    if kind == 3:
        return ask(port, "/v1/images/nothing/answers", {"text": "a mug"})
    if kind == 4:
        return ask(port, "/v1/images", b"x" * 21_000_000)
    with socket.create_connection(("127.0.0.1", port), timeout=90) as slow:
        slow.sendall(b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n{")
        time.sleep(chance.random())
    return 0


class Load:
    """What the clients have seen."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._lock = threading.Lock()

    def client(self, act: Callable[[], int], name: str, until: float) -> None:
        """Ask again and again."""
        while time.monotonic() < until:
            begin = time.monotonic()
            try:
                status = act()
            except (HTTPException, OSError) as error:
                status = -1
                name = f"{type(error).__name__} {name.split()[-1]}"
            with self._lock:
                self.statuses[f"{name} {status}"] += 1
                if status == 200:
                    self.seconds.append(time.monotonic() - begin)


def one_process_each(count: int) -> float:
    """Seconds of a request that starts a process of its own."""
    command = [sys.executable, "-m", "askmask", "segment", str(DEMO), SENTENCES[0], "--json"]
    begin = time.monotonic()
    for _ in range(count):
        subprocess.run([*command, "--out", "/tmp/askmask-bench"], capture_output=True, check=True)
    return (time.monotonic() - begin) / count


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
        kept = []
        for picture in made:
            connection = HTTPConnection("127.0.0.1", port, timeout=90)
            connection.request(
                "POST",
                "/v1/images",
                json.dumps({"image": picture}),
                {"content-type": "application/json"},
            )
            kept.append(json.loads(connection.getresponse().read())["id"])
            connection.close()
        begin = time.monotonic()
        until = begin + options.seconds
        threads = []
        for number in range(options.clients):
            chance = random.Random(number)
            act, name = (
                ((lambda c=chance: bad(port, c, made)), "bad")
                if number % 4 == 3
                else ((lambda c=chance: good(port, c, made, kept)), "good")
            )
            threads.append(threading.Thread(target=load.client, args=(act, name, until)))
            threads[-1].start()
        time.sleep(options.seconds / 5)
        early = memory_mb(server.pid)
        for thread in threads:
            thread.join()
        took = time.monotonic() - begin
        late = memory_mb(server.pid)
    finally:
        server.terminate()
        server.wait(60)
    p50, p99 = (1_000 * np.percentile(load.seconds or [float("nan")], q) for q in (50, 99))
    rate = len(load.seconds) / took
    print(f"{sum(load.statuses.values()) / took:.1f} requests/s, {rate:.1f} answered with 200/s")
    print(f"answered: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {options.clients} clients at once")
    print("statuses:", dict(sorted(load.statuses.items())))
    print(f"memory: {early:.0f} MB after a fifth, {late:.0f} MB at the end")
    if options.processes:
        each = one_process_each(options.processes)
        print(f"one process a request: {each:.2f} s each; the server answers {rate * each:.0f} x")
    if any(name.endswith(" 500") for name in load.statuses) or late > 1.2 * early:
        sys.exit(1)


if __name__ == "__main__":
    main()
