"""Tiny GLaMM, PixelLM, PSALM and ReLA are fine-tuned end to end on a data set of R2SM's kind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from tiny_published import TINY  # noqa: E402
from torch import Tensor  # noqa: E402
from toy_studied import toy_data  # noqa: E402

from askmask.errors import ConfigError, WeightsError  # noqa: E402
from askmask.formats.askmask import read_queries, write_queries  # noqa: E402
from askmask.models.by_name import class_at  # noqa: E402
from askmask.models.hub.loading import Where  # noqa: E402
from askmask.models.hub.lora import LoraSettings  # noqa: E402
from askmask.models.registry import load  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.epochs import train_epochs  # noqa: E402
from askmask.training.hub_tune import Lesson, TuneRecipe, TuneTask  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.training.recipes import RECIPES  # noqa: E402

PLACE = Placement().staying()

NAMES = ("glamm", "pixellm", "psalm", "rela")

STEPS = {"glamm": 160, "pixellm": 90, "psalm": 40, "rela": 40}
"""Until a tiny one has learnt its picture."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture, and two sentences about the red block."""
    folder = toy_data(tmp_path_factory.mktemp("data"), pictures=1)
    queries = folder / "queries-train.jsonl"
    write_queries(queries, [one for one in read_queries(queries) if "red" in one.text])
    return folder


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory, data: Path) -> dict[str, TuneRecipe]:
    """What ships, on tiny models, and in more of a hurry."""
    found = {}
    for name in ("lisa", *NAMES):
        with torch.inference_mode():
            base = TINY[name](tmp_path_factory.mktemp(name))
        shipped = RECIPES[f"hub:{name}"]
        assert isinstance(shipped, TuneRecipe)
        hurried = replace(
            shipped.loop, warmup_steps=10, accumulate=1, evaluate_steps=20, log_seconds=0.0
        )
        found[name] = replace(
            shipped,
            base=base,
            data=(str(data),),
            validate=str(data),
            learning_rate=0.006 if shipped.lora.rank else 0.003,
            loop=hurried,
        )
    return found


def train(task: TuneTask, recipe: TuneRecipe, out: Path, steps: int, resume: bool = False) -> Path:
    return train_epochs(task, recipe, out, Budget.parse(f"{steps} steps", ""), resume, PLACE)


