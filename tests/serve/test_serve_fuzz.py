"""Whatever is sent, the server refuses it in its own words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import Client

ROUTES = (
    *("/v1/segment", "/v1/images", "/v1/images/x/answers", "/v1/batch", "/v1/chat/completions"),
    *("/setup", "/predict", "/x-anylabeling/v1/predict"),
)
KEYS = (
    *("image", "text", "references", "mask_type", "id", "items", "image_id", "messages", "content"),
    *("role", "type", "image_url", "url", "tasks", "data", "params", "context", "result", "value"),
    *("label_config", "model", "text_prompt", "x", "y", "mask", "size", "counts", "project"),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    PLAIN
    | st.sampled_from(("user", "text", "image_url", "keypointlabels", "data:;base64,iVBORw0=")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=40)
@given(content=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6) | JSON)
def test_any_json(server: Client, route: str, content: Any) -> None:
    body = json.dumps(content).encode()
    status, _, answer = server.raw("POST", route, body, content_type="application/json")
    assert status in (200, 404, 422), answer
    assert json.loads(answer)


@settings(max_examples=60)
@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        ("application/json", "multipart/form-data; boundary=a", "image/png", "multipart/form-data")
    ),
    route=st.sampled_from(ROUTES),
)
def test_any_bytes(server: Client, body: bytes, kind: str, route: str) -> None:
    status, _, answer = server.raw("POST", route, body, content_type=kind)
    assert status in (200, 400, 404, 422), answer
    assert json.loads(answer)
