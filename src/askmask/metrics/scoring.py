"""Scoring: queries and their predictions, counted one by one, make a report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from askmask.collector import seldom_collected
from askmask.errors import DataError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.bootstrap import RESAMPLES, intervals
from askmask.metrics.calibration import reliability
from askmask.metrics.columns import on_disk
from askmask.metrics.counts import THREADS, Counter, Counts
from askmask.metrics.figures import OF_INSTANCES, wanted_by
from askmask.metrics.mask_type import mask_type_confusion
from askmask.metrics.pairing import Pairing, listed
from askmask.metrics.protocols import Protocol, settings_of, terms_of
from askmask.metrics.report import Figure, Report
from askmask.metrics.signature import signature
from askmask.metrics.slices import Slices

__all__ = ["Scoring"]

_MANY = 250_000
"""Queries from which on slices are computed one by one, as each takes memory meanwhile."""


def _undefined(counts: Counts, protocol: Protocol, ids: Sequence[str]) -> dict[str, str]:
    """Why figures of instances have no value, where answers are one fused mask.

    Raises:
        DataError: when the protocol needs instances.
    """
    needing = [name for name in protocol.metrics if name in OF_INSTANCES]
    fused = [ids[row] for row in counts.fused_only.nonzero()[0].tolist()]
    if not needing or not fused:
        return {}
    reason = f"{len(fused):,} of {len(ids):,} answers are one fused mask without instances"
    if protocol.needs_instances:
        raise DataError(
            f"predictions: {reason} ({listed(fused)}), but {', '.join(needing)} need masks one by "
            "one with scores; score with protocol select, which leaves them undefined"
        )
    return dict.fromkeys(needing, reason)


class Scoring:
    """Scores queries and their predictions, row by row, into a report.

    Attributes:
        counter: counts of the queries so far.
        slices: rows of the queries so far.
    """

    def __init__(self, protocol: Protocol, *, threads: int = THREADS, **said: str | None) -> None:
        """Start without queries.

        Args:
            protocol: which figures and slices, by which rules.
            threads: as of `Counter`.
            said: what else signatures say, e.g. data="3f8a0c9d21b4"; None is left out.
        """
        self._protocol, self._said = protocol, said
        self.counter = Counter(wanted_by(protocol.metrics, protocol.rules), threads)
        self.slices = Slices(protocol.slices)

    def add(self, row: int, query: QueryRecord, prediction: Prediction) -> None:
        """Add the query of `row` and its answer.

        Raises:
            DataError: when a mask has another size than its query or a score is not finite.
        """
        self.counter.add(row, query, prediction)
        self.slices.add(row, query)

    def add_all(
        self,
        queries: Iterable[QueryRecord],
        predictions: Iterable[Prediction],
        *,
        allow_missing: bool = False,
    ) -> Pairing:
        """Add queries and their answers, in any order; what is refused as in `evaluate`.

        Returns:
            What brought them together: the ids by row, and how many had no answer.
        """
        pairing = Pairing(queries, predictions, allow_missing)
        with seldom_collected():
            for row, query, prediction in pairing:
                self.add(row, query, prediction)
        return pairing

    def report(
        self, ids: Sequence[str], *, missing: int = 0, resamples: int = RESAMPLES, seed: int = 0
    ) -> Report:
        """Compute the figures, and end the scoring.

        Args:
            ids: of the queries, by row.
            missing: queries that were added without a prediction of the model.
            resamples: number of bootstrap resamples.
            seed: of the bootstrap.

        Raises:
            DataError: when answers lack the instances that the protocol needs.
        """
        counts, chosen = self.counter.counts(), self._protocol
        undefined = _undefined(counts, chosen, ids)
        terms = terms_of(counts, chosen)

        def figures(of: str | None, rows: NDArray[np.bool_] | None) -> dict[str, Figure]:
            metrics = terms
            if rows is not None:
                metrics = {name: on_disk(one[rows]) for name, one in terms.items()}
            bounds = intervals(list(metrics.values()), seed=seed, resamples=resamples)
            common = {"slice": of, "missing": missing or None}
            return {
                name: Figure(
                    value=metric.value,
                    low=low,
                    high=high,
                    n=metric.n,
                    signature=signature(
                        name, {**settings_of(name, chosen), **common, "n": metric.n, **self._said}
                    ),
                )
                for (name, metric), (low, high) in zip(metrics.items(), bounds, strict=True)
            }

        members = self.slices.members(len(counts))
        with ThreadPoolExecutor(os.cpu_count() if len(counts) < _MANY else 1) as pool:
            whole = pool.submit(figures, None, None)
            slices = dict(zip(members, pool.map(figures, members, members.values()), strict=True))

        return Report(
            protocol=chosen.name,
            n=len(counts),
            failed=int(counts.failed.sum()),
            missing=missing,
            metrics=whole.result(),
            slices=slices,
            confusion=mask_type_confusion(counts),
            counts=counts,
            query_ids=ids,
            terms=terms,
            reliability=reliability(counts),
            undefined=undefined,
        )
