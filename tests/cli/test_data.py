"""`askmask data info` and `askmask data check`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run
from toy_datasets import (
    REFS,
    SIZE_HW,
    annotation,
    instances,
    ref,
    write_grefcoco,
    write_json,
    write_muse,
    write_reasonseg,
    write_refcoco,
)

from askmask.images import write_png


def test_info_names_the_format_and_compares_counts(run: Run, tmp_path: Path) -> None:
    write_refcoco(tmp_path)
    content = json.loads(run("data", "info", "refcoco", "--json").out)
    assert content["format"] == "refcoco"
    assert content["splits"]["val"] == {"images": 1, "refs": 2, "queries": 3, "no_target": 0}
    assert content["expected"]["val"]["queries"] == 10_834
    assert "val: 3 queries, expected 10,834" in content["differences"]
    assert "testB: not there" in content["differences"]
    assert content["problems"] == []
    result = run("data", "info", "refcoco")
    assert result.code == 0
    for text in ("RefCOCO", "licence:", "no target", "difference: testB: not there"):
        assert text in result.out


@pytest.mark.parametrize("write", [write_grefcoco, write_muse, write_reasonseg])
def test_info_of_every_format(run: Run, write: object, tmp_path: Path) -> None:
    folder = write(tmp_path)  # type: ignore[operator]
    content = json.loads(run("data", "info", folder, "--json").out)
    assert content["problems"] == []
    assert content["splits"]["val"]["queries"] >= 2


def test_info_lists_problems_and_goes_on(run: Run, tmp_path: Path) -> None:
    write_refcoco(tmp_path, [*([5] * 30), *REFS])
    result = run("data", "info", "refcoco")
    assert result.code == 0
    assert result.out.count("problem: ") == 20
    assert "10 more problems" in result.out
    assert len(json.loads(run("data", "info", "refcoco", "--json").out)["problems"]) == 30


def test_what_is_no_data_set(run: Run, tmp_path: Path) -> None:
    assert "there is none" in run("data", "info", "nowhere").error
    assert "tried refcoco" in run("data", "info", ".").error
    write_refcoco(tmp_path)
    assert "did you mean refcoco" in run("data", "info", "refcoco", "--from", "refcocoo").error
    assert "--map" in run("data", "info", "refcoco", "--map", "a=b").error
    assert "OURS=THEIRS" in run("data", "info", "refcoco", "--map", "ab").error


def test_check_of_good_data(run: Run, tmp_path: Path) -> None:
    write_refcoco(tmp_path)
    result = run("data", "check", "refcoco")
    assert (result.code, result.out) == (0, "0 problems found\n")
    assert not Path("errors.jsonl").exists()


def test_check_lists_what_is_wrong(run: Run, tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path, [*REFS, ref(1, 11, ["the left cup"])])
    rows = [annotation(11), annotation(12, area=4_000), annotation(13, segmentation=[])]
    write_json(folder / "instances.json", instances(annotations=[*rows, annotation(14, 8)]))
    result = run("data", "check", "refcoco", "--json")
    problems = json.loads(result.out)["problems"]
    assert result.code == 1
    for text in (
        "val, query 2-20: target 1: the mask is empty",
        "val, query 1-10: this id comes twice",
        "annotation 12 (item 2): area 4000, but the mask has 150 pixels",
    ):
        assert any(text in problem for problem in problems), problems
    assert "problems found" in run("data", "check", "refcoco", "--split", "val").out


def test_check_looks_at_the_pictures(run: Run, tmp_path: Path) -> None:
    write_refcoco(tmp_path)
    pictures = tmp_path / "train2014"
    pictures.mkdir()
    write_png(pictures / "COCO_train2014_000000000007.jpg", np.zeros((50, 60, 3), np.uint8))
    result = run("data", "check", "refcoco", "--images", pictures, "--split", "val")
    assert result.code == 1
    assert "the picture has 60 x 50 pixels, not 60 x 40" in result.out
    write_png(pictures / "COCO_train2014_000000000007.jpg", np.zeros((*SIZE_HW, 3), np.uint8))
    assert run("data", "check", "refcoco", "--images", pictures, "--split", "val").code == 0
    assert "000008.jpg" in run("data", "check", "refcoco", "--images", pictures).out


def test_check_stops_at_a_bad_record_or_lists_it(run: Run, tmp_path: Path) -> None:
    write_refcoco(tmp_path, [{**REFS[0], "ann_id": 999}, *REFS[1:]])
    result = run("data", "check", "refcoco")
    assert result.code == 1
    assert "annotation 999: expected it there" in result.out
    result = run("data", "check", "refcoco", "--skip-bad", "--errors", "bad.jsonl")
    assert result.code == 1
    assert "1 problem found" in result.out
    assert "listed in bad.jsonl" in result.err
    (line,) = Path("bad.jsonl").read_text().splitlines()
    assert "annotation 999" in json.loads(line)["error"]
