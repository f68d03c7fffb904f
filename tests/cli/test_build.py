"""`askmask build`: the options reach the builders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_result import Run

from askmask.errors import OutputError
from askmask.pantry import build, splits
from askmask.pantry.language import folder
from askmask.pantry.objects import build as objects
from askmask.pantry.render import filament
from askmask.pantry.world import build as world

Calls = list[tuple[Path, dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of the builders, which are replaced."""
    seen: Calls = []

    def note(out: Path, **options: Any) -> None:
        options.pop("progress")(1)
        seen.append((out, options))

    monkeypatch.setattr(build, "build_scenes", note)
    monkeypatch.setattr(objects, "build_objects", note)
    monkeypatch.setattr(
        world, "build_pantry", lambda out, split, **options: note(out, **options, split=split)
    )
    monkeypatch.setattr(
        splits, "ask_split", lambda out, split, **options: note(out, **options, asked=split)
    )
    monkeypatch.setattr(splits, "is_published", lambda out, split: None)
    monkeypatch.setattr(filament, "require_driver", lambda: Path("driver.json"))
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


def test_objects(run: Run, calls: Calls) -> None:
    result = run("build", "objects", "--out", "o", "--deb", "f.deb", "--no-household")
    assert (result.code, result.out) == (0, "o/objects.json\n")
    assert calls == [(Path("o"), {"deb": Path("f.deb"), "with_household": False})]


def test_pantry_gathers_the_objects_once(run: Run, calls: Calls, tmp_path: Path) -> None:
    options = ["--split", "test", "--count", 5, "--objects", tmp_path, "--workers", 2]
    result = run("build", "pantry", "--out", "p", *options)
    assert (result.code, result.out) == (0, "p/queries-test.jsonl\n")
    assert "checksums: none are published" in result.err
    split = splits.SPLITS["test"].of_size(5)
    pantry = {"split": split, "objects": tmp_path, "size_hw": (480, 640), "workers": 2}
    assert calls == [(tmp_path, {"deb": None}), (Path("p"), pantry), (Path("p"), {"asked": split})]
    (tmp_path / "objects.json").touch()
    calls.clear()
    run("build", "pantry", "--out", "p", *options)
    assert [out for out, _ in calls] == [Path("p")] * 2


def test_objects_are_kept_in_the_cache(
    run: Run, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("build", "objects").out == f"{tmp_path}/askmask/objects-1/objects.json\n"


def test_an_unknown_split_is_one_line(run: Run, calls: Calls) -> None:
    assert (
        "expected one of train, val" in run("build", "pantry", "--out", "p", "--split", "x").error
    )
    assert calls == []


def test_what_the_builder_refuses_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OutputError("s: holds something else")

    monkeypatch.setattr(build, "build_scenes", refuse)
    assert run("build", "scenes", "--out", "s").error == "s: holds something else"


def test_queries_without_scenes(run: Run) -> None:
    assert "build the scenes" in run("build", "queries", "--out", "missing").error
