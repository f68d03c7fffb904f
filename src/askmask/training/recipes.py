"""The committed recipes by name: from nothing to exported weights."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from askmask.errors import ConfigError
from askmask.models.completer.config import CompleterConfig
from askmask.models.hub.lora import LoraSettings
from askmask.models.system_weights import SYSTEMS
from askmask.training.budget import Budget
from askmask.training.completer import CompleterRecipe, train_completer
from askmask.training.embedded import STAGES, EmbeddedRecipe, EmbeddedTraining, Progress
from askmask.training.epochs import train_epochs
from askmask.training.hub_amodal import AmodalSamRecipe, AmodalSamTask
from askmask.training.hub_tune import TuneRecipe, TuneTask
from askmask.training.loop import LoopSettings
from askmask.training.mask_type import MaskTypeRecipe
from askmask.training.overrides import overridden
from askmask.training.placement import Placement
from askmask.training.proposer import ProposerRecipe
from askmask.training.selector import SelectorRecipe
from askmask.training.system import DAGGER, SystemRecipe, train_system

__all__ = ["RECIPES", "train"]


_AVERAGED = LoopSettings(average=0.999)


def _systems() -> dict[str, SystemRecipe]:
    """For each system: modal masks alone, and from there all mask types; for a CPU and a GPU."""
    found: dict[str, SystemRecipe] = {}
    for name in SYSTEMS:
        base = SystemRecipe(name)
        large = replace(base, size="base", pictures=16, sentences=8, default_budget="4h")
        found |= {name: base, f"{name}-dagger": replace(base, types=DAGGER)}
        found |= {f"{name}-large": large, f"{name}-large-dagger": replace(large, types=DAGGER)}
        found[f"{name}-smoke"] = replace(
            base,
            size="tiny",
            types=DAGGER,
            pictures=2,
            sentences=3,
            validation_pictures=2,
            workers=0,
            default_budget="3 steps",
        )
    return found


def _hub_r2sm() -> dict[str, TuneRecipe]:
    """What R2SM fine-tunes, with its learning rates, batches and schedules (appendix A)."""

    def adapted(learner: str, base: str, rate: float, batch: int) -> TuneRecipe:
        recipe = TuneRecipe(f"askmask.training.hub_spoken:{learner}", base, learning_rate=rate)
        return replace(recipe, loop=replace(recipe.loop, accumulate=batch))

    def whole(learner: str, base: str, rate: float, schedule: str) -> TuneRecipe:
        recipe = TuneRecipe(f"askmask.training.{learner}", base, learning_rate=rate)
        loop = replace(recipe.loop, accumulate=8, schedule=schedule)
        return replace(recipe, lora=LoraSettings(rank=0), loop=loop)

    return {
        "hub:lisa": adapted("LisaLearner", "xinlai/LISA-7B-v1", 3e-4, 2),
        "hub:glamm": adapted("GlammLearner", "MBZUAI/GLaMM-FullScope", 3e-4, 2),
        "hub:pixellm": adapted("PixellmLearner", "maverickrzw/PixelLM-7B", 1e-5, 4),
        "hub:psalm": whole("hub_psalm:PsalmLearner", "EnmingZhang/PSALM", 6e-5, "cosine"),
        "hub:rela": whole("hub_rela:RelaLearner", "", 1e-5, "step"),  # on no hub
    }


RECIPES: dict[
    str, EmbeddedRecipe | CompleterRecipe | SystemRecipe | AmodalSamRecipe | TuneRecipe
] = {
    "embedded": EmbeddedRecipe(),
    # As much as a GPU and sixteen cores can use in half an hour; untried so far.
    "embedded-gpu": EmbeddedRecipe(
        proposer=ProposerRecipe(batch=24, positives=280, looks=4, loop=_AVERAGED),
        selector=SelectorRecipe(scenes=40_000, batch=256, loop=_AVERAGED),
        mask_type=MaskTypeRecipe(batch=128),
        default_budget="20m",
    ),
    # The whole chain in a minute or two, to see that it works; the weights are of no use.
    "embedded-smoke": EmbeddedRecipe(
        proposer=ProposerRecipe(batch=4, validation_scenes=4),
        selector=SelectorRecipe(scenes=8, per_scene=8, batch=16, validation_scenes=4),
        mask_type=MaskTypeRecipe(batch=4),
        shares=(0.4, 0.4, 0.2),
        default_budget="10 steps",
    ),
    "completer": CompleterRecipe(),
    "completer-smoke": CompleterRecipe(
        scenes=1,
        crops=4,
        small_cells=48,
        validation_scenes=2,
        workers=0,
        config=CompleterConfig(cells=64, widths=(8, 8, 8, 8)),
        default_budget="4 steps",
    ),
    **_systems(),
    # On published models; see docs/hub-training.md.
    "hub:amodal-sam": AmodalSamRecipe(),
    **_hub_r2sm(),
    "hub:ras": TuneRecipe("askmask.training.hub_ras:RasLearner", "Qwen/Qwen2.5-VL-3B-Instruct"),
}


def train(
    name: str,
    out: Path,
    *,
    budget: str | None = None,
    renders: Sequence[Path] = (),
    data: Sequence[Path] = (),
    images: Path | None = None,
    base: str | None = None,
    image_from: str | None = None,
    start_from: Path | None = None,
    only: Sequence[str] = (),
    validate: Path | None = None,
    settings: Sequence[str] = (),
    seed: int | None = None,
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
    say: Progress = lambda message: None,
) -> Path:
    """Run a recipe.

    Args:
        name: key of `RECIPES`.
        out: run folder; gets one folder a stage and the exported weights.
        budget: e.g. "base", "40m" or "5000 steps"; see `Budget.parse`.
        renders: benchmark folders of rendered scenes with written queries to mix in.
        data: data sets that a recipe on a published model learns from.
        images: folder of their pictures, where they lie elsewhere.
        base: published model, a hub repository or a folder, instead of the recipe's own.
        image_from: name or folder of embedded weights whose proposer is kept, so that only what
            reads sentences is trained; a system starts with its eyes, and takes its candidates.
        start_from: run folder of the same recipe whose checkpoints the trained stages start from,
            e.g. to go on with more data; of the embedded model also finished weights.
        only: those of `STAGES` to train; weights are exported if `start_from` has the others.
        validate: benchmark folder of rendered scenes to measure and calibrate on; of a recipe on a
            published model any data set.
        settings: values to change in the recipe, e.g. "proposer.hidden_weight=0".
        seed: of a system's parameters and pictures, instead of the recipe's own.
        resume: go on in `out`.
        device: where the training steps compute; see `Placement.named`.
        precision: in which they do; see there too.
        say: told of each stage.

    Returns:
        The folder with the exported weights; the run folder if none are exported.

    Raises:
        ConfigError: for an unknown recipe, stage or setting, a run folder of another one, or a
            device that is not there.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"unknown recipe {name!r}, there are {', '.join(RECIPES)}{hint}")
    recipe = overridden(RECIPES[name], settings)
    total = Budget.parse(budget or recipe.default_budget, recipe.default_budget)
    place = Placement.named(device, precision)
    if seed is not None and not isinstance(recipe, SystemRecipe):
        raise ConfigError(f"recipe {name}: --seed is for the seven systems; leave it out")
    if isinstance(recipe, AmodalSamRecipe | TuneRecipe):
        if renders or image_from is not None or only:
            raise ConfigError(
                f"recipe {name}: --renders, --image-from and --only are for other models; give "
                "data with --data, and the published model with --base"
            )
        recipe = replace(
            recipe,
            base=base or recipe.base,
            data=tuple(str(folder) for folder in data),
            images=None if images is None else str(images),
            validate=None if validate is None else str(validate),
            start_from=None if start_from is None else str(start_from),
        )
        staying = place.staying()
        task = (
            AmodalSamTask(recipe, staying)
            if isinstance(recipe, AmodalSamRecipe)
            else TuneTask(recipe, staying)
        )
        return train_epochs(task, recipe, out, total, resume, staying, say)
    if data or images is not None or base is not None:
        raise ConfigError(
            f"recipe {name}: --data, --images and --base are for recipes on published models, "
            f"{', '.join(each for each in RECIPES if each.startswith('hub:'))}; leave them out"
        )
    if isinstance(recipe, CompleterRecipe):
        if image_from is not None or only:
            raise ConfigError(
                f"recipe {name}: --image-from and --only are for the embedded model; leave them out"
            )
        recipe = replace(
            recipe,
            renders=tuple(str(folder) for folder in renders),
            start_from=None if start_from is None else str(start_from),
        )
        return train_completer(recipe, out, total, resume, place, say)
    if isinstance(recipe, SystemRecipe):
        if renders or only:
            raise ConfigError(
                f"recipe {name}: --renders and --only are for other models; leave them out"
            )
        recipe = replace(
            recipe,
            seed=recipe.seed if seed is None else seed,
            image_from=image_from,
            pool=recipe.pool if image_from is None else image_from,
            start_from=None if start_from is None else str(start_from),
        )
        return train_system(recipe, out, total, resume, place, say)
    if unknown := [stage for stage in only if stage not in STAGES]:
        raise ConfigError(f"--only: expected {', '.join(STAGES)}; got {', '.join(unknown)}")
    if image_from is not None and "proposer" in only:
        raise ConfigError("--only proposer and --image-from both name the proposer; leave one out")
    given = tuple(str(folder) for folder in renders)
    recipe = replace(
        recipe,
        proposer=replace(recipe.proposer, renders=given),
        image_from=image_from,
        start_from=None if start_from is None else str(start_from),
        only=tuple(only),
        validate=None if validate is None else str(validate),
    )
    return EmbeddedTraining(recipe, out, total, resume, place, say).train()
