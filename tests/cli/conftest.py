"""Run the command line in this process, with a fake model behind it."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_result import Result, Run
from fake_segmenter import FakeSegmenter, picture
from PIL import Image

from askmask.cli.main import main
from askmask.models import registry


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Call `askmask` with arguments, in an empty folder, with the fake as the default model."""
    monkeypatch.setitem(registry.MODELS, "embedded-v1", "fake_segmenter:FakeSegmenter")
    monkeypatch.setitem(registry.MODELS, "pointless", "fake_segmenter:PointlessSegmenter")
    monkeypatch.setattr(FakeSegmenter, "loaded", 0)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object, stdin: bytes | None = None) -> Result:
        monkeypatch.setattr("sys.argv", ["askmask", *map(str, arguments)])
        if stdin is not None:
            stream = SimpleNamespace(buffer=io.BytesIO(stdin), isatty=lambda: False)
            monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return Result(int(left.value.code or 0), out, err)

    return call


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A picture file for the fake model."""
    path = tmp_path / "kitchen.png"
    Image.fromarray(picture()).save(path)
    return path
