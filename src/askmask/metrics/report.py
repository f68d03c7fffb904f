"""Reports: signed figures with their intervals, as an evaluation returns and prints them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from askmask.metrics.calibration import Reliability
from askmask.metrics.counts import Counts
from askmask.metrics.terms import Metric

__all__ = ["Figure", "Figures", "Report"]


@dataclass(frozen=True)
class Figure:
    """One metric over a set of queries.

    Attributes:
        value: in [0, 1], NaN when undefined.
        low: lower end of the 95 % bootstrap interval, NaN when undefined.
        high: upper end.
        n: number of queries that the metric is about.
        signature: what it was computed from and how.
    """

    value: float
    low: float
    high: float
    n: int
    signature: str

    def to_json(self) -> dict[str, Any]:
        """Return the figure as JSON writes it, undefined numbers as None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        defined = {key: None if math.isnan(x) else x for key, x in numbers.items()}
        return {**defined, "n": self.n, "signature": self.signature}


Figures = Mapping[str, Figure]


@dataclass(frozen=True, eq=False)
class Report:
    """Result of an evaluation.

    Attributes:
        protocol: name of the protocol.
        n: number of queries.
        failed: queries whose prediction is an error.
        missing: queries without a prediction; they are scored as failed.
        metrics: the protocol's figures, by name.
        slices: the same figures for each slice, "family=name".
        confusion: queries by asked and answered mask type.
        counts: what each query counted, in the order of the queries.
        query_ids: ids of the queries, in the same order.
        terms: the metrics before their division, by name, over the same queries.
        reliability: of "type" and "selection", where the predictions hold probabilities.
        undefined: why figures have no value that a reader expects, by name.
    """

    protocol: str
    n: int
    failed: int
    missing: int
    metrics: Figures
    slices: Mapping[str, Figures]
    confusion: Mapping[str, Mapping[str, int]]
    counts: Counts = field(repr=False)
    query_ids: Sequence[str] = field(repr=False)
    terms: Mapping[str, Metric] = field(repr=False)
    reliability: Mapping[str, Reliability] = field(repr=False)
    undefined: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as `askmask evaluate --json` prints it."""
        return {
            "protocol": self.protocol,
            "n": self.n,
            "failed": self.failed,
            "missing": self.missing,
            "metrics": _figures_to_json(self.metrics),
            "slices": {name: _figures_to_json(group) for name, group in self.slices.items()},
            "mask_type_confusion": {asked: dict(row) for asked, row in self.confusion.items()},
            "reliability": {name: table.to_json() for name, table in self.reliability.items()},
            "undefined": dict(self.undefined),
        }


def _figures_to_json(figures: Figures) -> dict[str, Any]:
    return {name: figure.to_json() for name, figure in figures.items()}
