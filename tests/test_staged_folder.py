"""Result folders appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from askmask import atomic
from askmask.atomic import staged_folder
from askmask.errors import OutputError, QueryError

OURS = r"mask-\d+\.png"


def fail_after_writing(out: Path) -> None:
    with staged_folder(out, OURS) as staging:
        (staging / "mask-1.png").write_text("new")
        raise QueryError("no")


def test_files_move_when_the_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "a/b"
    with staged_folder(out, OURS) as staging:
        (staging / "mask-1.png").write_text("new")
        assert not (out / "mask-1.png").exists()
    assert [path.name for path in out.iterdir()] == ["mask-1.png"]


def test_a_failed_block_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(QueryError):
        fail_after_writing(tmp_path / "a/b")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_block_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "mask-1.png").write_text("old")
    with pytest.raises(QueryError):
        fail_after_writing(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_name_that_no_system_takes_leaves_no_parents(tmp_path: Path) -> None:
    name = "a/" + "x" * 300
    with pytest.raises(OutputError, match="too long"), staged_folder(tmp_path / name, OURS):
        pytest.fail("the block must not run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_is_refused_before_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:  # the tests may run as root, whom no permission stops
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic, "TemporaryDirectory", refuse)
    with (
        pytest.raises(OutputError, match="Permission denied; choose another with --out"),
        staged_folder(tmp_path / "a", OURS),
    ):
        pytest.fail("the block must not run")
    assert list(tmp_path.iterdir()) == []


def test_only_older_files_of_ours_go(tmp_path: Path) -> None:
    for name in ("mask-7.png", "mask-mine.png", "notes.txt"):
        (tmp_path / name).write_text("old")
    with staged_folder(tmp_path, OURS) as staging:
        (staging / "mask-1.png").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mask-1.png",
        "mask-mine.png",
        "notes.txt",
    ]
