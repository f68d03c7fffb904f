"""Memory while queries stream by: a small part of what they hold, however many there are."""

import tracemalloc
from collections.abc import Iterator

import pytest
from records import make_query, perfect, rows

from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics import evaluate

QUERY = make_query("q", [rows(0, 4), rows(5, 9)])


def _queries(number: int) -> Iterator[QueryRecord]:
    for i in range(number):
        yield QueryRecord(f"q{i}", "a.png", 10, 10, "the mug", QUERY.targets)


def _answers(number: int) -> Iterator[Prediction]:
    return map(perfect, _queries(number))


def _peak(number: int) -> int:
    """Most bytes of Python's and NumPy's memory; mapped pages are not among them."""
    tracemalloc.start()
    try:
        report = evaluate(_queries(number), _answers(number), "r2sm", resamples=2)
        assert report.metrics["gIoU"].value == 1
        assert report.query_ids[number - 1] == f"q{number - 1}"
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_hardly_grows_with_the_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in {
        "columns._IN_MEMORY": 1 << 10,
        "columns.CHUNK": 256,
        "matching.CHUNK": 256,
        "counts._QUERIES": 100,
        "pairing._RECENT": 200,
        "ids._BLOCK": 100,
        "ids._IN_MEMORY": 1 << 10,
        "bootstrap._CHUNK": 256,
    }.items():
        monkeypatch.setattr(f"askmask.metrics.{name}", small)
    _peak(100)  # what is made once
    # Threads that happen to hold much at the same time add to a peak: the least of some is asked.
    few, many = (min(_peak(number) for _ in range(3)) for number in (1_000, 6_000))
    assert (many - few) / 5_000 < 150  # bytes a query; with all in memory it is 450
