"""`askmask convert` on a little benchmark with its answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run

from askmask import rle
from askmask.formats.askmask import (
    Prediction,
    read_entities,
    read_predictions,
    read_queries,
    write_dataset_json,
    write_entities,
    write_predictions,
    write_queries,
)
from askmask.formats.converters import FORMATS
from askmask.images import write_png

GOLDEN = Path(__file__).parents[1] / "golden" / "askmask"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A benchmark folder with objects, queries and answers, and its pictures."""
    folder = tmp_path / "toy"
    (folder / "images").mkdir(parents=True)
    for name in "ab":
        write_png(folder / "images" / f"{name}.png", np.full((6, 8, 3), 90, np.uint8))
    write_entities(folder / "entities.jsonl", read_entities(GOLDEN / "entities.jsonl"))
    write_queries(folder / "queries.jsonl", read_queries(GOLDEN / "queries.jsonl"))
    first = next(read_predictions(GOLDEN / "predictions.jsonl"))
    second = Prediction("a#1", fused=rle.encode(np.eye(6, 8, dtype=bool)))
    write_predictions(tmp_path / "answers.jsonl", [first, second])
    write_dataset_json(folder, name="toy", license="CC0-1.0", source="a test")
    return folder


TARGETS = sorted(name for name, one in FORMATS.items() if one.writer and name != "parquet")
OF_ANSWERS = ("coco-results", "png", "png-binary")


@pytest.mark.parametrize("target", TARGETS)
def test_every_format_is_written(run: Run, folder: Path, target: str) -> None:
    source = folder / "queries.jsonl" if target in ("r2sm", "reasonseg") else folder
    more = ()
    if target == "coco-results":
        source, more = folder.parent / "answers.jsonl", ("--queries", folder / "queries.jsonl")
    result = run("convert", source, "--from", "askmask", "--to", target, "--out", "o/x", *more)
    assert (result.code, result.out) == (0, "o/x\n"), result
    assert Path("o/x").exists()
    assert [path.name for path in Path("o").iterdir()] == ["x"]


@pytest.mark.parametrize(
    "target", [name for name in TARGETS if FORMATS[name].reader and name not in OF_ANSWERS]
)
def test_every_format_is_read_again(run: Run, folder: Path, target: str) -> None:
    run("convert", folder, "--from", "askmask", "--to", target, "--out", "x")
    images = ("--images", folder) if target in ("cvat", "label-studio") else ()
    result = run("convert", "x", "--from", target, "--to", "askmask", "--out", "y", *images)
    assert result.code == 0, result
    found = {Path(one.image).name: one for one in read_entities("y/entities.jsonl")}
    assert [one.category for one in found["a.png"].entities] == ["cereal box", "mug"]
    assert Path("y", found["a.png"].image).resolve().is_file()


@pytest.mark.parametrize("target", OF_ANSWERS)
def test_answers_come_back(run: Run, folder: Path, target: str) -> None:
    queries = ("--queries", folder / "queries.jsonl")
    source = folder.parent / "answers.jsonl"
    run("convert", source, "--from", "askmask", "--to", target, "--out", "x", *queries)
    result = run("convert", "x", "--from", target, "--to", "askmask", "--out", "y", *queries)
    assert result.code == 0, result
    found = {one.id: one for one in read_predictions("y/predictions.jsonl")}
    first, second = read_predictions(source)
    assert [one.segmentation for one in found["a#0"].masks] == [first.masks[0].segmentation]
    assert [one.segmentation for one in found["a#1"].masks] == [second.fused]


def test_what_is_lost_is_said(run: Run, folder: Path) -> None:
    result = run("convert", folder, "--from", "askmask", "--to", "coco", "--out", "x.json")
    assert result.err == "lost: 2 queries (one kind a file; --records queries writes these)\n"
    asked = ("--records", "queries", "--out", "y.json")
    result = run("convert", folder, "--from", "askmask", "--to", "coco", *asked)
    assert "lost: 2 pictures with objects" in result.err


def test_strict_writes_nothing(run: Run, folder: Path) -> None:
    asked = ("--to", "coco", "--out", "o/x.json", "--strict")
    result = run("convert", folder, "--from", "askmask", *asked)
    assert result.error.startswith("--strict: lost: 2 queries")
    assert not Path("o").exists()


