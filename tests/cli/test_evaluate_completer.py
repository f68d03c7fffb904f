"""`askmask evaluate-completer`: figures beside doing nothing and the convex hull."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run
from fake_segmenter import picture
from PIL import Image
from shared_material import SHARED

from askmask import rle
from askmask.formats.askmask import Entity, EntityRecord, write_entities

RED = (picture() == (200, 0, 0)).all(2)
BLUE = (picture() == (0, 0, 200)).all(2)
BOX = np.zeros((40, 60), bool)
BOX[5:25, 5:25] = True
SPECK = np.zeros((40, 60), bool)
SPECK[0, :5] = True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A red box behind a green one, a whole blue box, a speck, and one of unknown shape."""
    Image.fromarray(picture()).save(tmp_path / "a.png")
    masks = [(RED, BOX), (BLUE, BLUE), (SPECK, SPECK), (BLUE, None)]
    entities = tuple(
        Entity(number, "box", rle.encode(modal), None if amodal is None else rle.encode(amodal))
        for number, (modal, amodal) in enumerate(masks)
    )
    write_entities(tmp_path / "entities-val.jsonl", [EntityRecord("a.png", 40, 60, entities)])
    return tmp_path


def test_figures_as_json(run: Run, folder: Path) -> None:
    result = run(
        "evaluate-completer", folder, "--completer", "none", "--json", "--out", folder / "f.json"
    )
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found == json.loads((folder / "f.json").read_text())
    assert list(found) == ["none", "convex-hull"]
    nothing, hull = found["none"], found["convex-hull"]
    assert nothing["amodal-IoU"]["objects"] == 2  # neither the speck nor the unknown one
    assert nothing["amodal-IoU"]["value"] == pytest.approx((0.75 + 1) / 2)
    assert nothing["hidden-IoU"] == {"value": 0.0, "low": 0.0, "high": 0.0, "objects": 1}
    assert 0.4 < hull["hidden-IoU"]["value"] < 0.7
    assert hull["added-to-whole"]["value"] == 0
    assert hull["hidden-IoU 0.5-1"]["value"] is None


def test_the_table_has_a_column_a_completer(run: Run, folder: Path) -> None:
    out = run("evaluate-completer", folder, "--completer", "convex-hull").out
    assert "none" in out
    assert "convex-hull" in out
    assert "0.0 (0-0)" in out


def test_what_cannot_be_scored_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    command = ("evaluate-completer", folder, "--completer", "none")
    assert "split 'test' is not there" in run(*command, "--split", "test").error
    assert "name its folder with --images" in run(*command, "--images", tmp_path / "no").error
    Image.fromarray(picture()[:30]).save(folder / "a.png")
    assert "should be 60 x 40 pixels, the picture is 60 x 30" in run(*command).error
    write_entities(folder / "entities-test.jsonl", [])
    assert "has the splits test, val; name one with --split" in run(*command).error
    assert "found no object to score" in run(*command, "--split", "test").error
    assert "there is none" in run("evaluate-completer", tmp_path / "no", *command[2:]).error


@pytest.mark.skipif(not (SHARED / "real" / "cocoa_native").is_dir(), reason="no shared material")
def test_cocoa_files_with_their_pictures_beside_them(run: Run) -> None:
    files = sorted((SHARED / "real" / "cocoa_native").glob("*.json"))
    result = run("evaluate-completer", *files, "--completer", "none", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["none"]["hidden-IoU"]["objects"] >= 5
    assert found["none"]["hidden-IoU"]["value"] == 0
    assert 0 < found["convex-hull"]["hidden-IoU"]["value"] < 1
