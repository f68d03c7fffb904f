"""Label Studio's machine-learning backend: tasks in, brush masks out.

A task's picture is taken from the task itself, as data: URI; addresses are never opened. The
sentence is the text that the annotator typed (a TextArea of the interface), or else the task's
`text`; clicks (KeyPointLabels) are its references. Without a sentence, or when the task's own names
none of them, they are the objects that are meant.
"""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StrictInt, ValidationError
from starlette.responses import Response

from askmask import rle
from askmask.formats.askmask import PredictedMask, Prediction
from askmask.formats.brush import encode_brush
from askmask.serve.decoding import file_of
from askmask.serve.kept import KeptPicture
from askmask.serve.limits import MAX_BATCH, MAX_REFERENCES
from askmask.serve.messages import PointOnObject, Question
from askmask.serve.refusals import Refusal, json_response
from askmask.serve.routes import REFUSALS
from askmask.serve.service import Service

__all__ = ["label_studio_routes"]

_NO_DECLARATIONS = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


class Task(BaseModel):
    """A task; other keys are not looked at."""

    id: StrictInt | str | None = None
    data: dict[str, Any]


class Context(BaseModel):
    """What the annotator has done so far."""

    result: list[dict[str, Any]] = Field(default=[], max_length=1_000)


class Params(BaseModel):
    """Parameters; Label Studio also sends a login, which is not looked at."""

    context: Context | None = None


class Predict(BaseModel):
    """Ask for predictions of tasks."""

    tasks: list[Task] = Field(max_length=MAX_BATCH)
    label_config: str | None = Field(None, max_length=100_000)
    params: Params = Params()


class PredictOut(BaseModel):
    """A prediction for each task."""

    results: list[dict[str, Any]]


class Setup(BaseModel):
    """Said by Label Studio when a project is connected; no key of it is looked at."""


class SetupOut(BaseModel):
    """The model that answers."""

    model_version: str


@dataclass(frozen=True)
class Interface:
    """Names in a project's labelling interface.

    Attributes:
        brush: of the tag BrushLabels.
        image: of the tag Image that it labels.
        variable: key of a task's data that holds the picture.
        labels: that a mask may have.
    """

    brush: str = "mask"
    image: str = "image"
    variable: str = "image"
    labels: tuple[str, ...] = ()


def label_studio_routes(service: Service) -> APIRouter:
    """Make the routes of `service`."""
    routes = APIRouter(responses=REFUSALS, tags=["other clients"])

    @routes.post("/setup", response_model=SetupOut)
    async def setup(asked: Setup) -> Response:
        """Name the model."""
        return json_response({"model_version": service.model.model_id})

    @routes.post("/predict", response_model=PredictOut)
    async def predict(asked: Predict, request: Request) -> Response:
        """Answer each task with brush masks."""
        interface = _interface(asked.label_config)
        context = asked.params.context or Context()
        results = []
        for task in asked.tasks:
            data = file_of(_picture(task, interface), f"task {task.id}")
            picture = await service.keep(data, request.state.deadline)
            question = _question(task, context, picture)
            # A click without a sentence means the object that was clicked.
            clicked = question.references and not question.text
            ask = service.pick if clicked else service.answer
            prediction = await ask(picture, question, request.state.deadline)
            model = service.model.model_id
            # Brush codes of large pictures take a while, in which others are to be heard.
            results.append(await asyncio.to_thread(_result, prediction, interface, context, model))
        return json_response({"results": results})

    return routes