def test_json_outcome(run: Run, folder: Path) -> None:
    asked = ("--from", "askmask", "--to", "askmask", "--out", "x", "--json")
    outcome = json.loads(run("convert", folder, *asked).out)
    assert outcome == {"out": "x", "lost": [], "skipped": 0}


def test_answers_become_predictions_of_label_studio(run: Run, folder: Path) -> None:
    asked = ("--queries", folder / "queries.jsonl", "--to", "label-studio", "--out", "x.json")
    result = run("convert", folder.parent / "answers.jsonl", "--from", "askmask", *asked)
    assert "lost: 1 rationales" in result.err
    (task,) = json.loads(Path("x.json").read_text(encoding="utf-8"))
    first, second = task["predictions"][0]["result"]
    assert first["score"] == 0.9
    assert first["value"]["brushlabels"] == ["box"]
    assert second["value"]["brushlabels"] == ["the spoon"]


def test_answers_without_queries_are_refused(run: Run, folder: Path) -> None:
    asked = ("--from", "askmask", "--to", "labelme", "--out", "x")
    assert "--queries" in run("convert", folder.parent / "answers.jsonl", *asked).error
    assert not Path("x").exists()


def test_bad_records_are_skipped_and_listed(run: Run, folder: Path) -> None:
    path = folder / "queries.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    wrong = {**json.loads(lines[0]), "id": "w", "height": 7}
    path.write_text("\n".join([json.dumps(wrong), *lines]) + "\n", encoding="utf-8")
    asked = ("--from", "askmask", "--to", "coco", "--out", "o/x.json")
    assert "queries.jsonl:1, key" in run("convert", path, *asked).error
    assert not Path("o").exists()
    result = run("convert", path, *asked, "--skip-bad")
    assert result.code == 0
    assert "skipped 1 bad records" in result.err
    (listed,) = Path("o/errors.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(listed)["where"].endswith("queries.jsonl:1")
    assert len(json.loads(Path("o/x.json").read_text(encoding="utf-8"))["images"]) == 2


def test_a_folder_in_use_is_not_touched(run: Run, folder: Path) -> None:
    Path("x").mkdir()
    Path("x/mine.txt").write_text("keep", encoding="utf-8")
    result = run("convert", folder, "--from", "askmask", "--to", "labelme", "--out", "x")
    assert "x: is a folder with files in it" in result.error
    assert [path.name for path in Path("x").iterdir()] == ["mine.txt"]


def test_a_missing_picture_leaves_nothing(run: Run, folder: Path) -> None:
    (folder / "images" / "b.png").unlink()
    result = run("convert", folder, "--from", "askmask", "--to", "yolo", "--out", "x")
    assert "b.png: the picture is missing; name its folder with --images" in result.error
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "cocoo", "--to", "yolo"), "cocoo: expected a format that is read"),
        (("--from", "coc", "--to", "yolo"), "did you mean coco?"),
        (("--from", "fiftyone", "--to", "yolo"), "fiftyone: expected a format that is read"),
        (("--from", "png", "--to", "yolo"), "name the queries that these results answer"),
        (("--from", "askmask", "--to", "x"), "x: expected a format that is written"),
        (("--from", "askmask", "--to", "coco", "--split", "val"), "has the splits all, not 'val'"),
        (("--from", "askmask", "--to", "coco-results"), "--records predictions: the source has"),
    ],
)
def test_wrong_wishes_are_refused(
    run: Run, folder: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in run("convert", folder, *options, "--out", "x").error


def test_mask_type_chooses_the_masks(run: Run, folder: Path) -> None:
    asked = ("--from", "askmask", "--to", "yolo", "--mask-type", "amodal", "--out", "x")
    assert "lost: 1 modal masks" in run("convert", folder, *asked).err
    asked = ("--from", "yolo", "--to", "askmask", "--out", "y")
    run("convert", "x", *asked)
    record = next(read_entities(Path("y/entities.jsonl")))
    whole = next(read_entities(GOLDEN / "entities.jsonl")).entities[0].amodal
    assert whole is not None
    assert record.entities[0].modal["counts"] == rle.union([whole], (6, 8))["counts"]
