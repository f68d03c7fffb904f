"""Evaluation: queries and predictions in, a report of signed figures out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from askmask.errors import TornLineError
from askmask.formats.askmask import Prediction, QueryRecord, read_queries
from askmask.formats.predictions.registry import AUTO, own_file, predictions_for
from askmask.metrics.bootstrap import RESAMPLES
from askmask.metrics.halves import score_halves
from askmask.metrics.protocols import Protocol, load_protocol
from askmask.metrics.report import Report
from askmask.metrics.scoring import Scoring

__all__ = ["evaluate", "evaluate_files"]


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
    scoring = Scoring(chosen, data=data)
    pairing = scoring.add_all(queries, predictions, allow_missing=allow_missing)
    return scoring.report(pairing.ids, missing=pairing.absent, resamples=resamples, seed=seed)


def evaluate_files(
    queries: Path,
    predictions: Path,
    protocol: str = "select",
    *,
    predictions_format: str = AUTO,
    allow_missing: bool = False,
    on_torn: Callable[[TornLineError], None] | None = None,
    data: str | None = None,
) -> Report:
    """Score a predictions file against a queries file, as `evaluate` does what they hold.

    Two processes read one half each of long files of our own lines.

    Args:
        queries: queries file.
        predictions: file or folder.
        protocol: a preset's name, with options or without (see `load_protocol`).
        predictions_format: layout of the predictions, see `predictions_for`.
        allow_missing: as of `evaluate`.
        on_torn: as of `predictions_for`.
        data: as of `evaluate`.

    Raises:
        ConfigError: when the protocol is not known.
        DataError: as of `evaluate`, and naming file, line and key of what is malformed.
        ImageError: for pictures that cannot be read.
    """
    lines = own_file(predictions, predictions_format)
    if lines is not None and (halves := score_halves(queries, lines, protocol, data=data)):
        scoring, ids = halves
        return scoring.report(ids)
    answers = predictions_for(predictions, queries, predictions_format, on_torn=on_torn)
    return evaluate(
        read_queries(queries), answers, protocol, allow_missing=allow_missing, data=data
    )
