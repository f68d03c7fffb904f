"""Queries and predictions that stream by: read side by side, in any order."""

from collections.abc import Iterator

import pytest
from records import make_prediction, make_query

from askmask.errors import DataError
from askmask.metrics import pairing as module
from askmask.metrics.pairing import Pairing

NAMES = list("abcdefgh")


@pytest.fixture(autouse=True, params=["all near", "two near", "one hash for all"])
def remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what waits in memory, or most in a file; ids, or hashes, which may all be the same."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "all near":
            patch.setattr(module, "_RECENT", 2)
            patch.setattr("askmask.metrics.shelf._NEAR", 2)
        if request.param == "one hash for all":
            patch.setattr("askmask.formats.names.hash", lambda _: 7, raising=False)
        yield


def _counting(records: list, read: list[str]):
    for record in records:
        read.append(record.id)
        yield record


def test_files_in_the_same_order_wait_for_nothing() -> None:
    asked: list[str] = []
    answered: list[str] = []
    pairing = Pairing(
        _counting([make_query(name) for name in NAMES], asked),
        _counting([make_prediction(name) for name in NAMES], answered),
        "error",
    )
    for row, query, prediction in pairing:
        assert (row, query.id, prediction.id) == (row, NAMES[row], NAMES[row])
        assert len(asked) == len(answered) == row + 1


@pytest.mark.parametrize("order", [NAMES[::-1], NAMES[3:] + NAMES[:3], list("badcfehg")])
def test_every_order_gives_every_pair_once(order: list[str]) -> None:
    queries = [make_query(name) for name in NAMES]
    pairs = list(Pairing(queries, [make_prediction(name) for name in order], allow_missing=False))
    assert sorted(row for row, _, _ in pairs) == list(range(8))
    assert all(query.id == prediction.id == NAMES[row] for row, query, prediction in pairs)


def test_missing_ones_come_last_as_empty_answers() -> None:
    queries = [make_query("a"), make_query("b")]
    pairing = Pairing(queries, [make_prediction("b")], allow_missing=True)
    pairs = [(row, answer.id, len(answer.masks), answer.error) for row, _, answer in pairing]
    assert pairs[0][:2] == (1, "b")
    assert pairs[1] == (0, "a", 0, None)
    assert (pairing.absent, pairing.ids) == (1, ["a", "b"])


def test_a_double_is_refused_after_its_first_was_taken() -> None:
    answers = [make_prediction("a"), make_prediction("b"), make_prediction("a")]
    with pytest.raises(DataError, match="predictions: expected one for each query, got two for a"):
        list(Pairing([make_query("a"), make_query("b")], answers, allow_missing=False))


def _pair(asked: list[str], answered: list[str], allow_missing: bool = False) -> list:
    queries = [make_query(name) for name in asked]
    return list(Pairing(queries, [make_prediction(name) for name in answered], allow_missing))


@pytest.mark.parametrize("allow_missing", [False, True])
def test_doubles_that_lie_far_apart_are_named(allow_missing: bool) -> None:
    many = [f"q{i}" for i in range(50)]
    with pytest.raises(DataError, match="queries: expected different ids, got two for q3"):
        _pair([*many, "q3"], many, allow_missing)
    with pytest.raises(DataError, match="predictions: expected one for each query, got two for q3"):
        _pair(many, [*many, "q3"], allow_missing)
    with pytest.raises(DataError, match="got two for q3"):
        _pair([*many, "q3"], [*many, "q3"], allow_missing)
    with pytest.raises(DataError, match="got two for q3"):
        _pair([*many, "q3"], ["q3", *many], allow_missing)


def test_one_of_no_query_is_no_double() -> None:
    many = [f"q{i}" for i in range(50)]
    with pytest.raises(DataError, match=r"1 of 51 are of no query \(x\)"):
        _pair(many, [*many, "x"])
    with pytest.raises(DataError, match=r"1 of 51 queries have none \(x\)"):
        _pair([*many, "x"], many)
