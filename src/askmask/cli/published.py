"""The table of published figures, marked as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from askmask.reports.published import PublishedRow

__all__ = ["published_table"]


def published_table(rows: list[PublishedRow]) -> Table:
    """One row a method and source, in %."""
    from rich import box
    from rich.table import Table

    from askmask.reports.published import NOTE, columns_and_cells

    columns, cells = columns_and_cells(rows)
    table = Table(title=NOTE, box=box.SIMPLE, pad_edge=False, style="dim")
    for column in columns:
        table.add_column(column)
    for row in cells:
        table.add_row(*row)
    return table
