"""A local server in place of those that cost money, and a folder of pictures to ask about."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_llm_server import FakeServer
from toy_annotations import write_source


@pytest.fixture
def server(llm_server: FakeServer) -> FakeServer:
    return llm_server


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Entities of six pictures that lie beside them; five hold an occluded instance."""
    return write_source(tmp_path / "source")
