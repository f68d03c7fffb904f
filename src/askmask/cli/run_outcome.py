"""How a run over many queries shows its progress, and how it ends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from askmask.runs.predict import Progress
    from askmask.runs.shard import Shard

__all__ = ["parse_shard", "print_outcome", "shown_run"]


def parse_shard(text: str | None) -> Shard | None:
    """Read the option --shards; a wrong one is a wrong command line."""
    from askmask.errors import ConfigError
    from askmask.runs.shard import Shard

    try:
        return None if text is None else Shard.parse(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def shown_run(out: Path) -> Iterator[Callable[[Progress], None]]:
    """Show a bar on stderr when it is a terminal; yield the function that moves it.

    When the run is interrupted, say how to continue.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    failed = TextColumn("{task.fields[failed]} failed")
    columns = (BarColumn(), MofNCompleteColumn(), failed, TimeRemainingColumn())
    try:
        with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=None, failed=0)
            yield lambda at: bar.update(task, completed=at.done, total=at.total, failed=at.failed)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: continue with --resume --out {out}", err=True)
        raise


def print_outcome(out: Path, end: Progress, *, as_json: bool, **more: Any) -> None:
    """Print what a run has done; leave with exit code 1 when every query failed.

    Args:
        out: run folder.
        end: how far it came.
        as_json: print one object, with `more` in it.
        more: what else there is to say in JSON.
    """
    if end.failed:
        typer.echo(f"{end.failed:,} failed: see {out / 'errors.jsonl'}", err=True)
    if as_json:
        typer.echo(json.dumps({"run": str(out), **dataclasses.asdict(end), **more}))
    else:
        typer.echo(f"{out}: {end.done:,} of {end.total:,} answered, {end.failed:,} failed")
    if end.total and end.failed == end.total:
        raise typer.Exit(1)
