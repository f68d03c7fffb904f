"""A local server in place of those that cost money, and a folder of pictures to ask about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_llm_server import FakeServer
from toy_annotations import write_source


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fake = FakeServer()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Entities of six pictures that lie beside them; five hold an occluded instance."""
    return write_source(tmp_path / "source")
