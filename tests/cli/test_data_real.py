"""`askmask data` on the real files that lie beside some checkouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_result import Run
from PIL import Image
from shared_material import SHARED

REAL = SHARED / "real"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real files beside the checkout")

COUNTS = {
    "coco_tiny": ("coco", {"train2017": {"images": 50, "instances": 470}}),
    "coco_tiny/instances_train2017.json": ("coco", {"train2017": {"images": 50, "instances": 470}}),
    "cocoeval/instances_val2014_100.json": ("coco", {"all": {"images": 100, "instances": 839}}),
    "cocoa_cls/cocoa_mini_test.json": ("cocoa-cls", {"all": {"images": 100, "instances": 182}}),
    "cocoa_cls/cocoa_mini_test_with_occluder.json": (
        "cocoa-cls",
        {"all": {"images": 100, "instances": 182}},
    ),
    "cocoa_cls/cocoa_mini_visible_eval.json": ("coco", {"all": {"images": 100, "instances": 182}}),
    "cocoa_native": ("cocoa", {"all": {"images": 3, "instances": 32}}),
    "cocoa_native/1.json": ("cocoa", {"all": {"images": 1, "instances": 2}}),
    "reasonseg": ("reasonseg", {"all": {"images": 3, "queries": 8}}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_info_counts(run: Run, name: str) -> None:
    found = json.loads(run("data", "info", REAL / name, "--json").out)
    assert (found["format"], found["splits"]) == COUNTS[name]
    assert found["problems"] == []


@pytest.mark.parametrize("name", [name for name in COUNTS if name != "reasonseg"])
def test_check_finds_nothing(run: Run, name: str) -> None:
    result = run("data", "check", REAL / name)
    assert (result.code, result.out) == (0, "0 problems found\n")


def test_check_looks_at_the_pictures(run: Run) -> None:
    result = run("data", "check", REAL / "coco_tiny", "--images", REAL / "coco_tiny/train2017")
    assert (result.code, result.out) == (0, "0 problems found\n")
    result = run("data", "check", REAL / "coco_tiny", "--images", REAL / "cocoa_native")
    assert result.code == 1


def test_check_of_reasonseg_needs_the_pictures(run: Run, tmp_path: Path) -> None:
    result = run("data", "check", REAL / "reasonseg")
    assert result.code == 1
    assert "name the folder of the pictures with --images" in result.out
    sizes = {"10619389843_339d3c9434_o": (5185, 2382), "100706138_4dd951b10b_o": (458, 400)}
    for stem, size in {**sizes, "106484289_d257ea9e9d_o": (1024, 768)}.items():
        Image.new("L", size).save(tmp_path / f"{stem}.jpg")
    result = run("data", "check", REAL / "reasonseg", "--images", tmp_path)
    assert result.out.count("\n") == 1 + result.out.count("106484289")  # its true size is not known


@pytest.mark.parametrize(
    "name",
    ["coco_tiny/captions_train2017.json", "refer/sample_expressions_testA.json", "lisa_demo"],
)
def test_what_holds_no_masks_is_refused(run: Run, name: str) -> None:
    result = run("data", "info", REAL / name)
    assert result.code == 1
    assert "no data set that askmask reads" in result.err
