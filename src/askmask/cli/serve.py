"""`askmask serve`: answer pictures and sentences by HTTP."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from askmask.cli.placement import Device, Dtype, FourBit

__all__ = ["serve"]

TOKEN_VARIABLE = "ASKMASK_TOKEN"


def serve(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; others than this one are reached from outside."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 8000,
    model: Annotated[
        str, typer.Option(metavar="ID", help="Model; see askmask models.")
    ] = "embedded-v1",
    token: Annotated[
        bool,
        typer.Option(
            "--token", help=f"Ask requests for the token in the variable {TOKEN_VARIABLE}."
        ),
    ] = False,
    max_body: Annotated[int, typer.Option(min=1, help="Largest request, in megabytes.")] = 20,
    max_pixels: Annotated[
        float, typer.Option(min=0.01, max=50, help="Largest picture, in megapixels.")
    ] = 16,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that wait for the model.")] = 32,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="Time in which a request must be answered.")
    ] = 30,
    keep: Annotated[int, typer.Option(min=1, help="Pictures that stay encoded.")] = 64,
    keep_seconds: Annotated[
        float, typer.Option(min=1, help="Time after its last question for which one stays.")
    ] = 900,
    page: Annotated[
        bool, typer.Option("--page/--no-page", help="Show the page in the browser at /.")
    ] = True,
    device: Device = "auto",
    dtype: Dtype = "auto",
    four_bit: FourBit = False,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the description of all routes, and leave.")
    ] = False,
) -> None:
    """Serve a model by HTTP: own routes, OpenAI's chat, Label Studio and X-AnyLabeling."""
    from askmask.errors import ConfigError, MissingExtraError
    from askmask.models.registry import load

    try:
        from askmask.serve.app import create_app
        from askmask.serve.limits import Limits
        from askmask.serve.page_files import PAGE
        from askmask.serve.run import run
        from askmask.serve.service import Service
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(error.name or "fastapi", "serve", "the server") from error

    secret = os.environ.get(TOKEN_VARIABLE) if token else None
    if token and not secret:
        raise ConfigError(f"--token: expected the token in the variable {TOKEN_VARIABLE}")
    limits = Limits(
        max_body_bytes=max_body * 1_000_000,
        max_pixels=int(max_pixels * 1_000_000),
        max_queue=max_queue,
        seconds=seconds,
        kept_pictures=keep,
        kept_seconds=keep_seconds,
    )
    service = Service(load(model, device=device, dtype=dtype, four_bit=four_bit), limits)
    if openapi:
        typer.echo(json.dumps(create_app(service).openapi(), indent=2))
        return
    if secret is None and host not in ("127.0.0.1", "localhost", "::1"):
        typer.echo(
            f"askmask: anyone who reaches {host} may use this server: consider --token", err=True
        )
    hint = ": open it in a browser" if page else ""
    typer.echo(f"askmask: http://{host}:{port}/ is getting ready{hint}", err=True)
    run(service, host, port, token=secret, page=PAGE if page else None)
