"""`askmask compare`: several runs on the same queries, each against the first."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.reports.compare import Comparison

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_A RUN_B…", help="Run folders, predictions files or results of other codes."
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="QUERIES.jsonl",
            help="Queries that all runs answered [default: the file that the runs name].",
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help="Rules, as of `askmask evaluate`.")
    ] = "select",
    predictions_format: Annotated[
        str,
        typer.Option(metavar="NAME", help="Layout of all runs, as of `askmask evaluate`."),
    ] = "auto",
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Score queries without a prediction as answered with no mask, and count them.",
        ),
    ] = False,
    published: Annotated[
        str | None,
        typer.Option(
            metavar="BENCHMARK", help="Also show what papers print, e.g. 'R2SM D2SA', apart."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare runs with RUN_A: differences with 95 % intervals, wins, losses and a sign test."""
    from askmask.cli.torn import warn_of_torn
    from askmask.errors import ConfigError
    from askmask.formats.predictions.registry import check_format
    from askmask.metrics.protocols import load_protocol
    from askmask.reports.compare import compare_runs
    from askmask.reports.published import published as published_rows

    if len(runs) < 2:
        raise typer.BadParameter(f"expected two or more runs, got {len(runs)}")
    try:
        load_protocol(protocol)
    except ConfigError as error:
        raise typer.BadParameter(f"--protocol: {error}") from error
    try:
        check_format(predictions_format)
    except ConfigError as error:
        raise typer.BadParameter(f"--predictions-format: {error}") from error
    rows = [] if published is None else published_rows(published)
    comparison = compare_runs(
        runs,
        against,
        protocol,
        allow_missing=allow_missing,
        predictions_format=predictions_format,
        on_torn=warn_of_torn if allow_missing else None,
    )
    if as_json:
        record = {**comparison.to_json(), "published": [row.to_json() for row in rows]}
        typer.echo(json.dumps(record, indent=2, allow_nan=False))
        return
    from rich.console import Console

    from askmask.cli.published import print_published

    console = Console(highlight=False)
    for place in range(len(comparison.differences)):
        console.print(_table(comparison, place))
    for figure in comparison.reports[0].metrics.values():
        console.print(figure.signature, style="dim", soft_wrap=True, markup=False)
    if rows:
        print_published(console, rows)


def _table(comparison: Comparison, place: int) -> Table:
    """One row a metric: the run's figure, the first run's, and the difference of the pair."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from askmask.reports.tables import percent

    first, other = comparison.reports[0], comparison.reports[place + 1]
    names = escape(comparison.names[place + 1]), escape(comparison.names[0])
    title = f"{names[0]} minus {names[1]}: protocol {first.protocol}, {first.n:,} queries, in %"
    table = Table("metric", title=title, box=box.SIMPLE, pad_edge=False)
    for column in (*names, "difference", "95 % interval", "wins", "losses", "p", "n"):
        table.add_column(column, justify="right")
    for name, one in comparison.differences[place].items():
        bounds = "-" if math.isnan(one.low) else f"{100 * one.low:+.2f} to {100 * one.high:+.2f}"
        table.add_row(
            name,
            percent(other.metrics[name].value),
            percent(first.metrics[name].value),
            "-" if math.isnan(one.value) else f"{100 * one.value:+.2f}",
            bounds,
            f"{one.wins:,}",
            f"{one.losses:,}",
            "-" if math.isnan(one.p_value) else f"{one.p_value:.2g}",
            f"{one.n:,}",
        )
    return table
