"""Data sets of all formats as pictures to learn from; what is for testing stays out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from shared_material import BENCHMARKS
from toy_studied import toy_data

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import read_queries, write_queries
from askmask.training.studied import read_studied, with_held_out


def test_pictures_come_with_their_objects_and_sentences(tmp_path: Path) -> None:
    one, other = read_studied([toy_data(tmp_path, pictures=2)])
    assert (len(one.objects), len(one.queries)) == (3, 6)
    assert {query.image for query in other.queries} == {"images/train-1.png"}
    assert other.image().shape == (48, 64, 3)


def test_the_split_that_is_asked_for_is_read(tmp_path: Path) -> None:
    toy_data(tmp_path, pictures=3)
    toy_data(tmp_path, pictures=1, split="val")
    assert len(read_studied([tmp_path])) == 3
    (held_out,) = read_studied([tmp_path], split="val")
    assert held_out.path.name == "val-0.png"
    learnt, measured = with_held_out([str(tmp_path)], None, str(tmp_path), 9)
    assert (len(learnt), len(measured)) == (3, 1)


def test_test_splits_and_test_parts_are_left_out(tmp_path: Path) -> None:
    folder = toy_data(tmp_path / "a", pictures=2)
    path = folder / "queries-train.jsonl"
    queries = list(read_queries(path))
    write_queries(path, [replace(queries[0], tags=("part:test",)), *queries[1:]])
    assert [one.path.name for one in read_studied([folder])] == ["train-1.png"]
    with pytest.raises(ConfigError, match="has the splits test; expected 'train' among them"):
        read_studied([toy_data(tmp_path / "b", split="test")])


def test_pictures_that_are_elsewhere(tmp_path: Path) -> None:
    folder = toy_data(tmp_path / "a", pictures=1)
    (tmp_path / "b").mkdir()
    (folder / "images").rename(tmp_path / "b" / "images")
    with pytest.raises(DataError, match=r"train-0\.png: is not there; name the folder .* --images"):
        read_studied([folder])
    assert read_studied([folder], tmp_path / "b")[0].image().shape == (48, 64, 3)


@pytest.mark.skipif(not BENCHMARKS, reason="no shared material")
def test_a_benchmark_folder_is_read_without_its_test_part() -> None:
    studied = read_studied(BENCHMARKS[:1])
    assert studied
    assert not any("part:test" in query.tags for one in studied for query in one.queries)
