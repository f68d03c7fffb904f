"""Run the command line in this process, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Outcome, Run

from askmask.cli.main import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Call `askmask` with arguments."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["askmask", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return Outcome(int(left.value.code or 0), *capsys.readouterr())

    return call
