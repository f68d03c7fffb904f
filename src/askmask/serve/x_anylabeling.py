"""X-AnyLabeling's remote shape, below /x-anylabeling: polygons of what its text field asks for."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from askmask import rle
from askmask.errors import AskmaskError
from askmask.formats.askmask import Prediction
from askmask.geometry import centre_polygons
from askmask.serve.decoding import file_of
from askmask.serve.messages import Question
from askmask.serve.refusals import Refusal, as_refusal, json_response
from askmask.serve.routes import REFUSALS
from askmask.serve.service import Service

__all__ = ["x_anylabeling_routes"]

_WIDGETS = ("edit_text", "button_send", "toggle_preserve_existing_annotations")


class Params(BaseModel):
    """Parameters; others of its widgets are not looked at."""

    text_prompt: str = ""


class Predict(BaseModel):
    """A picture and what is typed into the text field."""

    model: str
    image: str = Field(description="data: URI or base64.")
    params: Params = Params()


class Out(BaseModel):
    """A result; where `success` is false, `error` has code and message, and the status is 200."""

    success: bool
    data: dict[str, Any] | None = None
    error: dict[str, str] | None = None


def x_anylabeling_routes(service: Service) -> APIRouter:
    """Make the routes of `service`."""
    routes = APIRouter(prefix="/x-anylabeling/v1", responses=REFUSALS, tags=["other clients"])
    model_id = service.model.model_id

    @routes.get("/models", response_model=Out)
    async def models() -> Response:
        """The model and the widgets that it wants to be shown."""
        widgets = [{"name": name, "value": None} for name in _WIDGETS]
        about = {"display_name": f"askmask {model_id}", "widgets": widgets, "params": {}}
        about["batch_processing_mode"] = "text_prompt"
        return json_response({"success": True, "data": {model_id: about}})

    @routes.post("/predict", response_model=Out)
    async def predict(asked: Predict, request: Request) -> Response:
        """Answer the text about the picture with polygons."""
        try:
            if asked.model != model_id:
                raise Refusal(404, "model_not_found", f"this server runs {model_id!r}")
            picture = await service.keep(file_of(asked.image), request.state.deadline)
            question = Question.model_construct(
                text=asked.params.text_prompt, references=[], mask_type=None, id="query"
            )
            prediction = await service.answer(picture, question, request.state.deadline)
        except AskmaskError as error:
            refusal = as_refusal(error)
            if refusal.status in (429, 503):
                raise
            failure = {"code": refusal.code.upper(), "message": str(refusal)}
            return json_response({"success": False, "error": failure})
        shapes = await asyncio.to_thread(_shapes, prediction, question.text)
        data = {"shapes": shapes, "description": prediction.rationale or "", "replace": False}
        return json_response({"success": True, "data": data})

    return routes


def _shapes(prediction: Prediction, text: str) -> list[dict[str, Any]]:
    """One polygon for each part of each mask; parts of one mask share a group."""
    return [
        {
            "label": text,
            "shape_type": "polygon",
            "points": polygon.astype(float).tolist(),
            "score": mask.score,
            "group_id": group,
            "description": f"{prediction.mask_type}",
            "attributes": {},
            "difficult": False,
            "direction": 0,
            "flags": None,
            "kie_linking": [],
        }
        for group, mask in enumerate(prediction.masks, 1)
        for polygon in centre_polygons(rle.decode(mask.segmentation))
    ]
