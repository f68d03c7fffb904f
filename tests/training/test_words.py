"""Sentences encoded once, and the sentences that teach the mask type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.text_net import TextTower
from askmask.models.embedded.words_net import WordsNet
from askmask.training.candidates import CachedQuery
from askmask.training.mask_type import MaskTypeRecipe, MaskTypeTask
from askmask.training.words import cache_words, pad_ids, tokenizer

TEXTS = ["the red jar", "only what the box hides of the two tins, please", "mug"]
ASKED = [CachedQuery(text, (), (), number, 0, phrase=text) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def tower() -> TextTower:
    return TextTower.from_minilm().eval()


def test_cached_words_are_those_of_each_sentence_alone(tower: TextTower, tmp_path: Path) -> None:
    path = tmp_path / "words.npy"
    found = cache_words(tower, TEXTS, path, max_words=128)
    for text, words in zip(TEXTS, found, strict=True):
        ids, valid = pad_ids([tokenizer(128).encode(text).ids])
        with torch.no_grad():
            alone = WordsNet(tower)(ids, valid).upper[0].numpy()
        assert words.shape == alone.shape
        np.testing.assert_allclose(words.astype(np.float32), alone, atol=0.01)


def test_words_are_read_again_but_not_for_other_sentences(tower: TextTower, tmp_path: Path) -> None:
    path = tmp_path / "words.npy"
    first = cache_words(tower, TEXTS, path, max_words=128)
    written = path.stat().st_mtime_ns
    again = cache_words(tower, TEXTS, path, max_words=128)
    assert path.stat().st_mtime_ns == written
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert len(cache_words(tower, TEXTS[:1], path, max_words=128)) == 1
    assert {one.name for one in tmp_path.iterdir()} == {"words.npy", "words.ends.npy"}


def test_words_of_other_sentences_of_the_same_length_are_not_taken(
    tower: TextTower, tmp_path: Path
) -> None:
    path = tmp_path / "words.npy"
    (red,) = cache_words(tower, ["the red jar"], path, max_words=128)
    red = red.copy()
    (blue,) = cache_words(tower, ["the blue jar"], path, max_words=128)
    assert red.shape == blue.shape
    assert not (red == blue).all()


def test_words_that_were_kept_without_a_hash_are_taken(tower: TextTower, tmp_path: Path) -> None:
    path = tmp_path / "words.npy"
    cache_words(tower, TEXTS, path, max_words=128)
    path.with_suffix(".ends.npy").unlink()
    written = path.stat().st_mtime_ns
    cache_words(tower, TEXTS, path, max_words=128)
    assert path.stat().st_mtime_ns == written


def _task(tower: TextTower, recipe: MaskTypeRecipe | None = None) -> MaskTypeTask:
    return MaskTypeTask(
        recipe or MaskTypeRecipe(batch=4), EmbeddedConfig(), tower, ASKED, [], {"test": ASKED}
    )


def test_mask_type_batches_depend_on_their_number_only(tower: TextTower) -> None:
    task = _task(tower)
    batches = task.batches(range(6), 0.0)
    sixth = [next(batches) for _ in range(6)][5]
    resumed = next(task.batches(range(5, 6), 0.5))
    assert torch.equal(sixth.ids, resumed.ids)
    assert torch.equal(sixth.mask_type, resumed.mask_type)


def test_mask_type_learns_a_handful_of_sentences(tower: TextTower) -> None:
    task = _task(tower, MaskTypeRecipe(batch=8, learning_rate=3e-4))
    optimiser = torch.optim.AdamW(task.parameter_groups())
    batch = next(task.batches(range(1), 0.0))
    first = float(task.loss(batch)["type"].detach())
    for _ in range(6):
        optimiser.zero_grad()
        task.loss(batch)["type"].backward()
        optimiser.step()
    assert float(task.loss(batch)["type"].detach()) < 0.7 * first
