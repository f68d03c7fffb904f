"""One server for all tests that need no limits of their own."""

from collections.abc import Iterator
from typing import Any

import pytest
from running import DEMO, Client, base64_of, running

from askmask.formats.askmask import prediction_from_answer
from askmask.images import read_image
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.types import Query


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


class Python:
    """The same model without a server."""

    def __init__(self) -> None:
        self.segmenter = EmbeddedSegmenter.load("embedded-v1")
        self.segmenter.set_image(read_image(DEMO))

    def record(self, query: Query | str, id: str = "query") -> dict[str, Any]:
        answer = self.segmenter.answer(query)
        return without_time(prediction_from_answer(id, answer).to_json())


@pytest.fixture(scope="session")
def python() -> Python:
    return Python()


def without_time(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "seconds": None}
