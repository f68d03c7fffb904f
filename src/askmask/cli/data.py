"""`askmask data`: what a data set on disk is, holds and gets wrong."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.datasets.frame import BadRecords, DatasetFormat
    from askmask.datasets.summary import Summary

__all__ = ["data"]

data = typer.Typer(
    name="data",
    help="Look into data sets of the field as they lie on disk.",
    no_args_is_help=True,
)

_SHOWN = 20
"""Problems that are printed before the rest is only counted."""

_Path = Annotated[Path, typer.Argument(metavar="PATH", help="Folder or file of the data set.")]
_From = Annotated[
    str | None, typer.Option("--from", metavar="FORMAT", help="Its format; default: guessed.")
]
_Images = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the pictures, to look at them too.")
]
_Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OURS=THEIRS", help="Name a key of formats with unknown keys."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _opened(path: Path, name: str | None, mapping: list[str] | None) -> DatasetFormat:
    """Format of a path: as named, or as guessed, with its keys renamed."""
    from askmask.datasets.registry import named, recognise
    from askmask.errors import ConfigError

    found = recognise(path) if name is None else named(name)
    if not mapping:
        return found
    pairs = [one.partition("=") for one in mapping]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise ConfigError(f"--map: expected OURS=THEIRS, got {' '.join(mapping)}")
    if found.mapped is None:
        raise ConfigError(f"--map: the keys of format {found.name} are fixed")
    return found.mapped({ours: theirs for ours, _, theirs in pairs})


@data.command()
def info(
    path: _Path,
    format: _From = None,
    images: _Images = None,
    mapping: _Map = None,
    as_json: _Json = False,
) -> None:
    """Guess the format, count each split and compare with what the data set should have."""
    from askmask.datasets.summary import summarise

    summary = summarise(_opened(path, format, mapping), path, images)
    if as_json:
        typer.echo(json.dumps({"path": str(path), **summary.to_json()}, indent=2))
    else:
        _print_summary(summary)


def _print_summary(summary: Summary) -> None:
    from rich.console import Console

    card = summary.format.card
    typer.echo(f"{summary.format.name}: {card.title}")
    typer.echo(f"source:  {card.source}")
    typer.echo(f"licence: {card.licence}")
    Console(highlight=False).print(_table(summary))
    for line in card.notes:
        typer.echo(f"note: {line}")
    for line in summary.differences:
        typer.echo(f"difference: {line}")
    for problem in summary.problems[:_SHOWN]:
        typer.echo(f"problem: {problem['error']}")
    if not summary.problems:
        typer.echo("no problems found; `askmask data check` looks deeper")
    elif len(summary.problems) > _SHOWN:
        typer.echo(f"… {len(summary.problems) - _SHOWN:,} more problems; --json prints all")


def _table(summary: Summary) -> Table:
    """One row a split, one column a count."""
    from rich import box
    from rich.table import Table

    nouns = list(dict.fromkeys(noun for counts in summary.splits.values() for noun in counts))
    table = Table("split", box=box.SIMPLE, pad_edge=False)
    for noun in nouns:
        table.add_column(noun.replace("_", " "), justify="right")
    for split, counts in summary.splits.items():
        table.add_row(split, *(f"{counts[noun]:,}" if noun in counts else "-" for noun in nouns))
    return table


def _check(
    found: DatasetFormat, path: Path, splits: list[str], images: Path | None, bad: BadRecords
) -> list[str]:
    """All problems; the first record that cannot be read ends the list unless it is skipped."""
    from askmask.datasets.check import check_dataset
    from askmask.errors import DataError

    problems: list[str] = []
    try:
        problems.extend(check_dataset(found, path, splits, images, bad))
    except DataError as error:
        problems.append(str(error))
    return problems


@data.command()
def check(
    path: _Path,
    format: _From = None,
    images: _Images = None,
    split: Annotated[str | None, typer.Option(help="One split; default: all.")] = None,
    mapping: _Map = None,
    skip_bad: Annotated[
        bool, typer.Option(help="Go on after records that cannot be read, and list them.")
    ] = False,
    errors: Annotated[
        Path, typer.Option(metavar="FILE", help="Where --skip-bad lists them.")
    ] = Path("errors.jsonl"),
    as_json: _Json = False,
) -> None:
    """Read every record and check masks, areas, orders and ids; exit code 1 when any is wrong."""
    from askmask.datasets.frame import BadRecords

    found = _opened(path, format, mapping)
    bad = BadRecords(skip=skip_bad)
    problems = _check(found, path, [split] if split else found.splits(path), images, bad)
    if skip_bad:
        bad.write(errors)
    problems += [one["error"] for one in bad.listed]
    if as_json:
        typer.echo(json.dumps({"path": str(path), "format": found.name, "problems": problems}))
    else:
        _print_problems(problems)
    if bad.listed:
        typer.echo(f"{len(bad.listed):,} records could not be read: listed in {errors}", err=True)
    raise typer.Exit(1 if problems else 0)


def _print_problems(problems: list[str]) -> None:
    for line in islice(problems, _SHOWN):
        typer.echo(line)
    if len(problems) > _SHOWN:
        typer.echo(f"… and {len(problems) - _SHOWN:,} more; --json prints all")
    typer.echo(f"{len(problems):,} problem{'s' if len(problems) != 1 else ''} found")
