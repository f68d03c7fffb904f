"""A leaderboard of evaluated runs, ranked only where figures mean the same.

Runs are grouped by protocol and data, as their signatures name them; ranks exist within a group
only, and a metric whose rules differ inside a group is not ranked either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.atomic import atomic_write
from askmask.errors import ConfigError, DataError
from askmask.formats.files import write_json
from askmask.metrics.figures import lower_is_better
from askmask.metrics.report import Figure, Figures
from askmask.reports.compare import run_names
from askmask.reports.markup import Markup, document, tag
from askmask.reports.page import write_static
from askmask.reports.published import PublishedRow, published_section
from askmask.reports.run_files import Evaluation, read_evaluation, settings
from askmask.reports.tables import interval, percent

__all__ = ["FILES", "Group", "group_runs", "write_leaderboard"]

FILES = r"index\.html|page\.css|sort\.js|leaderboard\.json"
"""Regular expression of the names that are written."""

_FORMAT = "askmask-leaderboard/1"

_NOT_RULES = ("n", "v", "missing", "slice")
"""Settings of a signature that tell about the run and not about how a figure is computed."""

_INTERVALS = (
    "Ranks follow the value alone. Overlapping intervals do not tell two runs apart; "
    "askmask compare does, on the same queries."
)


@dataclass(frozen=True)
class Group:
    """Runs with the same protocol and data, best first.

    Attributes:
        protocol: name of the protocol.
        data: hash of the queries, or None when the signatures name none.
        ranked_by: metric that decides the order.
        unranked: why there are no ranks, or None.
        runs: name -> evaluation, best first.
        ranks: name -> 1 for the best; runs without a defined value have none.
    """

    protocol: str
    data: str | None
    ranked_by: str
    unranked: str | None
    runs: Mapping[str, Evaluation]
    ranks: Mapping[str, int]

    @property
    def title(self) -> str:
        """Protocol and data, as a heading."""
        return f"protocol {self.protocol}, data {self.data or 'not named'}"

    def to_json(self) -> dict[str, Any]:
        """Return the group as leaderboard.json holds it."""
        return {
            "protocol": self.protocol,
            "data": self.data,
            "ranked_by": None if self.unranked else self.ranked_by,
            "unranked": self.unranked,
            "runs": [
                {
                    "run": name,
                    "rank": self.ranks.get(name),
                    "model": one.run.model_name,
                    "n": one.n,
                    "metrics": _to_json(one.metrics),
                    "slices": {of: _to_json(group) for of, group in one.slices.items()},
                }
                for name, one in self.runs.items()
            ],
        }


def _to_json(figures: Figures) -> dict[str, Any]:
    return {metric: figure.to_json() for metric, figure in figures.items()}


def _rules(figure: Figure) -> dict[str, str]:
    """How a figure was computed."""
    named = settings(figure.signature).items()
    return {key: value for key, value in named if key not in _NOT_RULES}


def _same_rules(figures: Iterable[Figure]) -> bool:
    rules = [_rules(figure) for figure in figures]
    return all(one == rules[0] for one in rules)


def group_runs(folders: Sequence[Path], rank_by: str | None = None) -> list[Group]:
    """Read run folders and rank them within each protocol and data.

    Args:
        folders: run folders with metrics.json, in any order.
        rank_by: metric that decides the order; None takes the first of each group.

    Raises:
        ConfigError: when no run has the metric.
        DataError: when a run folder is malformed or named twice.
    """
    names = run_names(folders)
    double = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if double is not None:
        raise DataError(f"{double}: expected different runs, got it twice")
    evaluations = {name: read_evaluation(path) for name, path in zip(names, folders, strict=True)}
    known = dict.fromkeys(metric for one in evaluations.values() for metric in one.metrics)
    if rank_by is not None and rank_by not in known:
        raise ConfigError(f"rank: expected one of {', '.join(known)}, got {rank_by!r}")
    groups: dict[tuple[str, str | None], dict[str, Evaluation]] = {}
    for name, one in evaluations.items():
        groups.setdefault((one.protocol, one.data), {})[name] = one
    return [_ranked(*key, runs, rank_by) for key, runs in groups.items()]


def _ranked(
    protocol: str, data: str | None, runs: Mapping[str, Evaluation], rank_by: str | None
) -> Group:
    metric = rank_by or next(iter(next(iter(runs.values())).metrics))
    figures = {name: one.metrics[metric] for name, one in runs.items() if metric in one.metrics}
    unranked = None
    if data is None:
        unranked = "the signatures name no data, so nobody knows whether the queries were the same"
    elif not figures:
        unranked = f"no run has {metric}"
    elif not _same_rules(figures.values()):
        unranked = f"the rules of {metric} differ between the runs; see the signatures"
    if unranked is not None:
        return Group(protocol, data, metric, unranked, runs, {})
    sign = 1 if lower_is_better(metric) else -1
    cost = {n: sign * figure.value for n, figure in figures.items() if not math.isnan(figure.value)}
    order = sorted(runs, key=lambda name: cost.get(name, math.inf))
    ranks = {name: 1 + sum(other < own for other in cost.values()) for name, own in cost.items()}
    return Group(protocol, data, metric, None, {name: runs[name] for name in order}, ranks)


def write_leaderboard(
    out: Path, groups: Sequence[Group], published: list[PublishedRow] | None = None
) -> None:
    """Write index.html, leaderboard.json and what they need into a folder.

    Args:
        out: an existing folder.
        groups: of ranked runs.
        published: figures of papers, for a section of their own.

    Raises:
        OutputError: when a file cannot be written.
    """
    rows = published or []
    record = {
        "format": _FORMAT,
        "groups": [group.to_json() for group in groups],
        "published": [row.to_json() for row in rows],
    }
    write_json(out / "leaderboard.json", record)
    write_static(out, "page.css", "sort.js")
    parts = [section for group in groups for section in _sections(group)]
    if rows:
        parts.append(published_section(rows))
    note = "Runs of other protocols or data are in tables of their own and not ranked together."
    page = document(
        "Leaderboard",
        tag("header", tag("h1", "Leaderboard"), tag("p", f"Figures in %. {_INTERVALS}")),
        tag("main", *([tag("p", note, class_="note")] if len(groups) > 1 else []), *parts),
        tag("footer", "The same figures: ", tag("a", "leaderboard.json", href="leaderboard.json")),
        scripts=("sort.js",),
    )
    with atomic_write(out / "index.html") as stream:
        stream.write(page.encode())


def _sections(group: Group) -> Iterator[Markup]:
    """Heading, table of all queries, tables of slices, signatures."""
    yield tag("h2", group.title)
    if group.unranked is not None:
        yield tag("p", f"Not ranked: {group.unranked}.", class_="note")
    yield _table(group, "all queries", {name: one.metrics for name, one in group.runs.items()})
    slices = dict.fromkeys(of for one in group.runs.values() for of in one.slices)
    if slices:
        tables = [
            _table(group, of, {name: one.slices.get(of, {}) for name, one in group.runs.items()})
            for of in slices
        ]
        yield tag("details", tag("summary", f"{len(slices)} slices"), *tables)
    listed = (
        tag("li", f"{name}: ", tag("code", figure.signature))
        for name, one in group.runs.items()
        for figure in one.metrics.values()
    )
    yield tag("details", tag("summary", "Signatures"), tag("ul", *listed))


def _table(group: Group, caption: str, figures: Mapping[str, Figures]) -> Markup:
    """Return one row a run; columns are sortable where all of their figures mean the same."""
    metrics = dict.fromkeys(metric for one in figures.values() for metric in one)
    alike = {
        metric: group.data is not None
        and _same_rules([one[metric] for one in figures.values() if metric in one])
        for metric in metrics
    }
    columns = [_column("rank"), _column("run"), _column("model")]
    columns += [_column(metric, sortable=alike[metric]) for metric in metrics]
    rows = (
        tag(
            "tr",
            _cell(str(group.ranks.get(name, "-")), group.ranks.get(name)),
            tag("th", name, scope="row", data_value=name),
            _model_cell(group.runs[name].run.model_name),
            *(_figure_cell(one.get(metric)) for metric in metrics),
        )
        for name, one in figures.items()
    )
    head, body = tag("thead", tag("tr", *columns)), tag("tbody", *rows)
    return tag("div", tag("table", tag("caption", caption), head, body), class_="wide")


def _model_cell(name: str | None) -> Markup:
    return _cell(name or "-", name, is_words=True)


def _column(name: str, *, sortable: bool = True) -> Markup:
    if not sortable:
        return tag("th", f"{name} (rules differ)", scope="col")
    low_first = lower_is_better(name) or name in ("rank", "run", "model")
    button = tag("button", name, type="button", data_first="low" if low_first else "high")
    return tag("th", button, scope="col")


def _cell(words: str, value: object, *, is_words: bool = False) -> Markup:
    return tag("td", words, data_value=value, class_="words" if is_words else None)


def _figure_cell(figure: Figure | None) -> Markup:
    if figure is None:
        return tag("td", "")
    value = None if math.isnan(figure.value) else repr(figure.value)
    small = tag("small", f"{interval(figure, 1)}; {figure.n:,}")
    return tag(
        "td", percent(figure.value), tag("br"), small, data_value=value, title=figure.signature
    )
