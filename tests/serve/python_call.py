"""What the same calls answer in Python, without a server."""

from __future__ import annotations

from typing import Any

from running import DEMO

from askmask.formats.askmask import prediction_from_answer
from askmask.images import read_image
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.types import Query


class Python:
    """The embedded model, looking at the README's picture."""

    def __init__(self) -> None:
        self.segmenter = EmbeddedSegmenter.load("embedded-v1")
        self.segmenter.set_image(read_image(DEMO))

    def record(self, query: Query | str, id: str = "query") -> dict[str, Any]:
        answer = self.segmenter.answer(query)
        return without_time(prediction_from_answer(id, answer).to_json())


def without_time(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "seconds": None}
