"""The committed recipes: from nothing to exported weights.

A recipe is a chain of stages. Each stage has its own folder and resumes by itself, so the whole
can be interrupted anywhere and asked for again.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from askmask.errors import ConfigError, MissingExtraError
from askmask.formats.files import write_json
from askmask.models.embedded.config import EmbeddedConfig
from askmask.training.budget import Budget
from askmask.training.proposer import ProposerRecipe
from askmask.training.selector import SelectorRecipe

__all__ = ["RECIPES", "EmbeddedRecipe", "train"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class EmbeddedRecipe:
    """The embedded model: proposer, cached candidates, selector, export.

    Attributes:
        proposer: settings of the first training.
        selector: settings of the second.
        proposer_share: part of the budget that the proposer gets; caching is not counted.
        config: sizes and thresholds.
        default_budget: when `--budget` is not given.
    """

    proposer: ProposerRecipe = field(default_factory=ProposerRecipe)
    selector: SelectorRecipe = field(default_factory=SelectorRecipe)
    proposer_share: float = 0.52
    config: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    default_budget: str = "70m"


RECIPES: dict[str, EmbeddedRecipe] = {
    "embedded-v1": EmbeddedRecipe(),
    # The whole chain in a minute or two, to see that it works; the weights are of no use.
    "embedded-smoke": EmbeddedRecipe(
        proposer=ProposerRecipe(batch=4, validation_scenes=4),
        selector=SelectorRecipe(scenes=8, per_scene=8, batch=16, validation_scenes=4),
        default_budget="8 steps",
    ),
}


def train(
    name: str,
    out: Path,
    *,
    budget: str | None = None,
    renders: Sequence[Path] = (),
    resume: bool = False,
    say: Progress = lambda message: None,
) -> Path:
    """Run a recipe.

    Args:
        name: key of `RECIPES`.
        out: run folder; gets one folder a stage and the exported weights.
        budget: e.g. "40m" or "5000 steps"; see `Budget.parse`.
        renders: benchmark folders of rendered scenes with written queries to mix in.
        resume: go on in `out`.
        say: told of each stage.

    Returns:
        The folder with the exported weights.

    Raises:
        ConfigError: for an unknown recipe, or a run folder of another one.
        MissingExtraError: when torch is not installed.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"unknown recipe {name!r}, there are {', '.join(RECIPES)}{hint}")
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("torch", "train", "training") from error
    recipe = RECIPES[name]
    given = tuple(str(folder) for folder in renders)
    recipe = replace(recipe, proposer=replace(recipe.proposer, renders=given))
    total = Budget.parse(budget or recipe.default_budget)
    return _train_embedded(recipe, out, total, resume, say)


def _train_embedded(
    recipe: EmbeddedRecipe, out: Path, budget: Budget, resume: bool, say: Progress
) -> Path:
    from askmask.pantry.build import TRAINING_SEEDS
    from askmask.training.calibrate import calibrate
    from askmask.training.candidates import cache_renders, cache_scenes, read_shard
    from askmask.training.export import export_image, export_sentence, seal
    from askmask.training.loop import fit
    from askmask.training.proposer import ProposerTask
    from askmask.training.run import TrainingRun
    from askmask.training.samples import VALIDATION_SEEDS
    from askmask.training.selector import SelectorTask

    weights = out / "weights"
    described = asdict(recipe)  # without the budget, which a resume may enlarge

    say(f"1/4 proposer, {budget.share(recipe.proposer_share)}")
    run = TrainingRun(out / "proposer", {**described, "stage": "proposer"}, resume=resume)
    proposer = ProposerTask(recipe.proposer, recipe.config)
    measured = fit(proposer, run, budget.share(recipe.proposer_share))
    weights.mkdir(exist_ok=True)
    export_image(proposer.model.net, weights / "image.onnx")
    write_json(weights / "config.json", recipe.config.to_json())

    say(f"2/4 candidates of {recipe.selector.scenes} scenes")
    settings = recipe.selector

    def shards(first_seed: int, scenes: int) -> list[Path]:
        return cache_scenes(
            str(weights),
            out / "candidates" / str(first_seed),
            first_seed=first_seed,
            scenes=scenes,
            per_scene=settings.per_scene,
            pool="train",
            progress=lambda done, count: say(f"    shard {done} of {count}"),
        )

    learnt = [
        scene for path in shards(TRAINING_SEEDS, settings.scenes) for scene in read_shard(path)
    ]
    held_out = [
        scene
        for path in shards(VALIDATION_SEEDS, settings.validation_scenes)
        for scene in read_shard(path)
    ]
    rendered = list(cache_renders(str(weights), [Path(f) for f in recipe.proposer.renders]))

    say(f"3/4 selector, {budget.share(1 - recipe.proposer_share)}")
    run = TrainingRun(out / "selector", {**described, "stage": "selector"}, resume=resume)
    selector = SelectorTask(settings, recipe.config, learnt, rendered, held_out)
    measured = {**measured, **fit(selector, run, budget.share(1 - recipe.proposer_share))}

    say("4/4 calibration and export")
    config = calibrate(recipe.config, selector.judge())
    export_sentence(selector.model, config, weights)
    digest = seal(weights, config)
    summary = {"recipe": described, "budget": str(budget), "sha256": digest, "held_out": measured}
    write_json(out / "run.json", summary)
    return weights
