"""`askmask stats`, `askmask browse` and `askmask build groups` on a little benchmark."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run

from askmask import rle
from askmask.formats.askmask import (
    Entity,
    EntityRecord,
    read_queries,
    write_entities,
    write_queries,
)
from askmask.images import write_png
from askmask.pantry.splits import text_only

Patch = pytest.MonkeyPatch


@pytest.fixture
def entities(tmp_path: Path) -> Path:
    """Entity lines of two pictures, with the pictures."""
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    records = []
    for number in range(2):
        name = f"images/{number}.png"
        write_png(folder / name, np.full((60, 90, 3), 90, np.uint8))
        masks = np.zeros((4, 60, 90), bool)
        for place, mask in enumerate(masks):
            mask[5 + 10 * place : 15 + 10 * place, 5 + 20 * place : 20 + 20 * place] = True
        kinds = ("apple", "apple", "lemon", "apple")
        found = (
            Entity(place, kind, rle.encode(mask))
            for place, (kind, mask) in enumerate(zip(kinds, masks, strict=True), 1)
        )
        records.append(EntityRecord(name, 60, 90, tuple(found)))
    write_entities(folder / "entities-val.jsonl", records)
    return folder / "entities-val.jsonl"


@pytest.fixture
def groups(run: Run, entities: Path) -> Path:
    result = run("build", "groups", entities, "--out", "g", "--per-image", 6, "--seed", 3)
    assert (result.code, result.out) == (0, "g/queries-val.jsonl\n"), result
    assert "groups over 2 pictures" in result.err
    return Path("g")


def test_groups_as_json(run: Run, entities: Path) -> None:
    result = run("build", "groups", entities, "--out", "g", "--json")
    report = json.loads(result.out)
    assert report["pictures"] == 2
    assert report["queries"] == sum(report["criteria"].values()) > 8


def test_groups_of_a_missing_file(run: Run) -> None:
    assert "none.json" in run("build", "groups", "none.json", "--out", "g").error


def test_stats_prints_a_table(run: Run, groups: Path) -> None:
    result = run("stats", groups)
    assert result.code == 0
    for name in ("images", "instances", "mask type: modal", "targets: 1", "tag: dataset:g"):
        assert name in result.out


def test_stats_as_json(run: Run, groups: Path) -> None:
    content = json.loads(run("stats", groups, "--json").out)
    assert content["folder"] == "g"
    assert list(content["splits"]) == ["val"]
    assert content["splits"]["val"]["entities"] == 8
    assert content["splits"]["val"]["mask_type"] == {"modal": content["splits"]["val"]["queries"]}


def test_stats_without_the_picture(run: Run, groups: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(text_only, "learn_training_scenes", text_only.TextOnly)
    asked = run("stats", groups, "--text-only")
    assert "key 'rivals': missing; a text-only score needs" in asked.error
    path = groups / "queries-val.jsonl"
    write_queries(path, [replace(one, extra={"rivals": []}) for one in read_queries(path)])
    told = run("stats", groups, "--text-only", "--json")
    assert told.code == 0, told
    scores = json.loads(told.out)["text_only"]["val"]
    assert scores["targeted"]["chance"] == 0.25
    assert scores["targeted"]["kind_known"] > 0.25
    assert scores["sgdr"] == {"n": 0, "chance": None, "text_only": None, "kind_known": None}
    assert "right without the picture" in run("stats", groups, "--text-only").out


def test_stats_of_no_benchmark(run: Run) -> None:
    assert "is it a benchmark?" in run("stats", ".").error


def test_browse_writes_a_page_into_the_benchmark(run: Run, groups: Path) -> None:
    result = run("browse", groups, "--random", 5, "--seed", 1)
    assert (result.code, result.out) == (0, "g/browse/index.html\n"), result
    assert len(list(Path("g/browse").glob("query-*.jpg"))) == 5
    again = run("browse", groups, "--random", 2)
    assert again.code == 0
    assert len(list(Path("g/browse").glob("query-*.jpg"))) == 2  # the older ones went away


def test_browse_of_an_unknown_split(run: Run, groups: Path) -> None:
    assert "has the splits val, not 'x'" in run("browse", groups, "--split", "x").error


def test_browse_with_a_missing_picture_leaves_nothing(run: Run, groups: Path) -> None:
    Path("source/images/0.png").unlink()
    assert "0.png" in run("browse", groups, "--out", "page").error
    assert not Path("page").exists()
