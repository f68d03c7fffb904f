"""Evaluation: queries and predictions in, a report of signed figures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from askmask.errors import DataError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.bootstrap import RESAMPLES, intervals
from askmask.metrics.counts import count
from askmask.metrics.mask_type import mask_type_confusion
from askmask.metrics.protocols import Protocol, load_protocol, settings_of, terms_of
from askmask.metrics.report import Figure, Report
from askmask.metrics.signature import signature
from askmask.metrics.slices import slices
from askmask.metrics.terms import Terms

__all__ = ["evaluate"]

_SHOWN_IDS = 5
"""Ids that a message about wrong predictions names."""


def _listed(ids: Sequence[str]) -> str:
    """First ids of a list, for a message."""
    return ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")


def _at(place: str) -> str:
    """Where a record was read, before a message."""
    return f"{place}: " if place else ""


def _aligned(
    queries: Sequence[QueryRecord], predictions: Iterable[Prediction], allow_missing: bool
) -> tuple[list[Prediction], int]:
    """One prediction for each query, in the same order, and how many were missing.

    Raises:
        DataError: for predictions that are missing, double or of no query.
    """
    by_id: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.id in by_id:
            raise DataError(
                f"{_at(prediction.place)}predictions: expected one for each query, got two for "
                f"{prediction.id}"
            )
        by_id[prediction.id] = prediction
    asked = {query.id for query in queries}
    extra = [answer for answer in by_id.values() if answer.id not in asked]
    if extra:
        raise DataError(
            f"{_at(extra[0].place)}predictions: {len(extra):,} of {len(by_id):,} are of no query "
            f"({_listed([answer.id for answer in extra])}); were they made for another queries "
            "file?"
        )
    absent = [query for query in queries if query.id not in by_id]
    if absent and not allow_missing:
        raise DataError(
            f"{_at(absent[0].place)}predictions: {len(absent):,} of {len(queries):,} queries have "
            f"none ({_listed([query.id for query in absent])}); finish the run with --resume, or "
            "score them as empty with --allow-missing"
        )
    by_id.update((query.id, Prediction(id=query.id)) for query in absent)
    return [by_id[query.id] for query in queries], len(absent)


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

    A failed prediction counts as no mask and never as a correct "no target".

    Args:
        queries: with different ids; there may be none, then every figure is undefined.
        predictions: one for each query, in any order.
        protocol: a preset's name, or a protocol of your own.
        allow_missing: score queries without a prediction as answered with no mask, and count them,
            instead of raising.
        data: hash of the queries for the signatures, or None to leave it out.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        ConfigError: when the protocol is not known.
        DataError: when predictions are missing, double, of no query, or of another size.
    """
    chosen = load_protocol(protocol) if isinstance(protocol, str) else protocol
    asked = list(queries)
    answers, absent = _aligned(asked, predictions, allow_missing)
    counts = count(asked, answers)
    metrics = terms_of(counts, chosen)

    def figures(metrics: Mapping[str, Terms], of: str | None = None) -> dict[str, Figure]:
        bounds = intervals(list(metrics.values()), seed=seed, resamples=resamples)
        common = {"slice": of, "missing": absent or None}
        return {
            name: Figure(
                value=terms.value,
                low=low,
                high=high,
                n=terms.n,
                signature=signature(
                    name, {**settings_of(name, chosen), **common, "n": terms.n, "data": data}
                ),
            )
            for (name, terms), (low, high) in zip(metrics.items(), bounds, strict=True)
        }

    return Report(
        protocol=chosen.name,
        n=len(asked),
        failed=int(counts.failed.sum()),
        missing=absent,
        metrics=figures(metrics),
        slices={
            of: figures({name: terms[rows] for name, terms in metrics.items()}, of)
            for of, rows in slices(asked, chosen.slices).items()
        },
        confusion=mask_type_confusion(counts),
        counts=counts,
    )
