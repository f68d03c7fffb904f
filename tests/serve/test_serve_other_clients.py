"""Shapes of other programs: OpenAI's chat, Label Studio's backend, X-AnyLabeling's server."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from python_call import Python, without_time
from running import Client

from askmask import rle
from askmask.formats.brush import decode_brush
from askmask.geometry import fill_centres
from askmask.types import Masks, Query

TEXT = "all bottles"
INTERFACE = """
<View>
  <Image name="photo" value="$shelf" zoom="true"/>
  <BrushLabels name="group" toName="photo"><Label value="Bottle"/><Label value="Box"/></BrushLabels>
  <KeyPointLabels name="click" toName="photo" smart="true"><Label value="Box"/></KeyPointLabels>
  <TextArea name="sentence" toName="photo"/>
</View>
"""


def chat(demo: str, text: str = TEXT, **more: Any) -> dict[str, Any]:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{demo}"}}
    content = [{"type": "text", "text": text}, picture]
    system = {"role": "system", "content": "You segment."}
    return {"messages": [system, {"role": "user", "content": content}], **more}


def test_chat(server: Client, python: Python, demo: str) -> None:
    status, answer = server.post("/v1/chat/completions", chat(demo, temperature=0))
    content = answer["choices"][0]["message"]["content"]
    words, _, block = content.partition("\n\n```json\n")
    assert (status, answer["object"], answer["model"]) == (200, "chat.completion", "embedded-v1")
    assert "mask" in words
    assert without_time(json.loads(block.removesuffix("\n```"))) == python.record(TEXT)


def test_chat_in_json_and_about_a_picture_of_before(
    server: Client, python: Python, demo: str
) -> None:
    asked = chat(demo, model="embedded-v1", response_format={"type": "json_object"})
    asked["messages"] += [
        {"role": "assistant", "content": "2 masks"},
        {"role": "user", "content": "the leftmost thing"},
    ]
    status, answer = server.post("/v1/chat/completions", asked)
    record = json.loads(answer["choices"][0]["message"]["content"])
    assert (status, without_time(record)) == (200, python.record("the leftmost thing"))


def test_chat_as_a_stream(server: Client, demo: str) -> None:
    body = json.dumps(chat(demo, stream=True)).encode()
    path = "/v1/chat/completions"
    status, headers, text = server.raw("POST", path, body, content_type="application/json")
    events = [line.removeprefix("data: ") for line in text.decode().strip().split("\n\n")]
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert "```json" in chunks[0]["delta"]["content"]
    assert chunks[-1]["finish_reason"] == "stop"


def test_chats_that_are_refused(server: Client, demo: str) -> None:
    path = "/v1/chat/completions"
    assert server.refused(path, chat(demo, model="gpt"))[:2] == (404, "model_not_found")
    none = {"messages": [{"role": "user", "content": TEXT}]}
    assert "expected a picture" in server.refused(path, none)[2]
    elsewhere = chat(demo)
    elsewhere["messages"][1]["content"][1]["image_url"]["url"] = "https://example.com/a.png"
    assert "neither is ever opened" in server.refused(path, elsewhere)[2]
    two = chat(demo)
    two["messages"][1]["content"] *= 2
    assert "expected one picture, got 2" in server.refused(path, two)[2]
    assert "the sentence is empty" in server.refused(path, chat(demo, ""))[2]
    assert server.refused(path, {"messages": []})[0] == 422


def predict(demo: str, *results: dict[str, Any], **data: Any) -> dict[str, Any]:
    """What Label Studio sends for one task."""
    task = {"id": 5, "data": {"shelf": f"data:image/png;base64,{demo}", **data}, "project": 1}
    params = {"login": None, "password": None, "context": {"result": list(results)}}
    return {
        "tasks": [task],
        "model_version": "embedded-v1",
        "project": "1.1700000000",
        "label_config": INTERFACE,
        "params": params,
    }


def regions(answer: dict[str, Any], python: Python) -> list[dict[str, Any]]:
    """Codes of the masks of the one prediction, after a look at the names of each."""
    height, width = python.segmenter.candidates.modal.size_hw
    (prediction,) = answer["results"]
    assert prediction["model_version"] == "embedded-v1"
    assert 0 <= prediction["score"] <= 1
    for one in prediction["result"]:
        assert (one["from_name"], one["to_name"], one["type"]) == ("group", "photo", "brushlabels")
        assert (one["original_width"], one["original_height"]) == (width, height)
    brushes = [one["value"]["rle"] for one in prediction["result"]]
    return [dict(rle.encode(decode_brush(code, (height, width)))) for code in brushes]


def codes(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [mask["segmentation"] for mask in record["masks"]]


def test_label_studio_with_a_sentence(server: Client, python: Python, demo: str) -> None:
    typed = {"type": "textarea", "value": {"text": [TEXT]}, "from_name": "sentence"}
    for asked in (predict(demo, text=TEXT), predict(demo, typed, text="a mug")):
        status, answer = server.post("/predict", asked)
        assert status == 200
        assert regions(answer, python) == codes(python.record(TEXT)) != []
        assert answer["results"][0]["result"][0]["value"]["brushlabels"] == ["Bottle"]


def test_label_studio_with_a_click(server: Client, python: Python, demo: str) -> None:
    mask = python.segmenter.candidates.modal[0]
    height, width = mask.shape
    y, x = next(
        (y, x)
        for y, x in np.argwhere(mask)
        if np.array_equal(python.segmenter.mask_at(int(x), int(y)), mask)
    )
    value = {"x": 100 * (x + 0.5) / width, "y": 100 * (y + 0.5) / height, "width": 0.3}
    click = {
        "type": "keypointlabels",
        "value": {**value, "keypointlabels": ["Box"]},
        "is_positive": True,
    }
    status, answer = server.post("/predict", predict(demo, click, text="all left of [1]"))
    expected = python.record(Query("all left of [1]", Masks.from_dense(mask[None])))
    assert (status, regions(answer, python)) == (200, codes(expected))
    labels = {one["value"]["brushlabels"][0] for one in answer["results"][0]["result"]}
    assert labels <= {"Box"}
    for asked in (predict(demo, click), predict(demo, click, text=TEXT)):
        status, answer = server.post("/predict", asked)
        assert (status, regions(answer, python)) == (200, [dict(rle.encode(mask))])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label_config": "<View>"}, "expected the interface as XML"),
        ({"label_config": "<!DOCTYPE x><View/>"}, "declarations are not read"),
        ({"label_config": "<View/>"}, "BrushLabels"),
        ({"tasks": [{"id": 1, "data": {"shelf": "/data/upload/1/a.png"}}]}, "never opened"),
        ({"tasks": [{"id": 1, "data": {}}]}, "task 1, data.shelf: expected the picture"),
        ({"tasks": [7]}, "body.tasks.0"),
    ],
)
def test_label_studio_refused(server: Client, demo: str, change: Any, says: str) -> None:
    assert says in server.refused("/predict", {**predict(demo, text=TEXT), **change})[2]


def test_label_studio_clicks_outside(server: Client, demo: str) -> None:
    for value in ({"x": -1, "y": 3}, {"x": "a", "y": 3}, {}, None, {"x": 1e999, "y": 1}):
        click = {"type": "keypointlabels", "value": value}
        assert "per cent" in server.refused("/predict", predict(demo, click))[2]


def test_label_studio_setup(server: Client) -> None:
    asked = {"project": "1.17", "schema": INTERFACE, "hostname": "http://h", "access_token": "t"}
    assert server.post("/setup", asked) == (200, {"model_version": "embedded-v1"})


def test_x_anylabeling(server: Client, python: Python, demo: str) -> None:
    status, models = server.get("/x-anylabeling/v1/models")
    assert (status, models["success"], list(models["data"])) == (200, True, ["embedded-v1"])
    params = {"text_prompt": TEXT, "conf_threshold": 0.3}
    asked = {"model": "embedded-v1", "image": f"data:image/png;base64,{demo}", "params": params}
    status, answer = server.post("/x-anylabeling/v1/predict", asked)
    assert (status, answer["success"], answer["data"]["replace"]) == (200, True, False)
    shapes = answer["data"]["shapes"]
    size_hw = python.segmenter.candidates.modal.size_hw
    groups = sorted({shape["group_id"] for shape in shapes})
    outlines = [
        [np.array(one["points"], np.int64) for one in shapes if one["group_id"] == group]
        for group in groups
    ]
    masks = [dict(rle.encode(fill_centres(parts, size_hw))) for parts in outlines]
    assert masks == codes(python.record(TEXT)) != []


def test_x_anylabeling_says_failures_its_own_way(server: Client, demo: str) -> None:
    path = "/x-anylabeling/v1/predict"
    for asked, code in (
        ({"model": "yolo", "image": demo}, "MODEL_NOT_FOUND"),
        ({"model": "embedded-v1", "image": "aGVsbG8="}, "INVALID_IMAGE"),
        ({"model": "embedded-v1", "image": demo}, "INVALID_QUERY"),
    ):
        status, answer = server.post(path, asked)
        assert (status, answer["success"], answer["error"]["code"]) == (200, False, code)
    assert server.refused(path, {})[0] == 422
