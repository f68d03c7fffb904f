"""`askmask stats`: what a benchmark folder holds, as a table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
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
    text_only: Annotated[
        bool, typer.Option(help="Also measure what can be answered without the pictures.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Count pictures, instances and queries of a benchmark, as R2SM's Table 1 and more."""
    from askmask.metrics.statistics import folder_statistics, query_files

    splits = {split: one.to_json() for split, one in folder_statistics(folder).items()}
    blind = _text_only(folder, query_files(folder)) if text_only else {}
    if as_json:
        extra = {"text_only": blind} if text_only else {}
        typer.echo(json.dumps({"folder": folder.name, "splits": splits, **extra}, indent=2))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(splits))
    for split, scores in blind.items():
        console.print(_blind_table(split, scores))


def _text_only(folder: Path, files: Iterable[str]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Split -> kind of queries -> n and the scores without a picture, null where there are none."""
    from askmask.pantry.splits.text_only import learn_training_scenes, score_text_only

    reader = learn_training_scenes()
    return {
        split: {
            name: {key: None if math.isnan(value) else value for key, value in vars(one).items()}
            for name, one in score_text_only(folder, split, reader).items()
        }
        for split in files
    }


def _blind_table(split: str, scores: dict[str, dict[str, float | None]]) -> Table:
    """One row a kind of queries: how far one gets without the picture."""
    from rich import box
    from rich.table import Table

    title = f"{split}: right without the picture, in % (Jaccard index of objects)"
    table = Table("queries", title=title, box=box.SIMPLE, pad_edge=False)
    for column in ("n", "chance", "text only", "kind known"):
        table.add_column(column, justify="right")
    for name, row in scores.items():
        values = (row[key] for key in ("chance", "text_only", "kind_known"))
        cells = ("-" if value is None else f"{100 * value:.1f}" for value in values)
        table.add_row(name, f"{row['n']:,}", *cells)
    return table


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
