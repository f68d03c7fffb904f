"""A local server that speaks OpenAI's and Anthropic's wire formats, faults included.

It checks what it is sent as strictly as the real ones, counts what it would charge, honours
idempotency keys, and can kill the process that calls it at a chosen moment.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PLACES = "abcdefgh"
NOW = "2026-11-21T08:00:00Z"


def written(message: str) -> str:
    """What the "model" answers: good questions, and of each fault one."""
    numbers = [int(n) for n in re.findall(r"^\[(\d+)\]", message, re.M)]
    hidden = [int(n) for n in re.findall(r"^\[(\d+)\].*% hidden", message, re.M)]
    name = re.search(r"^\[1\] ([a-z ]+);", message, re.M)[1]  # type: ignore[index]
    lines = ["Here are the questions:"]
    lines += [f'<Q type="modal">Pick the one in place {PLACES[n]}.</Q><A>{n}</A>' for n in numbers]
    shown = min(set(numbers) - set(hidden))
    lines += [
        f'<Q type="modal">Pick the one in place {PLACES[numbers[0]]}!</Q><A>{numbers[0]}</A>',
        '<Q type="modal">What nobody annotated?</Q><A>99</A>',
        f'<Q type="modal">Show me the {name}s.</Q><A>1</A>',
        f'<Q type="amodal">Complete the uncovered one.</Q><A>{shown}</A>',
    ]
    lines += [
        f'<Q type="amodal">All of what is half hidden at {n * "x"}</Q><A>{n}</A>' for n in hidden
    ]
    lines.append('<Q type="amodal">And this one was cut o')
    return "\n".join(lines)


class FakeServer:
    """Call `start`, use `url`, call `stop`.

    Attributes:
        billed: key or custom id -> how often its answer was made and charged.
        batches: id -> {"created_at", "requests", "polls"}.
        faults: one of "401", "429", "529", "500", "slow", "truncated", "garbage", "prose",
            "refusal", "" for each call in turn.
        refused: if this is in a message, the request gets 400.
        writes: what the "model" answers to a message.
        lacks: parameters of requests that get 400, as of servers that do not know them.
        odds: piece of an answer -> probabilities of what could have stood there.
        bodies: what was sent, as JSON.
        kill: (process id, calls until then, "before" | "during" | "after" the work, seconds to
            wait before the blow).
    """

    def __init__(self) -> None:
        self.billed: Counter[str] = Counter()
        self.answers: dict[str, Any] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.faults: list[str] = []
        self.results_faults: list[str] = []
        self.refused = "never in a message"
        self.writes: Callable[[str], str] = written
        self.lacks: set[str] = set()
        self.odds: Mapping[str, Mapping[str, float]] = {}
        self.bodies: list[Any] = []
        self.kill: tuple[int, int, str, float] | None = None
        self.calls: list[str] = []
        self.lock = threading.RLock()
        self.rng = random.Random(0)
        self.polls_until_ended = 1
        server = self

        class Handler(_Handler):
            fake = server

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def kill_phase(self) -> str:
        """Count a call; say in which phase of it the caller dies, or ""."""
        with self.lock:
            if self.kill is None:
                return ""
            pid, left, phase, delay = self.kill
            if left > 0:
                self.kill = (pid, left - 1, phase, delay)
                return ""
            return phase

    def strike(self) -> None:
        with self.lock:
            kill, self.kill = self.kill, None
        if kill is not None:
            time.sleep(kill[3])
            with contextlib.suppress(ProcessLookupError):  # it was done before the blow
                os.kill(kill[0], signal.SIGKILL)


@pytest.fixture
def llm_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A running server, and the key that it wants."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fake = FakeServer()
    fake.start()
    yield fake
    fake.stop()


class Refused(Exception):
    pass


def need(condition: object, problem: str) -> None:
    if not condition:
        raise Refused(problem)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer("")

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.answer(self.rfile.read(length).decode())

    def answer(self, raw: str) -> None:
        fake = self.fake
        path = self.path.partition("?")[0]
        phase = fake.kill_phase()
        if phase == "before":
            fake.strike()
            return
        with fake.lock:
            fake.calls.append(f"{self.command} {path}")
            results = path.endswith("/results")
            faults = fake.results_faults if results else fake.faults
            fault = faults.pop(0) if faults else ""
        if fault == "slow":
            time.sleep(0.4)
        if fault in ("401", "429", "529", "500", "429-date"):
            self.refuse(fault)
            return
        if not path.startswith("/v1/"):
            self.send(404, "{}")
            return
        try:
            with fake.lock:
                body = self.result(path, json.loads(raw) if raw else None, fault)
        except (Refused, KeyError, TypeError, ValueError) as error:
            error_body = {"type": "error", "error": {"type": "invalid_request_error"}}
            error_body["error"]["message"] = repr(error)  # type: ignore[index]
            self.send(400, json.dumps(error_body))
            return
        if phase == "during":
            self.send(200, body, cut=len(body.encode()) // 2)
            fake.strike()
            return
        if fault == "garbage":
            self.send(200, '{"oops": ')
        elif fault == "truncated":
            self.send(200, body, cut=len(body.encode()) // 2)
        else:
            self.send(200, body)
        if phase == "after":
            fake.strike()

    def refuse(self, fault: str) -> None:
        wait = "Sat, 21 Nov 2020 08:00:00 GMT" if fault == "429-date" else "0.01"
        kind = {"429": "rate_limit_error", "529": "overloaded_error"}.get(fault, "api_error")
        body = {"type": "error", "error": {"type": kind, "message": "come again"}}
        headers = {} if fault == "500" else {"retry-after": wait}
        self.send(int(fault[:3]), json.dumps(body), headers=headers)

    def send(
        self, status: int, body: str, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(data[:cut])
            self.wfile.flush()
        except OSError:
            pass  # the caller was killed
        if cut is not None:
            self.close_connection = True

    def result(self, path: str, body: Any, fault: str = "") -> str:
        fake = self.fake
        fake.bodies.append(body)
        lacking = sorted(fake.lacks & set(body or ()))
        need(not lacking, f"{lacking} is not supported")

        def writes(message: str) -> str:
            said = {"prose": "The second one.", "refusal": "I must not."}
            return said.get(fault) or fake.writes(message)

        if path == "/v1/chat/completions":
            key = self.headers["idempotency-key"]
            return json.dumps(
                self.once(key, body, lambda body: completion(body, writes, fake.odds, fault))
            )
        keys = (self.headers["x-api-key"], self.headers["authorization"])
        need("test" in keys or "Bearer test" in keys, "no API key")
        need(self.headers["anthropic-version"], "no anthropic-version")
        if path == "/v1/messages":
            key = self.headers["idempotency-key"]
            return json.dumps(self.once(key, body, lambda body: message(body, writes, fault)))
        if path == "/v1/messages/batches":
            return json.dumps(self.make_batch(body) if body else self.list_batches())
        batch, results = re.fullmatch(r"/v1/messages/batches/(\w+)(/results)?", path).groups()  # type: ignore[union-attr]
        return self.results(batch) if results else json.dumps(self.batch(batch, poll=True))

    def once(self, key: str | None, body: Any, make: Any) -> Any:
        """Do the work of a request; a repeated idempotency key gets the first answer again."""
        fake = self.fake
        key = key or base64.b64encode(os.urandom(9)).decode()
        need(fake.refused not in json.dumps(body), "refused as told")
        if key not in fake.answers:
            fake.answers[key] = make(body)
            fake.billed[key] += 1
        return fake.answers[key]

    def make_batch(self, body: Any) -> Any:
        fake = self.fake
        ids = [one["custom_id"] for one in body["requests"]]
        need(all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one) for one in ids), "custom_id")
        need(len(set(ids)) == len(ids) and ids, "custom ids must differ")
        for one in body["requests"]:
            check_message(one["params"])
        name = f"msgbatch_{len(fake.batches):03}"
        created = datetime.now(UTC).isoformat()
        fake.batches[name] = {"requests": body["requests"], "polls": 0, "created_at": created}
        fake.billed.update(ids)
        return self.batch(name)

    def batch(self, name: str, *, poll: bool = False) -> Any:
        fake = self.fake
        need(name in fake.batches, "no such batch")
        batch = fake.batches[name]
        batch["polls"] += poll
        ended = batch["polls"] > fake.polls_until_ended
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if ended else "processing"] = len(batch["requests"])
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": batch["created_at"],
            "expires_at": "2027-01-01T00:00:00Z",
            "ended_at": NOW if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{fake.url}/v1/messages/batches/{name}/results" if ended else None,
        }

    def list_batches(self) -> Any:
        """Newest first, in pages of two, as few as they are."""
        names = sorted(self.fake.batches, reverse=True)
        after = re.search(r"after_id=(\w+)", self.path)
        if after:
            names = names[names.index(after[1]) + 1 :]
        page = names[:2]
        return {
            "data": [self.batch(name) for name in page],
            "has_more": len(names) > 2,
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }

    def results(self, name: str) -> str:
        """One line a request, in any order."""
        lines = []
        for one in self.fake.batches[name]["requests"]:
            result: Any = {"type": "succeeded", "message": message(one["params"], written)}
            if self.fake.refused in json.dumps(one["params"]):
                error = {"type": "invalid_request_error", "message": "refused as told"}
                result = {"type": "errored", "error": {"type": "error", "error": error}}
            lines.append(json.dumps({"custom_id": one["custom_id"], "result": result}))
        self.fake.rng.shuffle(lines)
        return "\n".join(lines) + "\n"


def check_picture(data: str) -> None:
    need(base64.b64decode(data)[:3] == b"\xff\xd8\xff", "expected a JPEG")


def check_schema(schema: Any) -> None:
    """Check what both servers want of a strict schema."""
    need(schema["additionalProperties"] is False, "additionalProperties")
    need(set(schema["required"]) == set(schema["properties"]), "all must be required")


def completion(
    body: Any,
    writes: Callable[[str], str],
    odds: Mapping[str, Mapping[str, float]],
    fault: str = "",
) -> Any:
    """Answer a chat as OpenAI does."""
    need(body["model"] == "tiny" and body["max_tokens"] > 0, "model, max_tokens")
    system, user = body["messages"]
    need((system["role"], user["role"]) == ("system", "user"), "roles")
    *pictures, text = user["content"]
    for picture in pictures:
        kind, _, data = picture["image_url"]["url"].partition(",")
        need(kind == "data:image/jpeg;base64", "data url")
        check_picture(data)
    if "response_format" in body:
        need(body["response_format"]["type"] == "json_schema", "response_format")
        check_schema(body["response_format"]["json_schema"]["schema"])
    said: Any = {"role": "assistant", "content": writes(text["text"]), "refusal": None}
    if fault == "refusal":
        said = {"role": "assistant", "content": None, "refusal": said["content"]}
    pieces = re.findall(r"\d|\D+", said["content"] or "") if body.get("logprobs") else []
    need(not pieces or 0 <= body["top_logprobs"] <= 20, "top_logprobs")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "finish_reason": "length",
                "message": said,
                "logprobs": {"content": [token(piece, odds) for piece in pieces]},
            }
        ],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100},
    }


def token(piece: str, odds: Mapping[str, Mapping[str, float]]) -> Any:
    shares = odds.get(piece, {piece: 1.0})
    others = [{"token": other, "logprob": math.log(share)} for other, share in shares.items()]
    return {"token": piece, "logprob": 0.0, "top_logprobs": others}


def check_message(body: Any) -> str:
    """Check the parameters of a message; return its text."""
    need(body["model"] == "tiny" and body["max_tokens"] > 0, "model, max_tokens")
    need(body["system"][0]["cache_control"]["type"] == "ephemeral", "cache_control")
    (user,) = body["messages"]
    need(user["role"] == "user", "role")
    *pictures, text = user["content"]
    for picture in pictures:
        need(picture["type"] == "image" and text["type"] == "text", "content")
        check_picture(picture["source"]["data"])
    if "output_config" in body:
        need(body["output_config"]["format"]["type"] == "json_schema", "output_config")
        check_schema(body["output_config"]["format"]["schema"])
    return text["text"]


def message(body: Any, writes: Callable[[str], str], fault: str = "") -> Any:
    """Answer a message as Anthropic does."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [{"type": "text", "text": writes(check_message(body))}],
        "stop_reason": "refusal" if fault == "refusal" else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 500,
            "output_tokens": 100,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 500,
        },
    }
