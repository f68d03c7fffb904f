"""The server answers what the same call in Python answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from python_call import Python, without_time
from running import DEMO, Client, base64_of, form, png

from askmask import rle
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.serve.app import create_app
from askmask.serve.service import Service
from askmask.types import Masks, MaskType, Query

SENTENCES = (
    "all bottles",
    "the visible part of the leftmost thing",
    "the whole thing behind the others",
    "only the hidden part of the biggest box",
    "a purple elephant",
)


def a_candidate(python: Python) -> tuple[dict[str, Any], tuple[int, int]]:
    """Code of the first candidate, and a pixel at which it is the surest."""
    candidates = python.segmenter.candidates
    mask = candidates.modal[0]
    y, x = next(
        (int(y), int(x))
        for y, x in np.argwhere(mask)
        if np.array_equal(python.segmenter.mask_at(int(x), int(y)), mask)
    )
    return dict(rle.encode(mask)), (x, y)


def test_a_picture_and_a_sentence(server: Client, python: Python, demo: str) -> None:
    asked = {"image": demo, "text": SENTENCES[0], "id": "mine"}
    status, record = server.post("/v1/segment", asked)
    assert (status, without_time(record)) == (200, python.record(SENTENCES[0], "mine"))
    assert record["seconds"] > 0


@pytest.mark.parametrize("mask_type", list(MaskType))
def test_a_forced_mask_type(server: Client, python: Python, demo: str, mask_type: MaskType) -> None:
    asked = {"image": "data:image/png;base64," + demo, "text": "all boxes", "mask_type": mask_type}
    status, record = server.post("/v1/segment", asked)
    expected = python.record(Query("all boxes", mask_type=mask_type))
    assert (status, without_time(record)) == (200, expected)


def test_references_as_code_mask_and_point(server: Client, python: Python, demo: str) -> None:
    code, (x, y) = a_candidate(python)
    mask = rle.decode(code)  # type: ignore[arg-type]
    text = "everything left of [1]"
    query = Query(text, Masks.from_dense(mask[None]))
    expected = python.record(query)
    for reference in (code, {"mask": base64_of(png(mask))}, {"x": x, "y": y}):
        asked = {"image": demo, "text": text, "references": [reference]}
        status, record = server.post("/v1/segment", asked)
        assert (status, without_time(record)) == (200, expected)


def test_a_form_says_the_same(server: Client, python: Python) -> None:
    code, (x, y) = a_candidate(python)
    text = "the thing next to [1]"
    body = form(
        "cut", image=DEMO.read_bytes(), text=text, references=json.dumps([{"x": x, "y": y}])
    )
    status, record = server.post(
        "/v1/segment", body, content_type="multipart/form-data; boundary=cut"
    )
    masks = Masks.from_rles([code], python.segmenter.candidates.modal.size_hw)  # type: ignore[list-item]
    assert (status, without_time(record)) == (200, python.record(Query(text, masks)))


def test_a_kept_picture(server: Client, python: Python, demo: str) -> None:
    status, kept = server.post("/v1/images", {"image": demo})
    candidates = python.segmenter.candidates
    assert status == 200
    assert (kept["height"], kept["width"]) == candidates.modal.size_hw
    assert kept["candidates"] == len(candidates)
    assert server.post("/v1/images", {"image": demo})[1]["id"] == kept["id"]
    for text in SENTENCES:
        status, record = server.post(f"/v1/images/{kept['id']}/answers", {"text": text})
        scores = record.pop("candidate_scores")
        assert (status, without_time(record)) == (200, python.record(text))
        assert scores == pytest.approx(python.segmenter.answer(text).candidate_scores, abs=1e-6)
    status, found = server.get(f"/v1/images/{kept['id']}/candidates")
    assert [one["modal"] for one in found["candidates"]] == list(candidates.modal.rles)
    assert [one["amodal"] for one in found["candidates"]] == list(candidates.amodal.rles)
    assert found["candidates"][0]["box_xyxy"] == list(rle.box_xyxy(candidates.modal.rles[0]) or ())


def test_a_forgotten_picture(server: Client) -> None:
    picture = base64_of(png(np.full((30, 40, 3), 90, np.uint8)))
    _, kept = server.post("/v1/images", {"image": picture})
    path = f"/v1/images/{kept['id']}"
    assert server.raw("DELETE", path)[0] == 204
    assert server.refused(f"{path}/answers", {"text": "a mug"})[:2] == (404, "unknown_image")
    assert server.get(f"{path}/candidates")[0] == 404


def test_a_batch_keeps_its_order_and_its_errors(server: Client, python: Python, demo: str) -> None:
    _, kept = server.post("/v1/images", {"image": demo})
    items = [
        {"id": "a", "image_id": kept["id"], "text": SENTENCES[0]},
        {"id": "b", "image": base64_of(b"no picture"), "text": SENTENCES[0]},
        {"id": "c", "image_id": "unknown", "text": SENTENCES[0]},
        {"id": "d", "text": SENTENCES[0]},
        {"id": "e", "image": demo, "text": "left of [1]"},
        {"id": "f", "image": demo, "text": SENTENCES[1]},
    ]
    status, answer = server.post("/v1/batch", {"items": items})
    records = answer["predictions"]
    assert status == 200
    assert [record["id"] for record in records] == list("abcdef")
    assert without_time(records[0]) == python.record(SENTENCES[0], "a")
    assert without_time(records[5]) == python.record(SENTENCES[1], "f")
    errors = [record["error"] or "" for record in records]
    for error, says in zip(
        errors, ("", "PNG", "no picture is kept", "one of", "[1]", ""), strict=True
    ):
        assert says in error
        assert bool(says) == bool(error)


def test_16_clients_at_once(server: Client, python: Python, demo: str) -> None:
    _, kept = server.post("/v1/images", {"image": demo})
    asked = [SENTENCES[number % len(SENTENCES)] for number in range(32)]

    def ask(text: str) -> dict[str, Any]:
        status, record = server.post(f"/v1/images/{kept['id']}/answers", {"text": text})
        assert status == 200
        del record["candidate_scores"]
        return without_time(record)

    with ThreadPoolExecutor(16) as pool:
        records = list(pool.map(ask, asked))
    assert records == [python.record(text) for text in asked]


def test_several_pictures_stay_apart(server: Client, embedded: EmbeddedSegmenter) -> None:
    sizes = {}
    for height, width in ((40, 30), (50, 70)):
        picture = base64_of(png(np.full((height, width, 3), 200, np.uint8)))
        _, kept = server.post("/v1/images", {"image": picture})
        sizes[kept["id"]] = (height, width)
    for id, (height, width) in sizes.items():
        asked = {"text": "a mug", "references": [{"size": [height, width], "counts": "nonsense"}]}
        assert "reference [1]: RLE counts" in server.refused(f"/v1/images/{id}/answers", asked)[2]
    with pytest.raises(Exception, match="no picture is set"):
        embedded.answer("a mug")  # the model that all share looks at none


def test_what_the_server_says_about_itself(
    server: Client, embedded: EmbeddedSegmenter, demo: str
) -> None:
    assert server.post("/v1/segment", {"image": demo, "text": "a mug"})[0] == 200
    status, models = server.get("/v1/models")
    assert (status, models["object"]) == (200, "list")
    assert [one["id"] for one in models["data"]] == [embedded.model_id]
    assert models["data"][0]["weights_sha256"] == embedded.weights_hash
    status, health = server.get("/health")
    assert (status, health["status"]) == (200, "UP")
    status, headers, body = server.raw("GET", "/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    assert b'askmask_requests_total{method="GET",route="/health",status="200"}' in body
    assert b'askmask_model_seconds_count{step="encode"}' in body
    assert b"process_resident_memory_bytes" in body


def test_no_page_of_another_origin_may_read(server: Client) -> None:
    _, headers, _ = server.raw("GET", "/health", origin="http://example.com")
    assert not [name for name in headers if name.startswith("access-control")]
    assert len(headers["x-request-id"]) == 32


def test_the_committed_description_is_this_one(embedded: EmbeddedSegmenter) -> None:
    path = Path(__file__).parents[2] / "docs" / "openapi.json"
    described = create_app(Service(embedded)).openapi()
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(described)), (
        "askmask serve --openapi > docs/openapi.json"
    )
