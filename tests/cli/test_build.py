"""`askmask build`: the options reach the builders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_result import Run

from askmask.errors import OutputError
from askmask.pantry import build
from askmask.pantry.language import folder

Calls = list[tuple[Path, dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of the builders, which are replaced."""
    seen: Calls = []

    def note(out: Path, **options: Any) -> None:
        options.pop("progress")(1)
        seen.append((out, options))

    monkeypatch.setattr(build, "build_scenes", note)
    monkeypatch.setattr(folder, "build_queries_folder", note)
    return seen


def test_scenes(run: Run, calls: Calls) -> None:
    options = ["--count", 3, "--seed", 7, "--split", "test", "--height", 96]
    result = run("build", "scenes", "--out", "s", *options)
    assert (result.code, result.out, result.err) == (0, "s/entities-test.jsonl\n", "")
    assert calls == [(Path("s"), {"count": 3, "seed": 7, "split": "test", "size_hw": (96, 640)})]


def test_queries(run: Run, calls: Calls) -> None:
    result = run("build", "queries", "--out", "s", "--per-image", 4, "--pool", "train")
    assert (result.code, result.out, result.err) == (0, "s/queries-val.jsonl\n", "")
    assert calls == [(Path("s"), {"per_image": 4, "seed": 0, "split": "val", "pool": "train"})]


def test_what_the_builder_refuses_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OutputError("s: holds something else")

    monkeypatch.setattr(build, "build_scenes", refuse)
    assert run("build", "scenes", "--out", "s").error == "s: holds something else"


def test_queries_without_scenes(run: Run) -> None:
    assert "build the scenes" in run("build", "queries", "--out", "missing").error
