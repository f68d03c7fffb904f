"""`askmask segment` over folders: when it is a run, what it writes, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_result import Run
from fake_segmenter import FakeSegmenter, picture
from PIL import Image

from askmask.runs.export import EXPORTS


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(picture()).save(folder / name)
    return folder


def test_sentences_of_line_and_file_are_asked_about_all(run: Run, photos: Path) -> None:
    Path("more.txt").write_text("the blue one\nthe green one\n")
    result = run("segment", photos, "--text", "the whole red one", "--prompts", "more.txt")
    assert (result.code, result.err) == (0, "")
    assert result.out == "askmask-out/photos: 6 of 6 answered, 0 failed\n"
    record = json.loads(Path("askmask-out/photos/run.json").read_text())
    assert record["arguments"]["queries"] == "askmask-out/photos/queries.jsonl"


def test_a_run_can_go_on_and_is_not_begun_twice(run: Run, photos: Path) -> None:
    arguments = ("segment", photos, "--text", "red", "--out", "out")
    assert run(*arguments).code == 0
    assert "continue it with --resume" in run(*arguments).error
    assert run(*arguments, "--resume").code == 0


def test_several_pictures_are_a_run(run: Run, photos: Path) -> None:
    out = run("segment", photos / "a.png", photos / "b.png", "--text", "red", "--json").out
    said = {"run": "askmask-out/pictures", "done": 2, "failed": 0, "total": 2, "unreadable": 0}
    assert json.loads(out) == said


def test_a_share_is_a_part(run: Run, photos: Path) -> None:
    result = run("segment", photos, "--text", "red", "--shards", "2/2", "--out", "out")
    assert result.out == "out: 1 of 1 answered, 0 failed\n"


def test_pictures_that_cannot_be_opened_are_named(run: Run, photos: Path) -> None:
    (photos / "c.png").write_bytes(b"no picture")
    result = run("segment", photos, "--text", "red", "--out", "out")
    assert result.code == 0
    assert "1 pictures cannot be opened: see out/errors.jsonl" in result.err
    for name in ("a.png", "b.png"):
        (photos / name).write_bytes(b"")
    assert run("segment", photos, "--text", "red", "--out", "none").code == 1


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_every_format_is_written_and_replaced(run: Run, photos: Path, name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    arguments = ("segment", photos, "--text", "the whole red one", "--out", "out")
    for more in ((), ("--resume",)):
        result = run(*arguments, "--format", name, "--json", *more)
        assert (result.code, json.loads(result.out)["done"]) == (0, 2), result
    assert Path("out", name + EXPORTS[name]).exists()
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]


def test_drawings_are_written_on_demand(run: Run, photos: Path) -> None:
    assert (
        run("segment", photos, "--text", "red", "--out", "out", "--overlays", "--masks").code == 0
    )
    assert len(list(Path("out/overlays").iterdir())) == 2
    assert len(list(Path("out/masks").iterdir())) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("photos",),
        ("photos", "red", "blue"),
        ("photos", "red", "--resume"),
        ("photos", "--text", "red", "--shards", "3/2"),
        ("photos", "--text", "red", "--format", "cocoo"),
        ("photos", "--text", "red", "--workers", "0"),
        ("photos", "--text", "red", "--engine", "dask"),
        ("photos", "--text", "red", "--reference", "1,1"),
    ],
)
def test_wrong_command_lines(run: Run, photos: Path, arguments: tuple[str, ...]) -> None:
    assert run("segment", *arguments).code == 2
    assert FakeSegmenter.loaded == 0
    assert not Path("askmask-out").exists()


@pytest.mark.parametrize("text", ["left of [1]", "", "x" * 3000])
def test_sentences_that_cannot_be_asked(run: Run, photos: Path, text: str) -> None:
    assert run("segment", photos, "--text", "red", "--text", text).code == 1
    assert FakeSegmenter.loaded == 0
