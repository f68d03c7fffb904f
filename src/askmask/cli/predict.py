"""`askmask predict`: answer every query of a file into a run folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from askmask.runs.predict import Progress

__all__ = ["predict"]


def predict(
    queries: Annotated[Path, typer.Argument(help="Queries file.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder to make.")],
    model: Annotated[str, typer.Option(metavar="ID", help="Model.")] = "embedded-v1",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in this folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Answer all QUERIES; stop it at any moment and continue with --resume."""
    from askmask.models.registry import load
    from askmask.runs.predict import predict as predict_queries

    try:
        with _progress_bar() as show:
            end = predict_queries(load(model), queries, out, resume=resume, progress=show)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: continue with --resume --out {out}", err=True)
        raise
    if end.failed:
        typer.echo(f"{end.failed:,} failed: see {out / 'errors.jsonl'}", err=True)
    if as_json:
        typer.echo(json.dumps({"run": str(out), **dataclasses.asdict(end)}))
    else:
        typer.echo(f"{out}: {end.done:,} of {end.total:,} answered, {end.failed:,} failed")
    if end.total and end.failed == end.total:
        raise typer.Exit(1)


@contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Show a bar on stderr when it is a terminal; yield the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    failed = TextColumn("{task.fields[failed]} failed")
    columns = (BarColumn(), MofNCompleteColumn(), failed, TimeRemainingColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None, failed=0)
        yield lambda at: bar.update(task, completed=at.done, total=at.total, failed=at.failed)
