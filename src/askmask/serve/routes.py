"""The routes of our own: pictures, questions, batches, models, health and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import askmask
from askmask.serve.decoding import file_of
from askmask.serve.forms import FormRoute, form_schema
from askmask.serve.messages import (
    AnswerOut,
    Batch,
    CandidatesOut,
    ErrorOut,
    HealthOut,
    ImageIn,
    ImageOut,
    ModelsOut,
    PredictionOut,
    PredictionsOut,
    Question,
    Segment,
)
from askmask.serve.refusals import json_response
from askmask.serve.service import Service

__all__ = ["REFUSALS", "our_routes"]

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The body is not JSON."},
    401: {"model": ErrorOut, "description": "The token is missing or wrong."},
    408: {"model": ErrorOut, "description": "The body came too slowly."},
    413: {"model": ErrorOut, "description": "The body is too large."},
    422: {"model": ErrorOut, "description": "The picture or the question cannot be used."},
    429: {"model": ErrorOut, "description": "The queue is full; see Retry-After."},
    503: {"model": ErrorOut, "description": "Too busy, too slow or stopping; see Retry-After."},
}
_KEPT = {**REFUSALS, 404: {"model": ErrorOut, "description": "No such picture is kept."}}
_SEGMENT_FORM = form_schema(
    text="The sentence.",
    references="References as a list in JSON.",
    mask_type="modal, amodal or hidden.",
    id="Comes back as it is.",
)


def our_routes(service: Service) -> APIRouter:
    """Make the routes of `service`."""
    routes = APIRouter(route_class=FormRoute, responses=REFUSALS)

    @routes.post(
        "/v1/segment", response_model=PredictionOut, openapi_extra=_SEGMENT_FORM, tags=["ask"]
    )
    async def segment(asked: Segment, request: Request) -> Response:
        """Answer one sentence about one picture, which is not kept."""
        data = file_of(asked.image)
        answer = await service.segment(data, asked, request.state.deadline)
        return json_response(answer.to_json())

    @routes.post("/v1/images", response_model=ImageOut, openapi_extra=form_schema(), tags=["ask"])
    async def keep_image(sent: ImageIn, request: Request) -> Response:
        """Encode a picture once, for many questions; the same file gets the same id."""
        picture = await service.keep(file_of(sent.image), request.state.deadline)
        return json_response(
            {
                "id": picture.id,
                "height": picture.size_hw[0],
                "width": picture.size_hw[1],
                "candidates": service.number_of_candidates(picture),
                "expires_in": service.limits.kept_seconds,
            }
        )

    @routes.post(
        "/v1/images/{image_id}/answers",
        response_model=AnswerOut,
        responses=_KEPT,
        tags=["ask"],
    )
    async def answer(image_id: str, asked: Question, request: Request) -> Response:
        """Answer one sentence about a picture that is kept."""
        picture = service.kept(image_id)
        prediction = await service.answer(picture, asked, request.state.deadline, scored=True)
        return json_response(prediction.to_json())

    @routes.get(
        "/v1/images/{image_id}/candidates",
        response_model=CandidatesOut,
        responses=_KEPT,
        tags=["ask"],
    )
    async def candidates(image_id: str) -> Response:
        """Objects that were found in a picture that is kept, before any sentence."""
        picture = service.kept(image_id)
        height, width = picture.size_hw
        found = service.candidate_records(picture)
        return json_response({"height": height, "width": width, "candidates": found})

    @routes.delete("/v1/images/{image_id}", status_code=204, responses=_KEPT, tags=["ask"])
    async def forget_image(image_id: str) -> Response:
        """Forget a picture now."""
        service.forget(image_id)
        return Response(status_code=204)

    @routes.post("/v1/batch", response_model=PredictionsOut, tags=["ask"])
    async def batch(asked: Batch, request: Request) -> Response:
        """Answer several questions; one that cannot be answered has its error in its record."""
        predictions = await service.batch(asked, request.state.deadline)
        return json_response({"predictions": [one.to_json() for one in predictions]})

    @routes.get("/v1/models", response_model=ModelsOut, tags=["server"])
    async def models() -> Response:
        """Models that this server runs; the shape is OpenAI's."""
        model = {
            "id": service.model.model_id,
            "object": "model",
            "created": 0,
            "owned_by": "askmask",
            "weights_sha256": service.model.weights_hash,
        }
        return json_response({"object": "list", "data": [model]})

    @routes.get("/health", response_model=HealthOut, tags=["server"])
    async def health() -> Response:
        """Whether the server takes requests; needs no token."""
        return json_response(
            {
                "status": "UP",
                "model_class": "askmask",
                "model": service.model.model_id,
                "version": askmask.__version__,
            }
        )

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        tags=["server"],
    )
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    return routes
