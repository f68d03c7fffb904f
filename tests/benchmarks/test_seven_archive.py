"""A study packed for a release holds what its tables need, and nothing that changes by itself."""

from __future__ import annotations

import importlib.util
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "seven" / "archive.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="not a checkout of the repository")


@pytest.fixture(scope="module")
def archive() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seven_archive", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def study(tmp_path: Path) -> Path:
    row = tmp_path / "seven" / "rela" / "seed-0"
    for name, content in {
        "row.json": "{}",
        "test/metrics.json": '{"n": 1}',
        "test/predictions.jsonl": '{"id": "1"}\n',
        "train/training/metrics.jsonl": "{}\n",
        "train/training/checkpoint.pt": "large",
        "train/weights/system.json": "{}",
        "train/weights/weights.safetensors": "large",
    }.items():
        path = row / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "seven"


def test_what_was_measured_is_packed_without_weights(
    archive: ModuleType, study: Path, tmp_path: Path
) -> None:
    packed, checksums = tmp_path / "seven.tar.xz", tmp_path / "checksums.txt"
    assert archive.main([str(study), "--out", str(packed), "--checksums", str(checksums)]) == 0
    with tarfile.open(packed) as tar:
        assert tar.getnames() == [
            "rela/seed-0/row.json",
            "rela/seed-0/test/metrics.json",
            "rela/seed-0/test/predictions.jsonl",
            "rela/seed-0/train/training/metrics.jsonl",
        ]
        tar.extractall(tmp_path / "unpacked", filter="data")
    check = ["sha256sum", "-c", str(checksums)]
    assert subprocess.run(check, cwd=tmp_path / "unpacked", capture_output=True).returncode == 0
    (tmp_path / "unpacked" / "rela/seed-0/test/metrics.json").write_text('{"n": 2}')
    assert subprocess.run(check, cwd=tmp_path / "unpacked", capture_output=True).returncode == 1


def test_a_small_archive_lists_predictions_without_holding_them(
    archive: ModuleType, study: Path, tmp_path: Path
) -> None:
    packed, checksums = tmp_path / "seven.tar.xz", tmp_path / "checksums.txt"
    assert archive.pack(study, packed, checksums, small=True) == 3
    with tarfile.open(packed) as tar:
        assert "rela/seed-0/test/predictions.jsonl" not in tar.getnames()
    assert "rela/seed-0/test/predictions.jsonl" in checksums.read_text()


def test_the_same_study_gives_the_same_bytes(
    archive: ModuleType, study: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        archive.pack(study, tmp_path / name, tmp_path / f"{name}.txt")
        for path in study.rglob("*"):
            path.touch()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_folder_without_a_finished_row_is_refused(
    archive: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive.main([str(tmp_path), "--out", str(tmp_path / "x.tar.xz")]) == 1
    assert "no finished row" in capsys.readouterr().err
    assert not (tmp_path / "x.tar.xz").exists()
