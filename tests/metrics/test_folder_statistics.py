"""What `askmask stats` counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from records import make_query, rows

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import (
    Entity,
    EntityRecord,
    QueryRecord,
    Target,
    write_entities,
    write_queries,
)
from askmask.metrics.statistics import Statistics, folder_statistics, query_files


def counted(*queries: QueryRecord) -> Statistics:
    found = Statistics()
    for query in queries:
        found.add_query(query)
    return found


@pytest.mark.parametrize(
    ("query", "task"),
    [
        (make_query("a", [rows(0, 2)]), "RES"),
        (make_query("a", [rows(0, 2), rows(4, 6)]), "GRES"),
        (make_query("a"), "GRES"),
        (make_query("a", [rows(0, 2)], tags=["reasoning:spatial"]), "reasoning"),
        (make_query("a", [rows(0, 2)], mask_type="amodal"), "R2SM"),
        (make_query("a", [rows(0, 2)], mask_type="amodal", references=[rows(4, 5)]), "ORES"),
        (make_query("a", [rows(0, 2)], mask_type="hidden"), "hidden part"),
    ],
)
def test_a_query_counts_as_its_most_special_task(query: QueryRecord, task: str) -> None:
    assert counted(query).counts["task"] == {task: 1}


def test_counts_of_queries() -> None:
    many = [rows(2 * n, 2 * n + 1) for n in range(4)]
    found = counted(
        make_query("a", [rows(0, 2)], tags=["plain", "frame:0123", "dataset:x"]),
        make_query("b", [rows(0, 4)], modal=[rows(0, 2)], mask_type="amodal", tags=["twin:a"]),
        make_query("c", many, mask_type=None, references=[rows(0, 1), rows(1, 2)]),
    ).to_json()
    assert found["queries"] == 3
    assert found["entities"] is None
    assert found["twins"] == 1
    assert found["mask_type"] == {"amodal": 1, "modal": 1, "not said": 1}
    assert found["targets"] == {"1": 2, "3+": 1}
    assert found["references"] == {"0": 2, "2": 1}
    assert found["occlusion"] == {"0.5+": 1}
    assert found["tag"] == {"dataset:x": 1, "plain": 1}
    assert found["sentences"] == 1
    assert found["vocabulary"] == 2
    assert found["sentence_words"] == {"mean": 2.0, "median": 2, "min": 2, "max": 2}


def test_words_are_words() -> None:
    query = replace(make_query("a"), text="The dog's 2nd wide-brimmed hat, left of [1]!")
    found = counted(query)
    assert found.vocabulary == {"the", "dog's", "nd", "wide-brimmed", "hat", "left", "of"}
    assert found.words == [7]


def _folder(path: Path) -> Path:
    """Two splits; the modal query does not say how much of its target is hidden."""
    hidden = Entity(1, "dog", rle.encode(rows(0, 3)), rle.encode(rows(0, 4)), occlusion_rate=0.25)
    crowd = Entity(2, "cat", rle.encode(rows(5, 6)), extra={"iscrowd": True})
    target = Target(hidden.modal, entity=1, category="dog")
    query = replace(make_query("a", [rows(0, 3)]), targets=(target,))
    path.mkdir()
    write_entities(
        path / "entities-val.jsonl", [EntityRecord("images/a.png", 10, 10, (hidden, crowd))]
    )
    write_queries(path / "queries-val.jsonl", [query])
    write_queries(path / "queries-test.jsonl", [make_query("a", [rows(0, 1)])])
    return path


def test_folder_with_two_splits(tmp_path: Path) -> None:
    found = {
        name: one.to_json() for name, one in folder_statistics(_folder(tmp_path / "b")).items()
    }
    assert list(found) == ["test", "val", "total"]
    assert found["val"]["entities"] == 1  # the crowd is no instance
    assert found["val"]["occluded_entities"] == 1
    assert found["val"]["occlusion"] == {"0.2-0.5": 1}  # known from the entities file
    assert found["test"]["entities"] is None
    assert found["test"]["occlusion"] == {}
    assert found["total"]["queries"] == 2
    assert found["total"]["images"] == 1
    assert found["total"]["entities"] == 1


def test_plain_names_are_the_split_all(tmp_path: Path) -> None:
    write_queries(tmp_path / "queries.jsonl", [make_query("a")])
    assert query_files(tmp_path) == {"all": tmp_path / "queries.jsonl"}
    assert list(folder_statistics(tmp_path)) == ["all"]


def test_no_benchmark(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected queries-SPLIT\.jsonl"):
        folder_statistics(tmp_path)
