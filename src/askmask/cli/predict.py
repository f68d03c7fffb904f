"""`askmask predict`: answer every query of a file into a run folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from askmask.cli.placement import Device, Dtype, FourBit, PriceOption, parse_price, print_cost

__all__ = ["predict"]


def predict(
    queries: Annotated[Path, typer.Argument(help="Queries file.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder to make.")],
    model: Annotated[
        str, typer.Option(metavar="ID", help="Model; see askmask models.")
    ] = "embedded-v1",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in this folder.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each if many.")] = 1,
    engine: Annotated[
        Literal["processes", "ray"], typer.Option(help="What runs them: here, or a cluster.")
    ] = "processes",
    shards: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Do only the I-th of N shares of the pictures."),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    four_bit: FourBit = False,
    price: PriceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Answer all QUERIES; stop it at any moment and continue with --resume."""
    from askmask.cli.run_outcome import parse_shard, print_outcome, shown_run
    from askmask.models.registry import load as load_model
    from askmask.runs.predict import predict as predict_queries

    shard = parse_shard(shards)
    dollars = parse_price(price)
    load = partial(load_model, model, device=device, dtype=dtype, four_bit=four_bit)
    with shown_run(out) as show:
        segmenter = load()
        end = predict_queries(
            segmenter,
            queries,
            out,
            resume=resume,
            workers=workers,
            engine=engine,
            shard=shard,
            load=load,
            progress=show,
        )
    print_cost(segmenter, dollars)
    print_outcome(out, end, as_json=as_json)
