"""Segmenters that share weights and look at a picture each."""

from __future__ import annotations

import numpy as np
import pytest

from askmask.errors import QueryError
from askmask.formats.askmask import prediction_from_answer
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.models.segmenter import PictureKeeper
from askmask.types import Answer

TEXTS = ("all dark things", "the whole thing behind the others", "only its hidden part")


@pytest.fixture(scope="module")
def model() -> EmbeddedSegmenter:
    return EmbeddedSegmenter.load("embedded-v1")


def scene(seed: int) -> np.ndarray:
    """Boxes on a light ground."""
    rng = np.random.default_rng(seed)
    image = np.full((120, 160 + seed, 3), 220, np.uint8)
    for _ in range(5):
        y, x = rng.integers(5, 80), rng.integers(5, 110)
        image[y : y + rng.integers(15, 35), x : x + rng.integers(15, 40)] = rng.integers(0, 160, 3)
    return image


def record(answer: Answer) -> dict[str, object]:
    return {**prediction_from_answer("q", answer).to_json(), "seconds": None}


@pytest.mark.parametrize("compact", [False, True])
def test_pictures_stay_apart_and_answers_the_same(model: EmbeddedSegmenter, compact: bool) -> None:
    assert isinstance(model, PictureKeeper)
    pictures = [scene(1), scene(2)]
    looking = [model.with_image(picture, compact=compact) for picture in pictures]
    for picture, one in zip(pictures, looking, strict=True):
        alone = EmbeddedSegmenter.load("embedded-v1")
        alone.set_image(picture)
        assert len(one.candidates) == len(alone.candidates) > 0
        for text in TEXTS:
            assert record(one.answer(text)) == record(alone.answer(text))
        for x, y in ((20, 20), (60, 40), (100, 90), (0, 0)):
            here, there = one.mask_at(x, y), alone.mask_at(x, y)
            assert (here is None) == (there is None)
            assert here is None or np.array_equal(here, there)
    with pytest.raises(QueryError, match="no picture is set"):
        model.answer("a mug")


def test_a_compact_picture_holds_no_dense_masks(model: EmbeddedSegmenter) -> None:
    looking = model.with_image(scene(3), compact=True)
    for text in TEXTS:
        looking.answer(text)
    looking.mask_at(30, 30)
    candidates = looking.candidates
    assert candidates.modal._dense is None
    assert candidates.amodal._dense is None
    assert model.with_image(scene(3)).candidates.modal._dense is not None
