"""RAS on a tiny language model learns which candidates belong, and what it saves does so too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from tiny_chats import save_tiny  # noqa: E402
from toy_studied import toy_data  # noqa: E402

from askmask.errors import ConfigError, DataError  # noqa: E402
from askmask.formats.askmask import read_queries, write_queries  # noqa: E402
from askmask.models.hub.loading import Where  # noqa: E402
from askmask.models.hub.lora import LoraSettings  # noqa: E402
from askmask.models.hub.ras import RasSelector  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.epochs import train_epochs  # noqa: E402
from askmask.training.hub_ras import belonging  # noqa: E402
from askmask.training.hub_tune import Lesson, TuneRecipe, TuneTask  # noqa: E402
from askmask.training.loop import LoopSettings  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.types import Masks  # noqa: E402

PLACE = Placement().staying()


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> TuneRecipe:
    """Some ask for the red block, some for the blue one."""
    folder = tmp_path_factory.mktemp("ras")
    data = toy_data(folder / "data", pictures=2, scale=4)
    queries = data / "queries-train.jsonl"
    asked = ("the visible part of the red block", "the visible part of the blue block")
    write_queries(queries, [one for one in read_queries(queries) if one.text in asked])
    layers = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj")
    return TuneRecipe(
        "askmask.training.hub_ras:RasLearner",
        base=str(save_tiny("qwen3_vl", folder / "base", layers=2)),
        data=(str(data),),
        validate=str(data),
        learning_rate=3e-3,
        lora=LoraSettings(rank=16, alpha=32, dropout=0.0, layers=layers),
        loop=LoopSettings(
            warmup_steps=20,
            clip_norm=1.0,
            accumulate=2,
            evaluate_steps=60,
            best_by="gIoU",
            log_seconds=1e9,
        ),
    )


@torch.no_grad()
def total(task: TuneTask, batches: list[Lesson]) -> float:
    return sum(float(task.loss(batch)["select"]) for batch in batches)


def test_it_learns_and_what_it_saves_answers_the_same(recipe: TuneRecipe, tmp_path: Path) -> None:
    task = TuneTask(recipe, PLACE)
    before = task.evaluate()
    batches = list(task.batches(range(4), 0.0))
    loss = total(task, batches)
    weights = train_epochs(task, recipe, tmp_path, Budget.parse("60 epochs"), False, PLACE)
    assert total(task, batches) < 0.2 * loss
    learnt = json.loads((tmp_path / "run.json").read_text())["held_out"]
    assert learnt["gIoU"] > 0.9 > before["gIoU"]
    state = torch.load(tmp_path / "training" / "checkpoint.pt", weights_only=True)["model"]
    assert all("lora_" in name or ".tokens." in name for name in state)
    assert any("lora_" in name for name in state)
    again = RasSelector.load(str(weights), Where("cpu"))
    for lesson in batches:
        one = task.learner.answer(lesson)
        candidates = task.learner._candidates(lesson)
        other = again.select(lesson.image, candidates, lesson.record.to_query())
        assert one.masks.rles == other.masks.rles
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_without_adapters_only_the_projector_learns(recipe: TuneRecipe, tmp_path: Path) -> None:
    task = TuneTask(replace(recipe, lora=LoraSettings(rank=0)), PLACE)
    assert all(name.startswith("network.tokens.") for name in task.model.state_dict())
    task.save_pretrained(tmp_path)
    assert not (tmp_path / "adapter").exists()
    RasSelector.load(str(tmp_path), Where("cpu"))


def test_candidates_of_a_model_and_lessons_that_none_of_them_can_teach(recipe: TuneRecipe) -> None:
    task = TuneTask(replace(recipe, pool="embedded-v1"), PLACE)
    lesson: Lesson = next(task.batches(range(1), 0.0))
    candidates = task.learner._candidates(lesson)
    assert set(candidates.features)  # of the embedded proposer
    assert torch.isfinite(task.loss(lesson)["select"])
    blank = lesson._replace(image=np.zeros_like(lesson.image))
    loss = task.loss(blank)["select"]
    assert loss.item() == 0
    loss.backward()  # part of a step like any other
    with pytest.raises(ConfigError, match="model 'nobody' is not known"):
        TuneTask(replace(recipe, pool="nobody"), PLACE)


def test_candidates_belong_by_their_visible_part(recipe: TuneRecipe) -> None:
    lesson: Lesson = next(TuneTask(recipe, PLACE).batches(range(1), 0.0))
    objects = lesson.studied.objects
    modal = Masks.from_rles([one.modal for one in objects], lesson.image.shape[:2])
    assert belonging(modal, lesson.record).tolist() == [
        one.category == lesson.record.targets[0].category for one in objects
    ]
    assert not belonging(modal, replace(lesson.record, targets=())).any()


def test_data_without_objects_needs_a_model_that_finds_some(recipe: TuneRecipe) -> None:
    task = TuneTask(recipe, PLACE)
    lesson: Lesson = next(task.batches(range(1), 0.0))
    with pytest.raises(ConfigError, match="no annotated objects to choose among; let a model"):
        task.loss(lesson._replace(studied=replace(lesson.studied, objects=())))


def test_data_without_sentences(recipe: TuneRecipe, tmp_path: Path) -> None:
    folder = toy_data(tmp_path, pictures=1)
    (folder / "queries-train.jsonl").unlink()
    with pytest.raises(DataError, match="holds no sentences to learn from"):
        TuneTask(replace(recipe, data=(str(folder),), validate=None), PLACE)
