"""What a server refuses, and that it goes on afterwards."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import PATIENT, Braked, Client, base64_of, bomb, form, noise, png, running

from askmask.errors import ConfigError
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.serve.limits import MAX_BATCH, MAX_REFERENCES, Limits
from askmask.serve.service import Service
from askmask.types import MAX_TEXT

SMALL = base64_of(png(np.full((30, 40, 3), 120, np.uint8)))
GREY = base64_of(png(np.zeros((30, 40), np.uint8)))
POINT = {"x": 1, "y": 1}


def asked(**changes: Any) -> dict[str, Any]:
    return {"image": SMALL, "text": "all mugs", **changes}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in asked().items() if name != key}


REFUSED: dict[str, tuple[Any, int, str]] = {
    "no JSON": (b"{", 422, "JSON"),
    "not UTF-8": (b'{"text": "\xff"}', 400, "body"),
    "too deep": (b"[" * 100_000, 400, "body"),
    "a huge number": (b'{"text": ' + b"9" * 10_000 + b"}", 400, "body"),
    "a list": ([], 422, "body"),
    "no picture": (without("image"), 422, "body.image: Field required"),
    "no sentence": (without("text"), 422, "body.text: Field required"),
    "an empty sentence": (asked(text=" \n"), 422, "the sentence is empty"),
    "a long sentence": (asked(text="a" * (MAX_TEXT + 1)), 422, "at most 2000 characters"),
    "half a letter": (b'{"image": "", "text": "\\ud800"}', 422, "body.text"),
    "a number as sentence": (asked(text=7), 422, "body.text"),
    "an unknown key": (asked(url="http://example.com/a.png"), 422, "body.url: Extra inputs"),
    "an unknown mask type": (asked(mask_type="visible"), 422, "body.mask_type"),
    "an address": (asked(image="http://127.0.0.1/a.png"), 422, "neither is ever opened"),
    "a file address": (asked(image="file:///etc/passwd"), 422, "neither is ever opened"),
    "a path": (asked(image="/etc/passwd"), 422, "neither is ever opened"),
    "a relative path": (asked(image="../examples/demo.png"), 422, "base64"),
    "bad base64": (asked(image="iVBORw0KGgo*"), 422, "expected a file in base64"),
    "cut base64": (asked(image=SMALL[:-1]), 422, "expected a file in base64"),
    "base64 of another alphabet": (asked(image="é" * 40), 422, "expected a file in base64"),
    "a data URI in per cent": (asked(image="data:image/png,%89PNG"), 422, "';base64,'"),
    "nothing": (asked(image=""), 422, "got nothing"),
    "text for a picture": (asked(image=base64_of(b"hello")), 422, "PNG, JPEG, WEBP"),
    "a GIF": (asked(image=base64_of(b"GIF89a" + b"\0" * 50)), 422, "PNG, JPEG, WEBP"),
    "half a picture": (asked(image=SMALL[:60]), 422, "image: "),
    "a bomb of 64 megapixels": (asked(image=base64_of(bomb(8_000, 8_000))), 422, "16,000,000"),
    "a bomb of gigapixels": (asked(image=base64_of(bomb(60_000, 60_000))), 422, "exceeds limit"),
    "no reference [1]": (asked(text="left of [1]"), 422, "0 reference masks were given"),
    "a point outside": (asked(references=[{"x": 40, "y": 1}]), 422, "outside the picture of 40"),
    "a point on nothing": (asked(references=[POINT]), 422, "no object was found there"),
    "a negative point": (asked(references=[{"x": -1, "y": 1}]), 422, "greater than or equal to 0"),
    "half a point": (asked(references=[{"x": 1}]), 422, "y: Field required"),
    "an endless point": (
        b'{"image": "", "text": "a", "references": [{"x": 1e999, "y": 1}]}',
        422,
        "x",
    ),
    "an empty reference": (asked(references=[{}]), 422, "size: Field required"),
    "an empty mask": (asked(references=[{"mask": GREY}]), 422, "the mask is empty"),
    "a mask of another size": (
        asked(references=[{"size": [30, 41], "counts": "0"}]),
        422,
        "the mask is 41 x 30 pixels, the picture is 40 x 30",
    ),
    "a mask bomb": (asked(references=[{"mask": base64_of(bomb(9_000, 9_000))}]), 422, "16,000,000"),
    "a broken code": (asked(references=[{"size": [30, 40], "counts": "ooo"}]), 422, "RLE"),
    "many references": (asked(references=[POINT] * (MAX_REFERENCES + 1)), 422, "at most 8 items"),
    "a long id": (asked(id="x" * 201), 422, "body.id"),
}


@pytest.mark.parametrize(("content", "status", "says"), REFUSED.values(), ids=list(REFUSED))
def test_refused(server: Client, content: Any, status: int, says: str) -> None:
    got, code, message = server.refused("/v1/segment", content)
    assert (got, says in message) == (status, True), (got, code, message)
    assert len(message) < 600


FORMS: dict[str, tuple[bytes, str]] = {
    "no boundary": (b"--x", ""),
    "a cut form": (form("cut", image=b"x", text="a mug")[:-30], "body.text: Field required"),
    "a file twice": (form("cut", image=b"x", imag=b"y"), "form"),
    "references that are no JSON": (form("cut", image=b"x", text="a", references="["), "JSON"),
    "references too deep": (form("cut", text="a", references="[" * 100_000), "JSON"),
    "no file": (form("cut", text="a mug"), "body.image: Field required"),
    "an unknown field": (form("cut", image=b"x", text="a", path="/etc/passwd"), "body.path"),
}


@pytest.mark.parametrize(("body", "says"), FORMS.values(), ids=list(FORMS))
def test_refused_forms(server: Client, body: bytes, says: str) -> None:
    kind = "multipart/form-data; boundary=cut"
    status, _, message = server.refused("/v1/segment", body, content_type=kind)
    assert status in (400, 422)
    assert says.lower() in message.lower() or status == 400


def test_other_kinds_of_bodies_and_paths(server: Client) -> None:
    body = json.dumps(asked()).encode()
    assert server.refused("/v1/segment", body, content_type="text/plain")[0] == 422
    assert server.get("/v1/nothing")[1]["error"]["code"] == "unknown_path"
    assert server.get("/v1/segment")[0] == 405
    assert server.refused("/v1/batch", {"items": []})[0] == 422
    assert server.refused("/v1/batch", {"items": [asked()] * (MAX_BATCH + 1)})[0] == 422


def test_bodies_that_are_too_large(embedded: EmbeddedSegmenter) -> None:
    with running(embedded, Limits(max_body_bytes=50_000, seconds=120)) as client:
        large = json.dumps(asked(image=base64_of(noise(200, 200)))).encode()
        assert client.refused("/v1/segment", large)[:2] == (413, "body_too_large")
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
            head = b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + (b"2710\r\n" + b"x" * 10_000 + b"\r\n") * 6 + b"0\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 413"
        assert client.post("/v1/segment", asked())[0] == 200


def test_pictures_that_are_too_large(embedded: EmbeddedSegmenter) -> None:
    with running(embedded, Limits(max_pixels=1_199, seconds=120)) as client:
        message = client.refused("/v1/segment", asked())[2]
        assert message == "image: expected at most 1,199 pixels, got 40 x 30; scale it down"


def test_slow_clients_are_told_and_do_no_harm(embedded: EmbeddedSegmenter) -> None:
    with running(embedded, Limits(body_seconds=0.4, seconds=120)) as client:
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as slow:
            slow.sendall(b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
            assert client.get("/health")[0] == 200
            assert slow.recv(12) == b"HTTP/1.1 408"
        gone = socket.create_connection(("127.0.0.1", client.port), timeout=60)
        gone.sendall(b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
        gone.close()
        assert client.post("/v1/segment", asked())[0] == 200


def waiting_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def jobs(client: Client) -> float:
    metrics = client.raw("GET", "/metrics")[2].decode()
    return float(next(x.split()[1] for x in metrics.splitlines() if x.startswith("askmask_jobs ")))


def test_a_full_queue_and_an_answer_that_comes_too_late() -> None:
    with (
        running(Braked.load("embedded-v1"), Limits(max_queue=2, seconds=120)) as client,
        ThreadPoolExecutor(3) as pool,
    ):
        Braked.go.clear()
        taken = [pool.submit(client.post, "/v1/segment", asked()) for _ in range(3)]
        try:
            waiting_for(lambda: jobs(client) == 3)
            body = json.dumps(asked()).encode()
            kind = {"content_type": "application/json"}
            status, headers, answer = client.raw("POST", "/v1/segment", body, **kind)
            assert (status, json.loads(answer)["error"]["code"]) == (429, "queue_full")
            assert int(headers["retry-after"]) >= 1
            assert client.post("/v1/batch", {"items": [asked()]})[0] == 429
            assert client.get("/health")[0] == 200
        finally:
            Braked.go.set()
        assert [one.result()[0] for one in taken] == [200] * 3
        assert client.post("/v1/segment", asked())[0] == 200


def test_an_answer_that_comes_too_late() -> None:
    with running(Braked.load("embedded-v1"), Limits(seconds=0.5)) as client:
        Braked.go.clear()
        try:
            body = json.dumps(asked()).encode()
            status, headers, answer = client.raw(
                "POST", "/v1/segment", body, content_type="application/json"
            )
            assert (status, json.loads(answer)["error"]["code"]) == (503, "too_slow")
            assert int(headers["retry-after"]) >= 1
        finally:
            Braked.go.set()
        waiting_for(lambda: jobs(client) == 0)


def test_too_many_open_requests_and_bytes(embedded: EmbeddedSegmenter) -> None:
    limits = Limits(max_requests=1, max_open_bytes=3_000, seconds=120)
    with running(embedded, limits) as client:
        assert client.refused("/v1/segment", asked(id="x" * 3_000))[:2] == (503, "out_of_room")
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as slow:
            slow.sendall(b"POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
            waiting_for(lambda: client.post("/v1/segment", asked())[0] == 503)
            assert client.get("/health")[0] == 200
        waiting_for(lambda: client.post("/v1/segment", asked())[0] == 200)


def test_pictures_are_kept_by_number_room_and_time(embedded: EmbeddedSegmenter) -> None:
    def kept(limits: Limits, sizes: list[int], pause: float = 0) -> list[int]:
        """Whether each of the pictures of these heights is still there."""
        with running(embedded, limits) as client:
            pictures = [base64_of(png(np.full((n, 30, 3), 9, np.uint8))) for n in sizes]
            ids = [client.post("/v1/images", {"image": one})[1]["id"] for one in pictures]
            time.sleep(pause)
            return [client.get(f"/v1/images/{id}/candidates")[0] for id in ids]

    assert kept(Limits(kept_pictures=2, seconds=120), [30, 31, 32]) == [404, 200, 200]
    assert kept(Limits(kept_pixels=2_549, seconds=120), [30, 40, 45]) == [404, 404, 200]
    assert kept(Limits(kept_pixels=1, seconds=120), [30, 40]) == [404, 200]
    assert kept(Limits(kept_seconds=0.2, seconds=120), [30], pause=0.3) == [404]
    assert kept(PATIENT, [30, 31]) == [200, 200]


def test_the_token(embedded: EmbeddedSegmenter, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>hello", encoding="utf-8")
    with running(embedded, token="sesame", page=tmp_path) as client:
        assert client.get("/health")[0] == 200
        assert client.raw("GET", "/page/")[2] == b"<p>hello"
        basic = base64_of(b"anyone:sesame")
        for wrong in (
            {},
            {"authorization": "Bearer sesam"},
            {"authorization": "Bearer"},
            {"authorization": "Basic ***"},
            {"authorization": "sesame"},
            {"token": "Sesame"},
        ):
            status, headers, _ = client.raw("GET", "/v1/models", **wrong)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
        for right in (
            {"authorization": "Bearer sesame"},
            {"authorization": f"Basic {basic}"},
            {"token": "sesame"},
        ):
            assert client.get("/v1/models", **right)[0] == 200
        for path in ("/metrics", "/openapi.json", "/v1/images/x/candidates", "/nothing"):
            assert client.raw("GET", path)[0] == 401
        for path in ("/v1/segment", "/predict", "/setup", "/x-anylabeling/v1/predict"):
            assert client.refused(path, asked())[0] == 401


def test_static_files_stay_in_their_folder(embedded: EmbeddedSegmenter, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    with running(embedded, page=tmp_path / "page") as client:
        for path in ("/page/../secret", "/page/%2e%2e/secret", "/page/..%2fsecret"):
            assert client.raw("GET", path)[0] == 404


def test_limits_and_models_that_cannot_be_served(embedded: EmbeddedSegmenter) -> None:
    with pytest.raises(ConfigError, match="max_queue: expected more than 0"):
        Limits(max_queue=0)
    with pytest.raises(ConfigError, match="at most 50,000,000"):
        Limits(max_pixels=60_000_000)

    class Single:
        model_id, weights_hash = "single", None

    with pytest.raises(ConfigError, match="'single' cannot be served"):
        Service(Single())  # type: ignore[arg-type]
