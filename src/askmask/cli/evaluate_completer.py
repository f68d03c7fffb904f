"""`askmask evaluate-completer`: completers scored beside doing nothing and the convex hull."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askmask.cli.progress import progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.runs.completion import CompletionFigure

__all__ = ["evaluate_completer"]

_BESIDE = ("none", "convex-hull")
"""Completers that every table has, to compare with."""

_Figures = dict[str, dict[str, "CompletionFigure"]]


def evaluate_completer(
    path: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Data sets whose objects have modal and amodal masks."
        ),
    ],
    completer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Completer or folder; may be repeated.  [default: completer-v1]"
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Split, where there are several.")] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the pictures; default: by the annotations."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Pictures to look at, at most.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the figures as JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Give completers the true visible masks and measure the shapes that they guess."""
    from askmask.formats.files import write_json
    from askmask.models.completion import DEFAULT_COMPLETER, load_completer
    from askmask.runs.completion import annotated_pictures, score_completers

    names = dict.fromkeys((*_BESIDE, *(completer or [DEFAULT_COMPLETER])))
    loaded = [load_completer(name) for name in names]
    pictures = islice(annotated_pictures(path, split=split, images=images), count)
    with progress_bar("pictures", count) as progress:
        figures = score_completers(pictures, loaded, progress=progress)
    values = {
        name: {key: figure.to_json() for key, figure in own.items()}
        for name, own in figures.items()
    }
    if out is not None:
        write_json(out, values)
    if as_json:
        typer.echo(json.dumps(values, indent=2, allow_nan=False))
    else:
        _print_table(figures, path)


def _print_table(figures: _Figures, paths: Sequence[Path]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(figures, ", ".join(str(path) for path in paths)))


def _table(figures: _Figures, title: str) -> Table:
    """One row a figure, one column a completer."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("in %, 95 % interval", no_wrap=True)
    table.add_column("objects", justify="right")
    for name in figures:
        table.add_column(Path(name).name, justify="right", no_wrap=True)
    for row in _rows(figures):
        table.add_row(*row)
    return table


def _rows(figures: _Figures) -> Iterator[list[str]]:
    first = next(iter(figures.values()))
    for name, counted in first.items():
        yield [name, f"{counted.objects:,}", *(_cell(own[name]) for own in figures.values())]


def _cell(figure: CompletionFigure) -> str:
    if math.isnan(figure.value):
        return "-"
    return f"{100 * figure.value:.1f} ({100 * figure.low:.0f}-{100 * figure.high:.0f})"
