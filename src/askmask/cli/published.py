"""Published figures in the terminal: tables of their own, marked as not ours, sources below."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from askmask.reports.published import PublishedRow

__all__ = ["print_published"]


def print_published(console: Console, rows: list[PublishedRow]) -> None:
    """Print one table a benchmark, then the numbered sources."""
    sources = list(dict.fromkeys(_source(row) for row in rows))
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        of = [row for row in rows if row.benchmark == benchmark]
        console.print(_table(benchmark, of, sources))
    for number, source in enumerate(sources, 1):
        console.print(f"({number}) {source}", style="dim", soft_wrap=True, markup=False)


def _source(row: PublishedRow) -> str:
    return f"{row.source}; read from: {row.read}"


def _table(benchmark: str, rows: list[PublishedRow], sources: list[str]) -> Table:
    """One row a method and source, in %."""
    from rich import box
    from rich.table import Table

    from askmask.reports.published import NOTE
    from askmask.reports.tables import percent

    table = Table(title=f"{benchmark}, in %. {NOTE}", box=box.SIMPLE, pad_edge=False, style="dim")
    table.add_column("published", no_wrap=True)
    table.add_column("queries")
    metrics = list(dict.fromkeys(name for row in rows for name in row.figures))
    for column in (*metrics, "source"):
        table.add_column(column, justify="right")
    for row in rows:
        cells = (percent(row.figures[name]) if name in row.figures else "" for name in metrics)
        table.add_row(row.method, row.queries, *cells, f"({sources.index(_source(row)) + 1})")
    return table
