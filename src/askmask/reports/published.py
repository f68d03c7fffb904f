"""Figures that papers print, each with its source.

They come from other code and often from other queries, so they are shown in a section of their own
and never ranked or compared with our runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from askmask.errors import ConfigError
from askmask.reports.markup import Markup, tag
from askmask.reports.tables import percent, table

__all__ = ["NOTE", "PublishedRow", "published", "published_section"]

NOTE = "Published figures, not our runs: other code, perhaps other queries."


@dataclass(frozen=True)
class PublishedRow:
    """Figures of one method from one source.

    Attributes:
        benchmark: with its split, e.g. "R2SM D2SA".
        queries: which of its queries, e.g. "all" or "amodal".
        method: as its paper calls it.
        source: where the figures were printed.
        read: what we read: the paper itself, the official code, or a text about it (second hand).
        figures: metric -> value in [0, 1].
    """

    benchmark: str
    queries: str
    method: str
    source: str
    read: str
    figures: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON writes it."""
        return dict(vars(self))


def _rows() -> Iterable[PublishedRow]:
    """Read the file, which has one figure a line, and join figures of the same source."""
    rows: dict[tuple[str, ...], PublishedRow] = {}
    text = (resources.files(__package__) / "published.tsv").read_text("utf-8")
    for line in text.splitlines()[1:]:
        benchmark, queries, method, metric, value, source, read = line.split("\t")
        key = (benchmark, queries, method, source, read)
        row = rows.setdefault(key, PublishedRow(*key, {}))
        row.figures[metric] = round(float(value) / 100, 6)
    return rows.values()


def published(benchmark: str) -> list[PublishedRow]:
    """Return the rows of all benchmarks whose name begins so, whatever the case.

    Raises:
        ConfigError: when there is none, naming those that exist.
    """
    rows = list(_rows())
    found = [row for row in rows if row.benchmark.lower().startswith(benchmark.lower())]
    if not benchmark or not found:
        known = ", ".join(dict.fromkeys(row.benchmark for row in rows))
        raise ConfigError(f"published figures: expected one of {known}, got {benchmark!r}")
    return found


def published_section(rows: list[PublishedRow]) -> Markup:
    """Return the marked section of a page."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.figures))
    columns = ["method", "benchmark", "queries", *metrics, "source", "read from"]
    cells = [
        [
            *(row.method, row.benchmark, row.queries),
            *(percent(row.figures[name]) if name in row.figures else "" for name in metrics),
            *(row.source, row.read),
        ]
        for row in rows
    ]
    inner = table("Published figures, in %", columns, cells)
    return tag("section", tag("h2", "Published"), tag("p", NOTE), inner, class_="published")
