"""Queries and their predictions, brought together while both stream by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal

from askmask.errors import DataError
from askmask.formats.askmask import Prediction, QueryRecord

__all__ = ["Missing", "Pairing"]

Missing = Literal["error", "wrong"]

_SHOWN_IDS = 5
"""Ids that a message about wrong predictions names."""


def listed(ids: Sequence[str]) -> str:
    """Return the first ids of a list, for a message."""
    return ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")


class Pairing:
    """Iterates over (row, query, prediction), in any order of rows.

    Files in the same order are read side by side; what comes early in one waits in memory for its
    partner, so other orders cost memory.

    Attributes:
        ids: of the queries read so far, by row.
        absent: queries without a prediction, after the end.
    """

    def __init__(
        self, queries: Iterable[QueryRecord], predictions: Iterable[Prediction], missing: Missing
    ) -> None:
        """Take one prediction for each query; what to do about missing ones as in `evaluate`."""
        self._pairs = zip_longest(queries, predictions)
        self._missing = missing
        self._predicted: set[str] = set()
        self.ids: list[str] = []
        self.absent = 0

    def __iter__(self) -> Iterator[tuple[int, QueryRecord, Prediction]]:
        """Pair everything.

        Raises:
            DataError: for ids that come twice, and predictions that are missing or of no query.
        """
        asked: dict[str, tuple[int, QueryRecord]] = {}
        answered: dict[str, Prediction] = {}
        rows: set[str] = set()
        for query, prediction in self._pairs:
            if prediction is not None:
                self._check_new(prediction.id, self._predicted, "predictions", "one for each query")
                answered[prediction.id] = prediction
            if query is not None:
                self._check_new(query.id, rows, "queries", "different ids")
                asked[query.id] = len(self.ids), query
                self.ids.append(query.id)
            for record in (query, prediction):
                if record is not None and record.id in asked and record.id in answered:
                    yield *asked.pop(record.id), answered.pop(record.id)
        self._refuse_extra([*answered])
        yield from self._without_prediction(asked)

    @staticmethod
    def _check_new(name: str, seen: set[str], whose: str, expected: str) -> None:
        if name in seen:
            raise DataError(f"{whose}: expected {expected}, got two for {name}")
        seen.add(name)

    def _refuse_extra(self, extra: list[str]) -> None:
        if extra:
            raise DataError(
                f"predictions: {len(extra):,} of {len(self._predicted):,} are of no query "
                f"({listed(extra)}); were they made for another queries file?"
            )

    def _without_prediction(
        self, asked: dict[str, tuple[int, QueryRecord]]
    ) -> Iterator[tuple[int, QueryRecord, Prediction]]:
        if asked and self._missing == "error":
            raise DataError(
                f"predictions: {len(asked):,} of {len(self.ids):,} queries have none "
                f"({listed([*asked])}); finish the run with --resume, or score them as failed with "
                "--missing wrong"
            )
        self.absent = len(asked)
        for name, (row, query) in asked.items():
            yield row, query, Prediction(id=name, error="missing")
