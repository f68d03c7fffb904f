"""`askmask predict`: what it prints where, and how it ends."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from fake import FakeSegmenter
from PIL import Image

from askmask.cli.main import main
from askmask.formats.askmask import QueryRecord, read_predictions, write_queries


@pytest.fixture
def askmask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command with the given sentences about one picture, and the fake model."""
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("askmask.models.registry.load", lambda name, **_: FakeSegmenter(name))

    def run(texts: list[str], *options: str) -> tuple[int, str, str]:
        records = [QueryRecord(f"q{i}", "a.png", 6, 8, text, ()) for i, text in enumerate(texts)]
        write_queries("queries.jsonl", records)
        monkeypatch.setattr(
            sys, "argv", ["askmask", "predict", "queries.jsonl", "--out", "run", *options]
        )
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return run


def test_says_what_was_done(askmask) -> None:
    assert askmask(["mug", "cup"]) == (0, "run: 2 of 2 answered, 0 failed\n", "")
    assert len(list(read_predictions("run/predictions.jsonl"))) == 2


def test_json_stands_alone_on_stdout(askmask) -> None:
    code, out, err = askmask(["mug", "crash"], "--json")
    assert (code, json.loads(out)) == (0, {"run": "run", "done": 2, "failed": 1, "total": 2})
    assert "1 failed: see run/errors.jsonl" in err


def test_the_model_is_loaded_by_its_name(askmask) -> None:
    askmask(["mug"], "--model", "other")
    assert json.loads(Path("run/run.json").read_text())["model"]["id"] == "other"


def test_a_run_in_which_all_failed_has_failed(askmask) -> None:
    assert askmask(["crash", "crash too"])[0] == 1


def test_an_existing_run_needs_resume(askmask) -> None:
    askmask(["mug"])
    code, out, err = askmask(["mug"])
    assert (code, out) == (1, "")
    assert "continue it with --resume" in err
    assert askmask(["mug"], "--resume")[0] == 0


def test_an_interruption_says_how_to_continue(askmask) -> None:
    code, out, err = askmask(["mug", "interrupt"])
    assert code != 0
    assert out == ""
    assert "continue with --resume --out run" in err
    assert len(list(read_predictions("run/predictions.jsonl"))) == 1


def test_no_out_is_a_wrong_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["askmask", "predict", "queries.jsonl"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
