"""Whatever the server's own description allows or forbids, and any bytes: answered in its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from running import Client, base64_of, noise
from schemathesis.specs.openapi.checks import positive_data_acceptance

PICTURE = base64_of(noise(30, 40))


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Send a picture where any string is allowed, so that most requests come further."""
    if isinstance(body, dict) and isinstance(body.get("image"), str):
        return {**body, "image": PICTURE}
    return body


schema = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.json")
ROUTES = ("/v1/segment", "/v1/images", "/v1/batch", "/v1/chat/completions", "/predict")


# A description cannot say which strings are pictures, so what it allows may still be refused.
@schema.parametrize()
@settings(max_examples=20)
def test_answers_are_as_described(case: Any, server: Client) -> None:
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{server.port}",
        excluded_checks=[positive_data_acceptance],
        timeout=120,
    )


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
