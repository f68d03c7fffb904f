"""Choosing queries near given shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmask.errors import DataError
from askmask.pantry.language.queries import GeneratedQuery
from askmask.pantry.splits.balance import Unit, choose_units, shares, units
from askmask.types import MaskType

WANTED = {"letter": {"a": 0.5, "b": 0.3, "c": 0.2}, "rare": {"yes": 0.1}}


def query(mask_type, twin_of=None):
    return GeneratedQuery("", (), MaskType(mask_type), (0,), (), twin_of)


def pictures(seed, count=20, each=40):
    """Mostly a, seldom rare; one unit in three is a pair."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        row = []
        for place in range(each):
            letter = rng.choice(["a", "b", "c"], p=[0.7, 0.2, 0.1])
            mark = (("letter", str(letter)), *((("rare", "yes"),) if rng.random() < 0.04 else ()))
            size = 2 if place % 3 == 0 else 1
            row.append(Unit(tuple(range(size)), (mark,) * size))
        made.append(row)
    return made


def test_amodal_queries_come_with_their_twins_or_not_at_all():
    queries = [query("amodal"), query("modal", 0), query("amodal"), query("modal"), query("hidden")]
    found = units(queries, [(("n", str(place)),) for place in range(5)])
    assert [unit.places for unit in found] == [(0, 1), (3,), (4,)]
    assert found[0].labels == ((("n", "0"),), (("n", "1"),))


def test_shares_come_out_near_those_wanted():
    rows = pictures(0)
    chosen = choose_units(rows, WANTED, 200)
    report = shares([labels for row in chosen for unit in row for labels in unit.labels], WANTED)
    for family, names in WANTED.items():
        for name, wanted in names.items():
            assert report[family][name]["wanted"] == wanted
            assert abs(report[family][name]["reached"] - wanted) < 0.02, name
    drawn = [labels for row in rows for unit in row[:10] for labels in unit.labels]
    assert shares(drawn, WANTED)["letter"]["a"]["reached"] > 0.6, "the check must be able to fail"


def test_weights_decide_between_families():
    both = [("x", "a"), ("y", "b")], [("x", "c"), ("y", "d")]
    rows = [[Unit((0,), (marks,)) for marks in both for _ in range(50)]]
    wanted = {"x": {"a": 0.8, "c": 0.2}, "y": {"b": 0.2, "d": 0.8}}
    for heavy, expected in (("x", 0.8), ("y", 0.2)):
        chosen = choose_units(rows, wanted, 40, {heavy: 100.0})
        report = shares([labels for unit in chosen[0] for labels in unit.labels], wanted)
        assert abs(report["x"]["a"]["reached"] - expected) < 0.05


@given(seed=st.integers(0, 1000), total=st.integers(1, 60))
def test_every_picture_gives_about_as_many(seed, total):
    rows = pictures(seed, count=5, each=20)
    chosen = choose_units(rows, WANTED, total)
    assert sum(len(unit.places) for row in chosen for unit in row) in (total, total + 1)
    assert max(map(len, chosen)) - min(map(len, chosen)) <= 1
    for row, picked in zip(rows, chosen, strict=True):
        assert all(any(unit is one for one in row) for unit in picked)
        assert len({id(unit) for unit in picked}) == len(picked)


def test_the_same_arguments_choose_the_same():
    assert choose_units(pictures(3), WANTED, 100) == choose_units(pictures(3), WANTED, 100)


def test_too_few_candidates_are_said():
    with pytest.raises(DataError, match="expected candidates for 100 queries, got 14"):
        choose_units(pictures(0, count=1, each=10)[:1], WANTED, 100)


def test_no_queries_reach_nothing():
    assert shares([], WANTED)["rare"]["yes"] == {"wanted": 0.1, "reached": 0.0, "n": 0}
