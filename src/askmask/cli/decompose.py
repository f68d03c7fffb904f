"""`askmask decompose`: which stage of a model loses what."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askmask.cli.progress import progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.metrics import Difference, Figure
    from askmask.runs.decompose import Decomposition

__all__ = ["decompose"]


def decompose(
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES.jsonl", help="Queries of a benchmark folder.")
    ],
    model: Annotated[
        str, typer.Option(metavar="ID", help="Model that is composed of stages.")
    ] = "embedded-v1",
    entities: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Objects of the pictures; default: entities-*.jsonl beside QUERIES.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write everything as JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Score answers as given and with true mask types, selections and masks in their place.

    type: the asked type of the selected things. selection: the nearest candidates of the true
    group. masks: the true masks of what was selected. type+selection: the best that the candidates
    allow. type+selection+masks: what is then missing, no candidate shows.
    """
    from askmask.formats.files import write_json
    from askmask.models.registry import load
    from askmask.runs.decompose import decompose as decompose_queries

    with progress_bar("queries", None) as progress:
        found = decompose_queries(load(model), queries, entities=entities, progress=progress)
    if out is not None:
        write_json(out, found.to_json())
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
    else:
        _print_tables(found, queries)


def _print_tables(found: Decomposition, queries: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    n = next(iter(found.reports.values())).n
    console.print(f"{found.model_id}, {queries}: {n:,} queries, in %, 95 % interval", markup=False)
    console.print(_oracles_table(found))
    console.print(_slices_table(found))
    console.print(_stages_table(found))
    for report in found.reports.values():
        for figure in report.metrics.values():
            console.print(figure.signature, style="dim", soft_wrap=True, markup=False)


def _table(title: str, first: str, columns: Iterator[str] | list[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _oracles_table(found: Decomposition) -> Table:
    """One row an oracle, one column a figure."""
    first = next(iter(found.reports.values()))
    columns = [f"{name} (n {figure.n:,})" for name, figure in first.metrics.items()]
    table = _table("answers with oracles", "known", columns)
    for name, report in found.reports.items():
        table.add_row(name, *map(_cell, report.metrics.values()))
    return table


def _slices_table(found: Decomposition) -> Table:
    """One row a slice and its number of queries, one column an oracle."""
    first = next(iter(found.reports.values()))
    columns = ["n", *map(_short, found.reports)]
    table = _table("gIoU of slices; t type, s selection, m masks are known", "slice", columns)
    for of, group in first.slices.items():
        values = (report.slices[of]["gIoU"].value for report in found.reports.values())
        table.add_row(of, f"{group['gIoU'].n:,}", *map(_percent, values))
    return table


def _stages_table(found: Decomposition) -> Table:
    """One row a stage: what its perfection alone brings, and what it alone costs."""
    from askmask.models.oracle import STAGES

    columns = ["gain if only it were perfect", "loss if only it is as it is"]
    table = _table("gIoU by stage, in points", "stage", columns)
    for stage in STAGES:
        table.add_row(stage, *map(_difference, (found.gain(stage), found.loss(stage))))
    best = found.reports["+".join(STAGES)].metrics["gIoU"]
    missed = f"{_percent(1 - best.value)} ({_percent(1 - best.high)} to {_percent(1 - best.low)})"
    table.add_row("candidates that are missing", "", "-" if math.isnan(best.value) else missed)
    return table


def _short(oracle: str) -> str:
    """First letters of what an oracle knows, so that the columns fit a narrow terminal."""
    from askmask.models.oracle import ORACLES

    return "+".join(stage[0] for stage in oracle.split("+")) if ORACLES[oracle] else "none"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def _cell(figure: Figure) -> str:
    if math.isnan(figure.value):
        return "-"
    return f"{_percent(figure.value)} ({100 * figure.low:.0f}-{100 * figure.high:.0f})"


def _difference(one: Difference) -> str:
    if math.isnan(one.value):
        return "-"
    return f"{_percent(one.value)} ({_percent(one.low)} to {_percent(one.high)})"
