"""Prediction runs: complete, grouped by picture, tolerant, and resumable after a kill."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fake import FakeSegmenter
from PIL import Image

from askmask.errors import ConfigError, DataError, OutputError
from askmask.formats.askmask import read_predictions
from askmask.runs.predict import Progress, predict

FAKE = Path(__file__).with_name("fake.py")


def _line(number: int, image: str, text: str) -> str:
    return json.dumps(
        {
            "id": f"q{number}",
            "image": image,
            "height": 6,
            "width": 8,
            "text": text,
            "references": [],
            "mask_type": "amodal",
            "targets": [],
            "ignore": None,
            "tags": [],
        }
    )


def _write_queries(folder: Path, lines: list[str]) -> Path:
    path = folder / "queries.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Benchmark folder with two pictures and no queries."""
    (tmp_path / "images").mkdir()
    for name, grey in [("a", 10), ("b", 20)]:
        pixels = np.full((6, 8, 3), grey, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


@pytest.fixture
def queries(folder: Path) -> Path:
    """Six queries that jump between the pictures."""
    images = [f"images/{'ab'[i % 2]}.png" for i in range(6)]
    return _write_queries(folder, [_line(i, image, f"mug {i}") for i, image in enumerate(images)])


def _ids(run: Path) -> list[str]:
    return [prediction.id for prediction in read_predictions(run / "predictions.jsonl")]


def test_every_query_is_answered_and_each_picture_encoded_once(queries: Path) -> None:
    model, run, seen = FakeSegmenter(), queries.parent / "run", []
    end = predict(model, queries, run, progress=seen.append)
    assert end == Progress(done=6, failed=0, total=6)
    assert model.encoded == 2
    assert _ids(run) == ["q0", "q2", "q4", "q1", "q3", "q5"]
    assert [state.done for state in seen] == list(range(7))
    assert (run / "errors.jsonl").read_text() == ""


def test_the_model_is_not_told_the_mask_type(queries: Path) -> None:
    model = FakeSegmenter()
    predict(model, queries, queries.parent / "run")
    assert {query.mask_type for query in model.asked} == {None}


def test_run_json_says_what_made_the_run(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    record = json.loads((run / "run.json").read_text())
    assert record["model"] == {"id": "fake", "sha256": None}
    assert record["arguments"]["queries"] == str(queries)
    assert len(record["inputs"]["queries"]) == 64
    assert {"askmask", "numpy", "python"} <= set(record["versions"])
    assert {"device", "seed", "started", "finished"} <= set(record)
    assert (record["queries"], record["failed"]) == (6, 0)


def test_failures_are_kept_and_the_run_goes_on(folder: Path) -> None:
    (folder / "images" / "broken.png").write_bytes(b"no picture")
    images = ["images/a.png", "images/broken.png", "images/absent.png", "images/a.png"]
    texts = ["crash", "mug", "mug", "mug"]
    queries = _write_queries(folder, [_line(i, images[i], texts[i]) for i in range(4)])
    end = predict(FakeSegmenter(), queries, folder / "run")
    assert (end.done, end.failed) == (4, 3)
    errors = {p.id: p.error for p in read_predictions(folder / "run" / "predictions.jsonl")}
    assert errors["q0"] == "RuntimeError: no memory left"
    assert "broken.png" in errors["q1"]
    assert "absent.png" in errors["q2"]
    assert errors["q3"] is None
    kept = [json.loads(line) for line in (folder / "run" / "errors.jsonl").read_text().splitlines()]
    assert {line["id"]: line["error"] for line in kept} == {
        name: error for name, error in errors.items() if error
    }


def test_a_picture_of_another_size_is_a_failure(folder: Path) -> None:
    Image.new("RGB", (9, 9)).save(folder / "images" / "c.png")
    queries = _write_queries(folder, [_line(0, "images/c.png", "mug")])
    predict(FakeSegmenter(), queries, folder / "run")
    (prediction,) = read_predictions(folder / "run" / "predictions.jsonl")
    assert "expected 6 x 8 pixels as in query q0, got 9 x 9" in str(prediction.error)


def test_an_answer_that_breaks_the_format_is_a_failure(folder: Path) -> None:
    queries = _write_queries(folder, [_line(0, "images/a.png", "nan")])
    assert predict(FakeSegmenter(), queries, folder / "run").failed == 1
    (prediction,) = read_predictions(folder / "run" / "predictions.jsonl")
    assert "'masks[0].score': expected a finite number in [0, 1], got nan" in str(prediction.error)


def test_resume_does_only_what_is_left(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    whole = (run / "predictions.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    (run / "predictions.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:30])
    model = FakeSegmenter()
    end = predict(model, queries, run, resume=True)
    assert (run / "predictions.jsonl").read_bytes() == whole
    assert (end.done, len(model.asked), model.encoded) == (6, 2, 1)


def test_resume_brings_errors_in_line_with_predictions(folder: Path) -> None:
    texts = ["crash", "mug", "crash too"]
    queries = _write_queries(
        folder, [_line(i, "images/a.png", text) for i, text in enumerate(texts)]
    )
    run = folder / "run"
    predict(FakeSegmenter(), queries, run)
    whole = (run / "errors.jsonl").read_bytes()
    (run / "errors.jsonl").write_bytes(whole[:-9])
    assert predict(FakeSegmenter(), queries, run, resume=True).failed == 2
    assert (run / "errors.jsonl").read_bytes() == whole


def test_resume_of_a_finished_run_changes_nothing(queries: Path) -> None:
    run, model = queries.parent / "run", FakeSegmenter()
    predict(FakeSegmenter(), queries, run)
    whole = (run / "predictions.jsonl").read_bytes()
    predict(model, queries, run, resume=True)
    assert (model.encoded, (run / "predictions.jsonl").read_bytes()) == (0, whole)


def test_interruption_leaves_a_run_to_resume(folder: Path) -> None:
    texts = ["mug", "interrupt", "cup"]
    queries = _write_queries(
        folder, [_line(i, "images/a.png", text) for i, text in enumerate(texts)]
    )
    with pytest.raises(KeyboardInterrupt):
        predict(FakeSegmenter(), queries, folder / "run")
    assert _ids(folder / "run") == ["q0"]


def test_an_existing_run_is_refused_without_resume(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    with pytest.raises(OutputError, match="holds a run already; continue it with --resume"):
        predict(FakeSegmenter(), queries, run)


def test_a_folder_with_other_files_is_refused(queries: Path) -> None:
    for resume in (False, True):
        with pytest.raises(OutputError, match=r"files and no run\.json"):
            predict(FakeSegmenter(), queries, queries.parent, resume=resume)


def test_a_kill_before_run_json_stands_is_no_obstacle(queries: Path) -> None:
    run = queries.parent / "run"
    run.mkdir()
    (run / ".askmask-0123.tmp").write_text("{")
    assert predict(FakeSegmenter(), queries, run, resume=True).done == 6


def test_resume_with_another_model_is_refused(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    with pytest.raises(ConfigError, match=r'begun with model .*"fake".*"other"'):
        predict(FakeSegmenter("other"), queries, run, resume=True)


def test_resume_with_other_queries_is_refused(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    with queries.open("a") as stream:
        stream.write(_line(6, "images/a.png", "one more") + "\n")
    with pytest.raises(ConfigError, match="begun with inputs"):
        predict(FakeSegmenter(), queries, run, resume=True)


def test_a_broken_line_in_the_middle_is_not_repaired(queries: Path) -> None:
    run = queries.parent / "run"
    predict(FakeSegmenter(), queries, run)
    path = run / "predictions.jsonl"
    path.write_text(path.read_text().replace('"q4"', '"q4'))
    with pytest.raises(DataError, match=r"predictions\.jsonl:3"):
        predict(FakeSegmenter(), queries, run, resume=True)


def test_kill_minus_nine_loses_and_doubles_nothing(folder: Path) -> None:
    names = ["images/a.png", "images/b.png"]
    queries = _write_queries(folder, [_line(i, names[i % 2], f"mug {i}") for i in range(60)])
    run, calm = folder / "run", folder / "calm"
    predict(FakeSegmenter(), queries, calm)
    for wanted in (10, 35):
        _kill_after(wanted, queries, run)
        shutil.copy(run / "predictions.jsonl", folder / "seen")
        with (run / "predictions.jsonl").open("ab") as stream:
            stream.write(b'{"id": "q59", "mas')  # what a kill inside a write leaves
    predict(FakeSegmenter(), queries, run, resume=True)
    assert (run / "predictions.jsonl").read_bytes() == (calm / "predictions.jsonl").read_bytes()
    assert (run / "predictions.jsonl").read_bytes().startswith((folder / "seen").read_bytes())


def _kill_after(lines: int, queries: Path, run: Path) -> None:
    """Start a run in another process and kill it once it has written so many lines."""
    process = subprocess.Popen([sys.executable, str(FAKE), str(queries), str(run)])
    try:
        deadline = time.monotonic() + 60
        while not _has_lines(run / "predictions.jsonl", lines):
            assert process.poll() is None, "the run ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _has_lines(path: Path, lines: int) -> bool:
    return path.exists() and path.read_bytes().count(b"\n") >= lines
