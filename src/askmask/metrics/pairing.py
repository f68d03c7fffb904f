"""Queries and their predictions, brought together while both stream by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from askmask.errors import DataError
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.formats.names import Names
from askmask.formats.packed import pack, unpack_prediction, unpack_query
from askmask.metrics.ids import Ids
from askmask.metrics.shelf import Shelf

__all__ = ["Pairing", "listed"]

_SHOWN_IDS = 5
"""Ids that a message about wrong predictions names."""

_RECENT = 50_000
"""Pairs whose ids are kept; of those before, a hash is."""


def listed(ids: Sequence[str]) -> str:
    """Return the first ids of a list, for a message."""
    return ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")


def _at(record: QueryRecord | Prediction) -> str:
    """Where a record was read, before a message."""
    return f"{record.place}: " if record.place else ""


def _twice(record: QueryRecord | Prediction, whose: str, expected: str) -> DataError:
    return DataError(f"{_at(record)}{whose}: expected {expected}, got two for {record.id}")


def _pack_numbered(numbered: tuple[int, QueryRecord]) -> str:
    row, query = numbered
    return f"{row} {pack(query)}"


def _unpack_numbered(text: str) -> tuple[int, QueryRecord]:
    row, _, query = text.partition(" ")
    return int(row), unpack_query(query)


class Pairing:
    """Iterates over (row, query, prediction), in any order of rows.

    Files in the same order are read side by side; what comes early in one waits for its partner.

    Attributes:
        ids: of the queries read so far, by row.
        absent: queries without a prediction, after the end.
    """

    def __init__(
        self,
        queries: Iterable[QueryRecord],
        predictions: Iterable[Prediction],
        allow_missing: bool,
    ) -> None:
        """Take one prediction for each query; what to do about missing ones as in `evaluate`."""
        self._pairs = zip_longest(queries, predictions)
        self._allow_missing = allow_missing
        self._paired: set[str] = set()
        self._before = Names()
        self._number = 0
        self.ids = Ids()
        self.absent = 0

    def __iter__(self) -> Iterator[tuple[int, QueryRecord, Prediction]]:
        """Pair everything.

        Raises:
            DataError: for ids that come twice, and predictions that are missing or of no query.
        """
        asked = Shelf(_pack_numbered, _unpack_numbered)
        answered = Shelf(pack, unpack_prediction)
        for query, prediction in self._pairs:
            if prediction is not None and (
                prediction.id in self._paired or prediction.id in answered
            ):
                raise _twice(prediction, "predictions", "one for each query")
            if query is not None:
                if query.id in self._paired or query.id in asked:
                    raise _twice(query, "queries", "different ids")
                self.ids.append(query.id)
            if query is not None and prediction is not None and query.id == prediction.id:
                yield self._pair(len(self.ids) - 1, query, prediction)
                continue
            if prediction is not None:
                answered[prediction.id] = prediction
            if query is not None:
                asked[query.id] = len(self.ids) - 1, query
            for record in (query, prediction):
                if record is not None and record.id in asked and record.id in answered:
                    yield self._pair(*asked.pop(record.id), answered.pop(record.id))
        self._settle()
        self._refuse_doubles(asked, answered)
        self._refuse_extra(answered)
        yield from self._without_prediction(asked)

    def _pair(
        self, row: int, query: QueryRecord, prediction: Prediction
    ) -> tuple[int, QueryRecord, Prediction]:
        """Note that these have met."""
        self._paired.add(query.id)
        self._number += 1
        if len(self._paired) >= _RECENT:
            self._settle()
        return row, query, prediction

    def _settle(self) -> None:
        """Keep only hashes of the pairs so far, and refuse those that were there before."""
        if self._before.may_hold(self._paired):
            number = Counter(name for name in self.ids if name in self._paired)
            double = next((name for name, times in number.items() if times > 1), None)
            if double is not None:
                raise DataError(f"queries: expected different ids, got two for {double}")
        self._before.update(self._paired)
        self._paired.clear()

    def _refuse_doubles(
        self, asked: Shelf[tuple[int, QueryRecord]], answered: Shelf[Prediction]
    ) -> None:
        """Refuse what found no partner because an earlier record of the same id has taken it."""
        if not asked and not answered:
            return
        number = Counter(name for name in self.ids if name in asked or name in answered)
        for name in asked:
            if number[name] > 1:
                raise _twice(asked[name][1], "queries", "different ids")
        for name in answered:
            if number[name]:
                raise _twice(answered[name], "predictions", "one for each query")

    def _refuse_extra(self, extra: Shelf[Prediction]) -> None:
        if extra:
            number = self._number + len(extra)
            first = next(iter(extra.values()))
            raise DataError(
                f"{_at(first)}predictions: {len(extra):,} of {number:,} are of no "
                f"query ({listed([*extra])}); were they made for another queries file?"
            )

    def _without_prediction(
        self, asked: Shelf[tuple[int, QueryRecord]]
    ) -> Iterator[tuple[int, QueryRecord, Prediction]]:
        if asked and not self._allow_missing:
            _, first = next(iter(asked.values()))
            raise DataError(
                f"{_at(first)}predictions: {len(asked):,} of {len(self.ids):,} queries have none "
                f"({listed([*asked])}); finish the run with --resume, or score them as empty with "
                "--allow-missing"
            )
        self.absent = len(asked)
        for name, (row, query) in asked.items():
            yield row, query, Prediction(id=name)
