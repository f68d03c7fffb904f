"""One server for all tests that need no limits of their own."""

from collections.abc import Iterator

import pytest
from python_call import Python
from running import DEMO, Client, base64_of, running

from askmask.models.embedded.segmenter import EmbeddedSegmenter


@pytest.fixture(scope="session")
def embedded() -> EmbeddedSegmenter:
    return EmbeddedSegmenter.load("embedded-v1")


@pytest.fixture(scope="session")
def server(embedded: EmbeddedSegmenter) -> Iterator[Client]:
    with running(embedded) as client:
        yield client


@pytest.fixture(scope="session")
def demo() -> str:
    """The picture of the README in base64."""
    return base64_of(DEMO.read_bytes())


@pytest.fixture(scope="session")
def python() -> Python:
    return Python()
