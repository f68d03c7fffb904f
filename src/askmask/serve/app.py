"""The application: routes behind the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

import askmask
from askmask.errors import AskmaskError
from askmask.serve.chat import chat_routes
from askmask.serve.gate import Gate
from askmask.serve.label_studio import label_studio_routes
from askmask.serve.page_files import PageFiles
from askmask.serve.refusals import Refusal, as_refusal, refusal_response
from askmask.serve.routes import our_routes
from askmask.serve.service import Service
from askmask.serve.x_anylabeling import x_anylabeling_routes

__all__ = ["create_app"]

_DESCRIPTION = (
    "Language-guided segmentation: the sentence says which mask is meant. Masks are COCO compressed"
    " run-length codes. Pictures are sent, never named: no path or address in a request is opened."
)
_SHOWN_PROBLEMS = 3


def create_app(
    service: Service,
    *,
    token: str | None = None,
    page: Path | None = None,
    draining: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """Make the application.

    Args:
        service: what answers.
        token: that requests must carry, or None for a server that anyone who reaches it may use.
        page: folder of static files to be shown below /page, where / leads to; or None.
        draining: whether the server is about to stop, so that new requests are refused.
    """

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = FastAPI(
        title="askmask",
        version=askmask.__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=living,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    for routes in (our_routes, chat_routes, label_studio_routes, x_anylabeling_routes):
        app.include_router(routes(service))
    if page is not None:
        app.mount("/page", PageFiles(page), "page")
        app.add_route("/", _to_page)
    app.add_middleware(
        Gate, limits=service.limits, metrics=service.metrics, token=token, draining=draining
    )
    app.add_exception_handler(AskmaskError, _on_askmask_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


def _to_page(request: Request) -> Response:
    return RedirectResponse("page/")


def _refused(request: Request, refusal: Refusal) -> Response:
    request.scope["state"]["refused"] = refusal.code
    return refusal_response(refusal)


async def _on_askmask_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AskmaskError)
    return _refused(request, as_refusal(error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [_problem(one) for one in error.errors()]
    shown = "; ".join(problems[:_SHOWN_PROBLEMS])
    more = len(problems) - _SHOWN_PROBLEMS
    return _refused(
        request,
        Refusal(422, "invalid_request", shown + (f"; and {more} more" if more > 0 else "")),
    )


def _problem(error: dict[str, Any]) -> str:
    """One problem of a request, without the value: it may be a picture."""
    place = ".".join(str(part)[:40] for part in error["loc"] if part not in ("code", "point"))
    return f"{place}: {str(error['msg'])[:200]}"


async def _on_http(request: Request, error: Exception) -> Response:
    """Unknown paths, wrong methods and bodies that are no JSON."""
    assert isinstance(error, HTTPException)
    codes = {404: "unknown_path", 405: "wrong_method"}
    advice = {404: "see /openapi.json for the routes", 405: "see /openapi.json for its methods"}
    message = f"{error.detail}: {advice.get(error.status_code, 'send it again, corrected')}"
    code = codes.get(error.status_code, "invalid_request")
    response = _refused(request, Refusal(error.status_code, code, message))
    response.headers.update(error.headers or {})
    return response
