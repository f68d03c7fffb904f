"""`askmask convert`: from one format of annotations or answers to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from askmask.errors import DataError

__all__ = ["convert"]

_LISTED = 5
"""Skipped records that are named on stderr; errors.jsonl has all."""


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="File or folder to read.")],
    source_format: Annotated[
        str, typer.Option("--from", metavar="FORMAT", help="What SRC is; see docs/convert.md.")
    ],
    target_format: Annotated[str, typer.Option("--to", metavar="FORMAT", help="What to write.")],
    out: Annotated[Path, typer.Option(metavar="PATH", help="File or new folder to write.")],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the pictures; default: the source's own."),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(metavar="QUERIES.jsonl", help="Queries that the predictions in SRC answer."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Convert this split only.")] = None,
    records: Annotated[
        Literal["entities", "queries", "predictions"] | None,
        typer.Option(help="What to write, where FORMAT holds one kind; default: what there is."),
    ] = None,
    mask_type: Annotated[
        Literal["modal", "amodal"] | None,
        typer.Option(help="Which masks of objects to write; default: all that FORMAT can hold."),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="List bad records in errors.jsonl and go on.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if anything would be lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Convert SRC to another FORMAT, and say on stderr what that one cannot hold."""
    from askmask.datasets.sources import dataset_sources
    from askmask.formats.collection import Options, stop
    from askmask.formats.converters import convert as convert_files
    from askmask.formats.files import write_jsonl

    skipped: list[dict[str, str]] = []

    def skip(where: str, error: DataError) -> None:
        skipped.append({"where": where, "error": str(error)})

    losses = convert_files(
        source,
        out,
        source_format=source_format,
        target_format=target_format,
        sources=dataset_sources(),
        options=Options(images, queries, split, records, mask_type),
        bad=skip if skip_bad else stop,
        strict=strict,
    )
    errors = (out if out.is_dir() else out.parent) / "errors.jsonl"
    if skipped:
        write_jsonl(errors, skipped)
        for one in skipped[:_LISTED]:
            typer.echo(f"skipped: {one['error']}", err=True)
        typer.echo(f"skipped {len(skipped):,} bad records: see {errors}", err=True)
    for line in losses.lines():
        typer.echo(line, err=True)
    if as_json:
        outcome = {"out": str(out), "lost": losses.lines(), "skipped": len(skipped)}
        typer.echo(json.dumps(outcome))
    else:
        typer.echo(str(out))
