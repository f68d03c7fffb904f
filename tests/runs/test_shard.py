"""Shares of a run: all together everything, each with whole pictures, none mixed with another."""

import json
from pathlib import Path

import pytest
from fake import FakeSegmenter
from hypothesis import given
from hypothesis import strategies as st
from test_workers import ask, lines

from askmask.errors import ConfigError
from askmask.runs.predict import predict
from askmask.runs.shard import Shard


@given(st.lists(st.integers(), max_size=30), st.integers(1, 9))
def test_shares_are_all_and_none_twice(items: list[int], count: int) -> None:
    shares = [Shard(number, count).of(items) for number in range(1, count + 1)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected i/n"):
        Shard.parse(text)
    assert str(Shard.parse("2/8")) == "2/8"


def test_runs_of_all_shares_hold_what_one_run_holds(tmp_path: Path) -> None:
    queries = ask(tmp_path, 5, "mug", "cup")
    predict(FakeSegmenter(), queries, tmp_path / "whole")
    found: list[str] = []
    for number in (1, 2):
        model, run = FakeSegmenter(), tmp_path / f"run{number}"
        end = predict(model, queries, run, shard=Shard(number, 2))
        assert end.done == end.total == 2 * model.encoded
        assert json.loads((run / "run.json").read_text())["shard"] == f"{number}/2"
        found += lines(run)
    assert sorted(found) == lines(tmp_path / "whole")


def test_another_share_does_not_continue_a_run(tmp_path: Path) -> None:
    queries = ask(tmp_path, 2, "mug")
    predict(FakeSegmenter(), queries, tmp_path / "run", shard=Shard(1, 2))
    with pytest.raises(ConfigError, match="begun with shard"):
        predict(FakeSegmenter(), queries, tmp_path / "run", shard=Shard(2, 2), resume=True)
