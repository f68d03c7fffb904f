"""Runs on Ray: the files of any other run, also after a kill; skipped where Ray is missing.

pip install 'ray[data]'
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake import FakeSegmenter, load_slow
from test_workers import FAKE, ask, lines

from askmask.errors import MissingExtraError
from askmask.runs.predict import predict

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ray's processes find ours, and wait for them on a busy machine."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE.parent), *sys.path]))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")


@pytest.mark.slow
@pytest.mark.usefixtures("patient")
def test_two_cores_answer_as_one_process_does(tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    queries = ask(tmp_path, 6, "mug", "crash", "cup")
    calm, run = tmp_path / "calm", tmp_path / "run"
    alone = predict(FakeSegmenter(), queries, calm)
    killed = subprocess.run([sys.executable, str(FAKE), str(queries), str(run), "1", "7"])
    assert killed.returncode == -signal.SIGKILL
    together = predict(
        FakeSegmenter(), queries, run, workers=2, engine="ray", resume=True, load=load_slow
    )
    assert together == alone
    assert lines(run) == lines(calm)


def test_ray_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    queries = ask(tmp_path, 1, "mug")
    with pytest.raises(MissingExtraError, match=r"askmask\[ray\]"):
        predict(FakeSegmenter(), queries, tmp_path / "run", engine="ray")
