"""A tiny SAM learns whole shapes; only its decoder does, and an interruption changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_proposers import sam1  # noqa: E402
from toy_studied import toy_data  # noqa: E402

from askmask.errors import ConfigError, DataError  # noqa: E402
from askmask.models.completion import load_completer  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.epochs import train_epochs  # noqa: E402
from askmask.training.hub_amodal import AmodalSamRecipe, AmodalSamTask  # noqa: E402
from askmask.training.loop import LoopSettings  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402

PLACE = Placement().staying()


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> AmodalSamRecipe:
    folder = tmp_path_factory.mktemp("amodal")
    data = str(toy_data(folder / "data", pictures=1))
    return AmodalSamRecipe(
        base=sam1(folder / "sam"),
        data=(data,),
        validate=data,
        learning_rate=6e-3,
        loop=LoopSettings(
            warmup_steps=20, clip_norm=1.0, evaluate_steps=40, best_by="amodal-IoU", log_seconds=1e9
        ),
    )


@torch.no_grad()
def total(task: AmodalSamTask, batch: Any) -> float:
    return float(sum(task.loss(batch).values()))


def test_the_hidden_part_is_learnt_by_the_decoder_alone(
    recipe: AmodalSamRecipe, tmp_path: Path
) -> None:
    task = AmodalSamTask(recipe, PLACE)
    frozen = {
        name: value.clone()
        for name, value in task.completer.sam.model.state_dict().items()
        if not name.startswith("mask_decoder")
    }
    batch = next(task.batches(range(1), 0.0))
    before = total(task, batch)
    measured = task.evaluate()
    weights = train_epochs(task, recipe, tmp_path, Budget.parse("200 epochs"), False, PLACE)
    assert total(task, batch) < 0.7 * before
    learnt = json.loads((tmp_path / "run.json").read_text())["held_out"]
    assert learnt["amodal-IoU"] > measured["amodal-IoU"] + 0.1
    assert learnt["hidden-IoU"] > measured["hidden-IoU"] + 0.2
    for name, value in frozen.items():
        assert torch.equal(value, task.completer.sam.model.state_dict()[name])
    state = torch.load(tmp_path / "training" / "checkpoint.pt", weights_only=True)["model"]
    assert {name.split(".")[1] for name in state} == {"mask_decoder"}
    assert load_completer(str(weights)).model_id == str(weights)


class Interrupted(AmodalSamTask):
    """Is stopped at its third batch."""

    def loss(self, batch):  # type: ignore[no-untyped-def]
        if self.stops and next(self.stops):
            raise KeyboardInterrupt
        return super().loss(batch)

    stops = None


def test_an_interrupted_training_ends_as_an_undisturbed_one(
    recipe: AmodalSamRecipe, tmp_path: Path
) -> None:
    budget = Budget.parse("4 epochs")
    train_epochs(AmodalSamTask(recipe, PLACE), recipe, tmp_path / "a", budget, False, PLACE)
    task = Interrupted(recipe, PLACE)
    task.stops = iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        train_epochs(task, recipe, tmp_path / "b", budget, False, PLACE)
    assert not (tmp_path / "b" / "weights").exists()
    train_epochs(AmodalSamTask(recipe, PLACE), recipe, tmp_path / "b", budget, True, PLACE)
    whole, rest = (
        torch.load(tmp_path / name / "training" / "checkpoint.pt", weights_only=True)["model"]
        for name in "ab"
    )
    assert all(torch.equal(whole[name], rest[name]) for name in whole)


def test_without_data_to_measure_on_pictures_are_held_back(
    recipe: AmodalSamRecipe, tmp_path: Path
) -> None:
    alone = replace(recipe, data=(str(toy_data(tmp_path, pictures=6)),), validate=None)
    task = AmodalSamTask(alone, PLACE)
    assert (task.epoch, task.measured) == (5, True)
    one = AmodalSamTask(replace(recipe, validate=None), PLACE)
    assert (one.epoch, one.measured) == (1, False)


def test_what_cannot_be_learnt_from(recipe: AmodalSamRecipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data: expected a data set to learn from"):
        AmodalSamTask(replace(recipe, data=()), PLACE)
    folder = toy_data(tmp_path, pictures=1)
    lines = (folder / "entities-train.jsonl").read_text()
    record = json.loads(lines)
    for one in record["entities"]:
        one["amodal"] = None
    (folder / "entities-train.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(DataError, match="holds no amodal masks to learn from"):
        AmodalSamTask(replace(recipe, data=(str(folder),), validate=None), PLACE)
