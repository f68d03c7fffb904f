"""OpenAI's chat shape: one picture and one question in, words and the prediction record out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StrictBool
from starlette.responses import Response, StreamingResponse

from askmask.formats.askmask import Prediction
from askmask.serve.decoding import file_of
from askmask.serve.messages import Question
from askmask.serve.refusals import Refusal, json_response
from askmask.serve.routes import REFUSALS
from askmask.serve.service import Service

__all__ = ["chat_routes"]


class ImageUrl(BaseModel):
    """A picture of a message."""

    url: str = Field(description="data: URI in base64; addresses are never opened.")


class Part(BaseModel):
    """A part of a message: text or a picture."""

    type: Literal["text", "image_url"]
    text: str | None = None
    image_url: ImageUrl | None = None


class ChatMessage(BaseModel):
    """A message of the conversation."""

    role: str
    content: str | list[Part] | None = None


class ResponseFormat(BaseModel):
    """`json_object` and `json_schema` ask for the record alone."""

    type: str


class Chat(BaseModel):
    """A conversation; keys that a segmenter has no use for are not looked at."""

    model: str | None = None
    messages: list[ChatMessage] = Field(min_length=1, max_length=100)
    stream: StrictBool = False
    response_format: ResponseFormat | None = None


class ChatOut(BaseModel):
    """A completion in OpenAI's shape."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, int]


def chat_routes(service: Service) -> APIRouter:
    """Make the route of `service`."""
    refusals = {**REFUSALS, 404: {**REFUSALS[422], "description": "Another model was named."}}
    routes = APIRouter(responses=refusals, tags=["other clients"])

    @routes.post("/v1/chat/completions", response_model=ChatOut)
    async def complete(chat: Chat, request: Request) -> Response:
        """Answer the last user message about the last picture of the conversation.

        The content is a line of words and the prediction record as a JSON block; with the response
        format `json_object` it is the record alone.
        """
        model = service.model.model_id
        if chat.model not in (None, model):
            raise Refusal(
                404, "model_not_found", f"this server runs {model!r}: name it, or no model"
            )
        picture = await service.keep(file_of(_picture(chat)), request.state.deadline)
        question = _question(chat)
        prediction = await service.answer(picture, question, request.state.deadline)
        wants_json = chat.response_format is not None and chat.response_format.type != "text"
        content = _content(prediction, wants_json)
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        if chat.stream:
            return StreamingResponse(_events(head, content), media_type="text/event-stream")
        return json_response(_completion(head, content))

    return routes


def _parts(message: ChatMessage) -> list[Part]:
    if isinstance(message.content, str):
        return [Part(type="text", text=message.content)]
    return message.content or []


def _picture(chat: Chat) -> str:
    """The last picture of the conversation, as earlier ones were asked about before."""
    for message in reversed(chat.messages):
        pictures = [part.image_url for part in _parts(message) if part.image_url is not None]
        if len(pictures) > 1:
            raise Refusal(
                422, "invalid_request", f"messages: expected one picture, got {len(pictures)}"
            )
        if pictures:
            return pictures[0].url
    raise Refusal(
        422,
        "invalid_request",
        "messages: expected a picture, as a part of type image_url with a data: URI",
    )


def _question(chat: Chat) -> Question:
    """The text of the last user message."""
    last = next((one for one in reversed(chat.messages) if one.role == "user"), None)
    texts = [part.text for part in _parts(last) if part.text] if last is not None else []
    # Its length is checked by the query, with the same message as elsewhere.
    return Question.model_construct(
        text="\n".join(texts), references=[], mask_type=None, id="query"
    )


def _content(prediction: Prediction, wants_json: bool) -> str:
    record = json.dumps(prediction.to_json())
    if wants_json:
        return record
    count = len(prediction.masks)
    found = f"{count} mask{'s' if count != 1 else ''}" if count else "Nothing fits"
    words = f"{found} ({prediction.mask_type}). {prediction.rationale or ''}".strip()
    return f"{words}\n\n```json\n{record}\n```"


def _completion(head: dict[str, Any], content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        # Nothing is counted in tokens here, but clients expect the key.
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def _events(head: dict[str, Any], content: str) -> Iterator[str]:
    """The whole answer as a stream of server-sent events, for clients that ask for nothing else."""
    steps: tuple[tuple[dict[str, str], str | None], ...] = (
        ({"role": "assistant", "content": content}, None),
        ({}, "stop"),
    )
    for delta, reason in steps:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"
