"""Several runs on the same queries, each against the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.errors import ConfigError, DataError, TornLineError
from askmask.formats.files import file_sha256
from askmask.formats.predictions.registry import AUTO
from askmask.metrics.compare import Difference, compare
from askmask.metrics.evaluate import evaluate_files
from askmask.metrics.report import Report
from askmask.reports.run_files import Run, read_run

__all__ = ["Comparison", "compare_runs", "run_names"]

_HASH_DIGITS = 12
"""Digits of the queries' hash in signatures, as `askmask evaluate` writes them."""

Differences = Mapping[str, Difference]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Reports of several runs, and how the later ones differ from the first.

    Attributes:
        queries: the queries file.
        names: of the runs, all different.
        reports: one a run.
        differences: run minus first run by metric, for every run but the first.
    """

    queries: Path
    names: tuple[str, ...]
    reports: tuple[Report, ...]
    differences: tuple[Differences, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as `askmask compare --json` prints it."""
        runs = zip(self.names, self.reports, strict=True)
        others = zip(self.names[1:], self.differences, strict=True)
        return {
            "protocol": self.reports[0].protocol,
            "queries": str(self.queries),
            "n": self.reports[0].n,
            "runs": [{"run": name, "metrics": r.to_json()["metrics"]} for name, r in runs],
            "differences": [
                {
                    "run": name,
                    "minus": self.names[0],
                    "metrics": {metric: one.to_json() for metric, one in found.items()},
                }
                for name, found in others
            ],
        }


def compare_runs(
    paths: Sequence[Path],
    queries: Path | None = None,
    protocol: str = "select",
    *,
    allow_missing: bool = False,
    predictions_format: str = AUTO,
    on_torn: Callable[[TornLineError], None] | None = None,
) -> Comparison:
    """Evaluate runs and compare each with the first, query by query.

    Args:
        paths: two or more run folders, predictions files, or results of other codes.
        queries: the queries that all of them answered; None takes the file that run.json names.
        protocol: name of the protocol.
        allow_missing: score queries without a prediction as answered with no mask, instead of
            raising.
        predictions_format: name of the layout of all, or AUTO.
        on_torn: as of `predictions_for`.

    Raises:
        ConfigError: when there are fewer than two runs, or the queries are not known.
        DataError: when a run is malformed or has predicted other queries.
    """
    if len(paths) < 2:
        raise ConfigError(f"compare: expected two or more runs, got {len(paths)}")
    runs = [read_run(path) for path in paths]
    asked = queries or _queries_of(runs)
    sha256 = file_sha256(asked)
    for run in runs:
        if run.queries_sha256 not in (None, sha256):
            raise DataError(
                f"{run.path}: has predicted other queries than {asked} "
                f"(SHA-256 {run.queries_sha256[:_HASH_DIGITS]}, not {sha256[:_HASH_DIGITS]}); "
                "runs are compared on the same queries only"
            )
    reports = [
        evaluate_files(
            asked,
            run.predictions,
            protocol,
            predictions_format=predictions_format,
            allow_missing=allow_missing,
            on_torn=on_torn,
            data=sha256[:_HASH_DIGITS],
        )
        for run in runs
    ]
    return Comparison(
        queries=asked,
        names=run_names(paths),
        reports=tuple(reports),
        differences=tuple(compare(report, reports[0]) for report in reports[1:]),
    )


def _queries_of(runs: Sequence[Run]) -> Path:
    """Find the queries file that a run names."""
    named = next((run.queries for run in runs if run.queries is not None), None)
    if named is None or not named.is_file():
        said = "no run names its queries file" if named is None else f"{named} is not there"
        raise ConfigError(f"compare: {said}; name it with --against QUERIES.jsonl")
    return named


def run_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return short names of runs: the last part of each path, or all of it where two agree."""
    short = [path.resolve().name for path in paths]
    return tuple(
        str(path) if short.count(name) > 1 else name
        for path, name in zip(paths, short, strict=True)
    )
