"""The weights that ship: intact, and right often enough that a broken export would show."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import askmask
from askmask import Masks, Query
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.models.embedded.weights import FILES, EmbeddedWeights

pytest.importorskip("cv2")

from askmask.pantry.compose import compose
from askmask.pantry.language.queries import build_queries
from askmask.pantry.sprites import SpriteBank
from askmask.types import MaskType

NAME = "embedded-v1"


@pytest.fixture(scope="module")
def model() -> EmbeddedSegmenter:
    return EmbeddedSegmenter.load(NAME)


def test_the_shipped_files_are_whole_and_small() -> None:
    weights = EmbeddedWeights(NAME)
    weights.verify()
    sizes = [weights.path(name).stat().st_size for name in FILES]
    assert sum(sizes) < 40e6
    assert max(sizes) < 20e6


def test_the_model_card_names_the_hash() -> None:
    weights = EmbeddedWeights(NAME)
    assert weights.sha256 in Path(weights.folder, "README.md").read_text()


def test_generated_queries_of_unseen_scenes_are_mostly_answered(model: EmbeddedSegmenter) -> None:
    overlaps, types = [], []
    for seed in range(700_000, 700_010):
        scene = compose(SpriteBank.load(), seed)
        model.set_image(scene.image)
        for query in build_queries(scene, np.random.default_rng(seed), "test", 8):
            items = [scene.objects[index] for index in query.references]
            references = (
                Masks.from_dense(np.array([item.modal for item in items])) if items else None
            )
            answer = model.answer(Query(query.text, references))
            wanted = np.zeros(scene.image.shape[:2], bool)
            for index in query.targets:
                item = scene.objects[index]
                wanted |= {
                    MaskType.MODAL: item.modal,
                    MaskType.AMODAL: item.amodal,
                    MaskType.HIDDEN: item.amodal & ~item.modal,
                }[query.mask_type]
            got = answer.masks.dense().any(0)
            union = (got | wanted).sum()
            overlaps.append((got & wanted).sum() / union if union else 1.0)
            types.append(answer.mask_type is query.mask_type)
    assert len(overlaps) > 60
    assert np.mean(overlaps) > 0.5
    assert np.mean(types) > 0.88


def test_the_same_picture_and_sentence_give_the_same_answer(model: EmbeddedSegmenter) -> None:
    scene = compose(SpriteBank.load(), 700_000)
    records = []
    for _ in range(2):
        model.set_image(scene.image)
        answer = model.answer("everything on the left")
        records.append(json.dumps([list(answer.masks.rles), answer.scores.tolist()]))
    assert records[0] == records[1]


@pytest.mark.parametrize(
    "text", ["où est le chat ?", "量子色力学", "a helicopter over the sea", "?!", "[ ]", "x" * 2000]
)
@pytest.mark.parametrize("size_hw", [(1, 1), (480, 640), (31, 700)])
def test_odd_sentences_and_pictures_get_an_answer(
    model: EmbeddedSegmenter, text: str, size_hw: tuple[int, int]
) -> None:
    model.set_image(np.full((*size_hw, 3), 90, np.uint8))
    answer = model.answer(text)
    assert answer.masks.size_hw == size_hw
    assert all(0 <= score <= 1 for score in answer.scores)


def test_load_gives_the_shipped_model_and_names_what_is_missing() -> None:
    model = askmask.load()
    assert model.model_id == NAME
    assert model.weights_hash == EmbeddedWeights(NAME).sha256
    with pytest.raises(askmask.QueryError, match="set_image"):
        model.answer("the red jar")
