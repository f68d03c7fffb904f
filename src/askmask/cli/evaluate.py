"""`askmask evaluate`: score a predictions file against a queries file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.metrics import Figure, Report

__all__ = ["evaluate"]

_HASH_DIGITS = 12
"""Digits of the queries' hash in signatures: enough to tell files apart."""

_SLICED = ("gIoU", "cIoU", "mask-type-accuracy", "switch-accuracy", "hidden-part-IoU")
"""Figures in the table of slices: as many as fit a narrow terminal."""


def evaluate(
    predictions: Annotated[
        Path, typer.Argument(help="Predictions file, run folder, or results of another code.")
    ],
    against: Annotated[
        Path, typer.Option(metavar="QUERIES.jsonl", help="Queries file that was predicted.")
    ],
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Rules of: select, res, gres, reasonseg, r2sm, ores or muse; options after a "
            "colon, e.g. reasonseg:empty=0.",
        ),
    ] = "select",
    predictions_format: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Layout: askmask, coco, glamm, lisa, png or png-instances; auto looks inside.",
        ),
    ] = "auto",
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Score queries without a prediction as answered with no mask, and count them.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the report as JSON.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write every figure as CSV.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Also write a page: tables, plots, the worst and some random answers as pictures.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Score PREDICTIONS: each figure with its 95 % interval and what it was computed from."""
    from askmask.cli.evaluate_page import write_report
    from askmask.cli.torn import warn_of_torn
    from askmask.errors import ConfigError
    from askmask.formats.askmask import read_queries
    from askmask.formats.files import file_sha256, write_json
    from askmask.formats.predictions.registry import check_format, predictions_for
    from askmask.metrics.evaluate import evaluate_files
    from askmask.metrics.protocols import load_protocol
    from askmask.reports.tables import write_figures_csv

    try:
        load_protocol(protocol)
    except ConfigError as error:
        raise typer.BadParameter(f"--{error}") from error
    try:
        check_format(predictions_format)
    except ConfigError as error:
        raise typer.BadParameter(f"--predictions-format: {error}") from error
    on_torn = warn_of_torn if allow_missing else None
    report = evaluate_files(
        against,
        predictions,
        protocol,
        predictions_format=predictions_format,
        allow_missing=allow_missing,
        on_torn=on_torn,
        data=file_sha256(against)[:_HASH_DIGITS],
    )
    if out is not None:
        write_json(out, report.to_json())
    if csv is not None:
        write_figures_csv(csv, report)
    if page is not None:
        records = (
            read_queries(against),
            predictions_for(predictions, against, predictions_format, on_torn=on_torn),
        )
        write_report(page, predictions, report, *records, against.parent)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, allow_nan=False))
    else:
        _print_tables(report)


def _percent(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f}"


def _interval(figure: Figure) -> str:
    return "-" if math.isnan(figure.low) else f"{_percent(figure.low)} to {_percent(figure.high)}"


def _metrics_table(report: Report) -> Table:
    """One row a metric."""
    from rich import box
    from rich.table import Table

    title = f"protocol {report.protocol}, {report.n:,} queries, in %"
    table = Table("metric", title=title, box=box.SIMPLE)
    for column in ("value", "95 % interval", "n"):
        table.add_column(column, justify="right")
    for name, figure in report.metrics.items():
        table.add_row(name, _percent(figure.value), _interval(figure), f"{figure.n:,}")
    return table


def _slices_table(report: Report) -> Table:
    """One row a slice, one column a metric; those that fit, the JSON has all."""
    from rich import box
    from rich.table import Table

    names = [name for name in _SLICED if name in report.metrics]
    table = Table(title="slices, in %", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("slice", no_wrap=True)
    for column in ("n", *names):
        table.add_column(column.replace("-", " "), justify="right")
    for of, group in report.slices.items():
        values = [_percent(group[name].value, 1) for name in names]
        table.add_row(of, f"{group['gIoU'].n:,}", *values)
    return table


def _confusion_table(report: Report) -> Table:
    """One row an asked mask type, one column an answered one."""
    from rich import box
    from rich.table import Table

    table = Table("asked", title="mask types answered, in queries", box=box.SIMPLE)
    for answered in report.confusion:
        table.add_column(answered, justify="right")
    for asked, row in report.confusion.items():
        table.add_row(asked, *(f"{n:,}" for n in row.values()))
    return table


def _print_tables(report: Report) -> None:
    """Print the tables, what went wrong in the run, and the signatures."""
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_metrics_table(report))
    if "mask-type-accuracy" in report.metrics:
        console.print(_confusion_table(report))
    if report.slices:
        console.print(_slices_table(report))
    if report.failed:
        console.print(f"{report.failed:,} failed: they count as no mask, never as a right one")
    if report.missing:
        console.print(f"{report.missing:,} missing: scored as answered with no mask")
    for name, reason in report.undefined.items():
        console.print(f"{name}: no value, {reason}")
    for figure in report.metrics.values():
        console.print(figure.signature, style="dim", soft_wrap=True, markup=False)
