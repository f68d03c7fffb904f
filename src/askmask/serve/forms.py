"""Forms (multipart/form-data) as another way to say the same JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from askmask.serve.refusals import Refusal

__all__ = ["FormRoute", "form_schema"]

_KIND = "multipart/form-data"
_JSON_FIELDS = ("references",)


class FormRoute(APIRoute):
    """A route whose JSON body may come as a form: files become base64, `references` is JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handler = super().get_route_handler()

        async def either(request: Request) -> Response:
            if request.headers.get("content-type", "").lower().startswith(_KIND):
                request = await _as_json(request)
            return await handler(request)

        return either


async def _as_json(request: Request) -> Request:
    body = await request.body()
    # The gate has limited the body as a whole, so a part may be as long as that.
    async with request.form(max_files=1, max_fields=8, max_part_size=len(body) + 1) as form:
        content = json.dumps(await _values(form)).encode()
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    scope = {**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)


async def _values(form: FormData) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name in values:
            raise Refusal(422, "invalid_request", f"form: expected {name[:40]!r} once")
        if isinstance(value, UploadFile):
            values[name] = base64.b64encode(await value.read()).decode()
        elif name in _JSON_FIELDS:
            try:
                values[name] = json.loads(value)
            except (ValueError, RecursionError):
                raise Refusal(
                    422,
                    "invalid_request",
                    f'form: expected {name} as JSON, e.g. [{{"x": 1, "y": 2}}]',
                ) from None
        elif value:  # an empty field of a form is one that was not filled in
            values[name] = value
    return values


def form_schema(**fields: str) -> dict[str, Any]:
    """The part of OpenAPI that says so, for `openapi_extra`.

    Args:
        fields: what each text field of the form says, beside the file `image`.
    """
    properties: dict[str, Any] = {
        name: {"type": "string", "description": says} for name, says in fields.items()
    }
    properties["image"] = {"type": "string", "format": "binary"}
    required = ["image", *(name for name in ("text",) if name in fields)]
    schema = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {"requestBody": {"content": {_KIND: {"schema": schema}}}}