def _interface(config: str | None) -> Interface:
    """Read a labelling interface.

    Raises:
        Refusal: when it is not XML, or has no brush.
    """
    if not config:
        return Interface()
    try:
        if _NO_DECLARATIONS.search(config):  # entities may grow without bounds
            raise ET.ParseError("declarations are not read")
        root = ET.fromstring(config)
    except ET.ParseError as error:
        raise Refusal(
            422, "invalid_request", f"label_config: expected the interface as XML ({error})"
        ) from None
    brush = root.find(".//BrushLabels")
    if brush is None:
        raise Refusal(
            422, "not_supported", "label_config: expected a BrushLabels tag, which masks need"
        )
    image = brush.get("toName", "image")
    tags = (tag for tag in root.iter("Image") if tag.get("name") == image)
    value = next((tag.get("value", "") for tag in tags), "$image")
    labels = tuple(label.get("value", "") for label in brush.iter("Label"))
    return Interface(brush.get("name", "mask"), image, value.removeprefix("$"), labels)


def _picture(task: Task, interface: Interface) -> str:
    value = task.data.get(interface.variable)
    if not isinstance(value, str) or value[:5].lower() != "data:":
        raise Refusal(
            422,
            "invalid_image",
            f"task {task.id}, data.{interface.variable}: expected the picture as data: URI in the "
            "task: addresses and paths are never opened (docs/plugins.md makes such a project)",
        )
    return value


def _question(task: Task, context: Context, picture: KeptPicture) -> Question:
    """The sentence of the annotator or of the task, and clicks as its references."""
    clicks = [_click(row, picture) for row in context.result if row.get("type") == "keypointlabels"]
    typed = [_text(row) for row in context.result if row.get("type") == "textarea"]
    own = task.data.get("text")
    if not isinstance(own, str) or (clicks and "[1]" not in own):
        own = ""  # what a click means is not said by a sentence that was there before it
    texts = [*(text for text in typed if text), own]
    # Built without checks of its own: the query refuses what cannot be asked.
    return Question.model_construct(
        text=texts[0], references=clicks[-MAX_REFERENCES:], mask_type=None, id=str(task.id)
    )


def _text(row: dict[str, Any]) -> str:
    value = row.get("value")
    text = value.get("text") if isinstance(value, dict) else None
    lines = text if isinstance(text, list) else [text]
    return " ".join(line for line in lines if isinstance(line, str))


def _click(row: dict[str, Any], picture: KeptPicture) -> PointOnObject:
    """A click, which Label Studio gives in per cent of the picture, as a pixel."""
    value = row.get("value")
    try:
        height, width = picture.size_hw
        across, down = float(value["x"]) / 100, float(value["y"]) / 100  # type: ignore[index]
        x, y = (min(int(share * n), n - 1) for share, n in ((across, width), (down, height)))
        return PointOnObject(x=x, y=y)
    except (TypeError, KeyError, ValueError, OverflowError, ValidationError):
        raise Refusal(
            422, "invalid_request", "context: expected x and y of a click from 0 to 100 per cent"
        ) from None


def _result(
    prediction: Prediction, interface: Interface, context: Context, model: str
) -> dict[str, Any]:
    scores = [mask.score for mask in prediction.masks]
    label = _label(interface, context)
    return {
        "model_version": model,
        "score": sum(scores) / len(scores) if scores else 0.0,
        "result": [
            _region(number, mask, interface, label, prediction)
            for number, mask in enumerate(prediction.masks, 1)
        ],
    }


def _label(interface: Interface, context: Context) -> str:
    """The label that the annotator has clicked with, or else the interface's first one."""
    for row in reversed(context.result):
        value = row.get("value")
        chosen = value.get("keypointlabels") if isinstance(value, dict) else None
        if isinstance(chosen, list) and chosen and chosen[0] in interface.labels:
            return str(chosen[0])
    return interface.labels[0] if interface.labels else "object"


def _region(
    number: int, mask: PredictedMask, interface: Interface, label: str, prediction: Prediction
) -> dict[str, Any]:
    height, width = mask.segmentation["size"]
    return {
        "id": f"mask-{number}",
        "type": "brushlabels",
        "from_name": interface.brush,
        "to_name": interface.image,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "format": "rle",
            "rle": encode_brush(rle.decode(mask.segmentation)),
            "brushlabels": [label],
        },
        "score": mask.score,
        "meta": {"text": [f"{prediction.mask_type}"]},
    }