def losses(out: Path) -> list[float]:
    """Of each step, in all."""
    lines = [json.loads(x) for x in (out / "training" / "metrics.jsonl").read_text().splitlines()]
    told = {"step", "seconds"}
    return [
        sum(value for key, value in line.items() if key not in told)
        for line in lines
        if "evaluation" not in line
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_and_the_saved_folder_answers_the_same(
    recipes: dict[str, TuneRecipe], tmp_path: Path, name: str
) -> None:
    recipe = recipes[name]
    task = TuneTask(recipe, PLACE)
    before = task.evaluate()["gIoU"]
    weights = train(task, recipe, tmp_path / "run", STEPS[name])
    learnt = losses(tmp_path / "run")
    assert len(learnt) == STEPS[name]
    assert np.mean(learnt[-9:]) < 0.6 * np.mean(learnt[:9])
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["held_out"]["gIoU"]
    assert kept > before + 0.3

    task.model.eval()
    again = load(str(weights), device="cpu")
    for lesson in task.batches(range(2), 0.0):
        mine = task.learner.answer(lesson)
        again.set_image(lesson.image)
        theirs = again.answer(lesson.record.to_query())
        assert theirs.masks.rles == mine.masks.rles
        assert len(theirs) > 0
        assert theirs.mask_type is lesson.record.mask_type
        assert "visible masks only" not in (theirs.rationale or "")

    (weights / "heads.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"heads\.safetensors: does not fit"):
        load(str(weights), device="cpu")


@pytest.mark.parametrize("name", NAMES)
def test_after_an_interruption_it_goes_on_as_if_undisturbed(
    recipes: dict[str, TuneRecipe], tmp_path: Path, name: str
) -> None:
    steps, stop = 6, 4
    recipe = replace(recipes[name], validate=None, loop=replace(recipes[name].loop, best_by=""))
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train(TuneTask(recipe, PLACE), recipe, whole, steps)

    class Stopped(TuneTask):
        def loss(self, batch: Lesson) -> dict[str, Tensor]:
            if batch.number == stop:
                raise KeyboardInterrupt
            return super().loss(batch)

    with pytest.raises(KeyboardInterrupt):
        train(Stopped(recipe, PLACE), recipe, parted, steps)
    assert len(losses(parted)) == stop
    train(TuneTask(recipe, PLACE), recipe, parted, steps, resume=True)
    assert losses(parted) == pytest.approx(losses(whole), rel=1e-3)


LEARNING = {
    "lisa": {"to_prompt", "sam"},
    "glamm": {"to_prompt", "sam"},
    "pixellm": {"to_prompt", "projector", "maps", "decoder"},
    "psalm": {"language", "projector", "pixels", "queries"},
    "rela": {"words", "eyes", "mixers", "pixels", "regions"},
}
"""System -> parts that learn something beside adapters."""


@pytest.mark.parametrize("name", LEARNING)
def test_only_what_the_paper_trains_learns(recipes: dict[str, TuneRecipe], name: str) -> None:
    recipe = recipes[name]
    task = TuneTask(recipe, PLACE)
    names = [key for key, each in task.learner.network.named_parameters() if each.requires_grad]
    adapters = [key for key in names if "lora_" in key]
    assert {key.partition(".")[0] for key in names if "lora_" not in key} == LEARNING[name]
    assert all(key.startswith("sam.mask_decoder.") for key in names if key.startswith("sam."))
    assert all(key.startswith("words.encoder.") for key in names if key.startswith("words."))
    assert sum("lora_A" in key for key in adapters) == (4 if recipe.lora.rank else 0)

    parts = task.loss(next(task.batches(range(1), 0.0)))
    torch.stack(list(parts.values())).sum().backward()
    reached = [
        key for key, each in task.learner.network.named_parameters() if each.grad is not None
    ]
    assert {key.partition(".")[0] for key in reached if "lora_" not in key} == LEARNING[name]
    assert set(adapters) <= set(reached) <= set(names)


@pytest.mark.parametrize("name", LEARNING)
def test_a_sentence_that_means_nothing_is_learnt_too(
    recipes: dict[str, TuneRecipe], name: str
) -> None:
    task = TuneTask(recipes[name], PLACE)
    lesson = next(task.batches(range(1), 0.0))
    some = task.loss(lesson)
    none = task.loss(lesson._replace(record=replace(lesson.record, targets=())))
    assert all(part.isfinite() for part in none.values())
    if name == "psalm":
        assert none["mask"] == none["dice"] == 0
    if name == "rela":  # something and nothing share one probability
        sides = [(-10 * parts["none"].detach()).exp() for parts in (some, none)]
        assert float(sum(sides)) == pytest.approx(1, abs=1e-4)
    torch.stack(list(none.values())).sum().backward()


def test_adapters_of_psalm_leave_its_language_model(
    recipes: dict[str, TuneRecipe], tmp_path: Path
) -> None:
    recipe = replace(recipes["psalm"], lora=LoraSettings())
    task = TuneTask(recipe, PLACE)
    language = [key for key in task.model.state_dict() if ".language." in key]
    assert len(language) == 8
    assert all("lora_" in key for key in language)
    task.save_pretrained(tmp_path)
    load(str(tmp_path), device="cpu").set_image(np.zeros((48, 64, 3), np.uint8))


def test_a_base_that_cannot_be_used(recipes: dict[str, TuneRecipe], tmp_path: Path) -> None:
    recipe = recipes["rela"]
    with pytest.raises(ConfigError, match="--base: ReLA is on no hub; name the file"):
        TuneTask(replace(recipe, base=""), PLACE)
    with pytest.raises(ConfigError, match="ReLA has no option 'sides'"):
        TuneTask(replace(recipe, base=f"{recipe.base},sides=7"), PLACE)
    with pytest.raises(ConfigError, match="LISA has no option 'forced'"):
        TuneTask(replace(recipes["lisa"], base=f"{recipes['lisa'].base},forced=false"), PLACE)
    with pytest.raises(ConfigError, match="has no layers q_proj, v_proj"):
        TuneTask(replace(recipe, lora=LoraSettings()), PLACE)
    (tmp_path / "tuned.json").write_text('{"system": "sam", "base": ""}')
    with pytest.raises(
        WeightsError, match=r"expected one of the systems lisa, glamm, .* got 'sam'"
    ):
        load(str(tmp_path))


@pytest.mark.parametrize("name", LEARNING)
def test_what_learns_is_exact_where_the_rest_is_not(
    recipes: dict[str, TuneRecipe], name: str
) -> None:
    """As on a GPU: published weights in bfloat16, and steps under autocast."""
    recipe = recipes[name]
    exact, half = (
        class_at(recipe.learner)(recipe, Where("cpu", dtype)) for dtype in ("float32", "bfloat16")
    )
    lesson = next(TuneTask(recipe, PLACE).batches(range(1), 0.0))
    learnt = [each for each in half.network.parameters() if each.requires_grad]
    assert {each.dtype for each in learnt} == {torch.float32}
    with torch.autocast("cpu", torch.bfloat16):
        parts = half.loss(lesson)
    torch.stack(list(parts.values())).sum().backward()
    given = [each.grad for each in learnt if each.grad is not None]
    assert given
    assert all(each.isfinite().all() for each in given)
    for key, value in exact.loss(lesson).items():
        assert float(parts[key].detach()) == pytest.approx(
            float(value.detach()), rel=0.1, abs=0.01
        ), key
    assert len(half.answer(lesson)) > 0
