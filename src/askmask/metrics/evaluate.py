"""Evaluation: queries and predictions in, a report of signed figures out."""

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
from askmask.metrics.counts import Counter, Counts
from askmask.metrics.figures import OF_INSTANCES, wanted_by
from askmask.metrics.mask_type import mask_type_confusion
from askmask.metrics.pairing import Pairing, listed
from askmask.metrics.protocols import Protocol, load_protocol, settings_of, terms_of
from askmask.metrics.report import Figure, Report
from askmask.metrics.signature import signature
from askmask.metrics.slices import Slices

__all__ = ["Scoring", "evaluate"]

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
    """Scores queries and their predictions, row by row, into a report."""

    def __init__(self, protocol: Protocol, **said: str | None) -> None:
        """Start without queries.

        Args:
            protocol: which figures and slices, by which rules.
            said: what else signatures say, e.g. data="3f8a0c9d21b4"; None is left out.
        """
        self._protocol, self._said = protocol, said
        self._counter = Counter(wanted_by(protocol.metrics, protocol.rules))
        self._slices = Slices(protocol.slices)

    def add(self, row: int, query: QueryRecord, prediction: Prediction) -> None:
        """Add the query of `row` and its answer.

        Raises:
            DataError: when a mask has another size than its query or a score is not finite.
        """
        self._counter.add(row, query, prediction)
        self._slices.add(row, query)

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
        counts, chosen = self._counter.counts(), self._protocol
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

        members = self._slices.members(len(counts))
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


def evaluate(
    queries: Iterable[QueryRecord],
    predictions: Iterable[Prediction],
    protocol: str | Protocol = "select",
    *,
    allow_missing: bool = False,
    data: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Report:
    """Score predictions against queries.

    A failed prediction counts as no mask and never as a correct "no target". Iterators in the same
    order are read side by side: memory then holds columns, not masks.

    Args:
        queries: with different ids; there may be none, then every figure is undefined.
        predictions: one for each query, in any order.
        protocol: a preset's name, with options or without (see `load_protocol`), or a protocol of
            your own.
        allow_missing: score queries without a prediction as answered with no mask, and count them,
            instead of raising.
        data: hash of the queries for the signatures, or None to leave it out.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        ConfigError: when the protocol is not known.
        DataError: when predictions are missing, double, of no query, of another size, or without
            the instances that the protocol needs.
    """
    chosen = load_protocol(protocol) if isinstance(protocol, str) else protocol
    pairing = Pairing(queries, predictions, allow_missing)
    scoring = Scoring(chosen, data=data)
    with seldom_collected():
        for row, query, prediction in pairing:
            scoring.add(row, query, prediction)
    return scoring.report(pairing.ids, missing=pairing.absent, resamples=resamples, seed=seed)
