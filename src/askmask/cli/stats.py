"""`askmask stats`: what a benchmark folder holds, as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["stats"]

_SINGLE = {
    "images": "images",
    "entities": "instances",
    "occluded_entities": "instances partly hidden",
    "categories": "categories",
    "queries": "queries",
    "twins": "twins",
    "sentences": "different sentences",
    "vocabulary": "different words",
}
"""Keys of single numbers, and what the table calls them."""


def stats(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Benchmark folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Count pictures, instances and queries of a benchmark, as R2SM's Table 1 and more."""
    from askmask.metrics.statistics import folder_statistics

    splits = {split: one.to_json() for split, one in folder_statistics(folder).items()}
    if as_json:
        typer.echo(json.dumps({"folder": folder.name, "splits": splits}, indent=2))
        return
    from rich.console import Console

    Console(highlight=False).print(_table(splits))


def _table(splits: dict[str, dict[str, Any]]) -> Table:
    """One column a split, one row a count; families of counts with their share of the queries."""
    from rich import box
    from rich.table import Table

    table = Table("", box=box.SIMPLE, pad_edge=False)
    for split in splits:
        table.add_column(split, justify="right")
    for key, name in _SINGLE.items():
        table.add_row(name, *(_number(one[key]) for one in splits.values()))
    table.add_row("words a sentence", *(_length(one["sentence_words"]) for one in splits.values()))
    for family in next(iter(splits.values())):
        counts = [one[family] for one in splits.values()]
        if family != "sentence_words" and isinstance(counts[0], dict):
            table.add_section()
            for name in sorted({name for one in counts for name in one}):
                cells = (
                    _share(one.get(name, 0), every["queries"])
                    for one, every in zip(counts, splits.values(), strict=True)
                )
                table.add_row(f"{family.replace('_', ' ')}: {name}", *cells)
    return table


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _share(count: int, queries: int) -> str:
    return f"{count:,} ({100 * count / queries:.1f} %)" if count else "-"


def _length(words: dict[str, float] | None) -> str:
    return f"{words['mean']:.1f} ({words['min']} to {words['max']})" if words else "-"
