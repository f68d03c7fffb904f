"""Figures as text, as CSV and as HTML tables."""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from askmask.atomic import atomic_write
from askmask.metrics.report import Figure, Figures, Report
from askmask.reports.markup import Markup, tag

__all__ = [
    "confusion_table",
    "figures_table",
    "interval",
    "percent",
    "slices_table",
    "table",
    "write_csv",
    "write_figures_csv",
]

_COLUMNS = ("slice", "metric", "value", "low", "high", "n", "signature")


def percent(value: float, digits: int = 2) -> str:
    """Write a number of [0, 1] in %, and "-" for an undefined one."""
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f}"


def interval(figure: Figure, digits: int = 2) -> str:
    """Write the 95 % interval of a figure in %, and "-" for an undefined one."""
    if math.isnan(figure.low):
        return "-"
    return f"{percent(figure.low, digits)} to {percent(figure.high, digits)}"


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a UTF-8 CSV file; None becomes an empty cell, numbers keep all their digits.

    Raises:
        OutputError: when the file cannot be written.
    """
    with atomic_write(path) as stream:
        writer = csv.writer(codecs.getwriter("utf-8")(stream))
        writer.writerow(columns)
        writer.writerows(rows)


def write_figures_csv(path: Path, report: Report) -> None:
    """Write all figures, one a row; those of all queries have an empty slice.

    Values are in [0, 1] and undefined ones are empty.

    Raises:
        OutputError: when the file cannot be written.
    """
    groups: dict[str, Figures] = {"": report.metrics, **report.slices}
    write_csv(path, _COLUMNS, (row for of, group in groups.items() for row in _rows(of, group)))


def _rows(of: str, figures: Figures) -> Iterator[list[object]]:
    for name, figure in figures.items():
        cells = figure.to_json()
        yield [of, name, *(cells[column] for column in _COLUMNS[2:])]


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Return a table whose first column names the rows and whose other columns hold numbers."""
    head = tag("tr", *(tag("th", column, scope="col") for column in columns))
    body = (
        tag("tr", tag("th", cells[0], scope="row"), *(tag("td", cell) for cell in cells[1:]))
        for cells in rows
    )
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", inner, class_="wide")


def figures_table(caption: str, figures: Figures) -> Markup:
    """Return one row a metric, with interval, n and signature."""
    rows = [
        (
            name,
            percent(figure.value),
            interval(figure),
            f"{figure.n:,}",
            tag("code", figure.signature),
        )
        for name, figure in figures.items()
    ]
    return table(caption, ("metric", "value", "95 % interval", "n", "signature"), rows)


def slices_table(caption: str, slices: Mapping[str, Figures]) -> Markup:
    """Return one row a slice and one column a metric, each cell with its interval and n."""
    names = list(dict.fromkeys(name for group in slices.values() for name in group))
    rows = [
        (of, *(_cell(group[name]) if name in group else "" for name in names))
        for of, group in slices.items()
    ]
    return table(caption, ("slice", *names), rows)


def _cell(figure: Figure) -> Markup:
    value = tag("span", percent(figure.value, 1), title=figure.signature)
    bounds = tag("small", f"{interval(figure, 1)}; {figure.n:,}")
    return value if math.isnan(figure.value) else tag("span", value, tag("br"), bounds)


def confusion_table(caption: str, confusion: Mapping[str, Mapping[str, int]]) -> Markup:
    """Return one row an asked mask type and one column an answered one."""
    rows = [(asked, *(f"{n:,}" for n in row.values())) for asked, row in confusion.items()]
    return table(caption, ("asked", *(f"answered {name}" for name in confusion)), rows)
