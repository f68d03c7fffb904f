"""The embedded model in five stages: proposer, candidates, selector, mask type, export.

Each stage has its own folder and resumes by itself, so the whole can be interrupted anywhere and
asked for again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, get_args

from askmask.formats.files import read_json, write_json
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.text_net import TextTower
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.build import TRAINING_SEEDS
from askmask.pantry.language.banks import Pool
from askmask.training.budget import Budget
from askmask.training.calibrate import calibrate
from askmask.training.candidates import CachedScene, cache_renders, cache_scenes, read_shard
from askmask.training.export import (
    export_image,
    export_mask_type,
    export_selector,
    export_words,
    seal,
)
from askmask.training.loop import LoopSettings, TrainingTask, fit
from askmask.training.mask_type import MaskTypeRecipe, MaskTypeTask
from askmask.training.placement import Placement
from askmask.training.proposer import ProposerRecipe, ProposerTask
from askmask.training.run import TrainingRun
from askmask.training.samples import VALIDATION_SEEDS
from askmask.training.selector import Example, SelectorRecipe, SelectorTask
from askmask.training.start import load_start, weights_of
from askmask.training.words import cache_words

__all__ = ["STAGES", "EmbeddedRecipe", "EmbeddedTraining", "Progress"]

STAGES = ("proposer", "selector", "mask-type")
"""Stages that can be trained alone."""

Progress = Callable[[str], None]
"""Told of each stage."""


@dataclass(frozen=True)
class EmbeddedRecipe:
    """The embedded model: proposer, cached candidates, selector, mask type, export.

    Attributes:
        proposer: settings of the first training.
        selector: settings of the second.
        mask_type: settings of the third.
        shares: parts of the budget that the three get; caching is not counted.
        image_from: weights whose proposer is taken as it is; then the others share the budget.
        start_from: run folder whose checkpoints the trained stages start from, or finished weights.
        only: those of `STAGES` that are trained and share the budget; all if none is named. The
            others are those of `start_from`; without it the stages are measured and nothing is
            exported.
        validate: benchmark folder of rendered scenes that are measured (".val") and calibrated on;
            without it, calibration is on held-out composed scenes.
        config: sizes and thresholds.
        default_budget: when `--budget` is not given.
    """

    proposer: ProposerRecipe = field(default_factory=ProposerRecipe)
    selector: SelectorRecipe = field(default_factory=SelectorRecipe)
    mask_type: MaskTypeRecipe = field(default_factory=MaskTypeRecipe)
    shares: tuple[float, float, float] = (0.32, 0.48, 0.20)
    image_from: str | None = None
    start_from: str | None = None
    only: tuple[str, ...] = ()
    validate: str | None = None
    config: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    default_budget: str = "110m"


class _Examples(NamedTuple):
    """Sentences about composed scenes, rendered scenes, and scenes held out.

    Attributes:
        rendered: those of each folder.
        held_out: about composed scenes for each pool of wordings, "val" about rendered ones.
    """

    learnt: list[Example]
    rendered: list[list[Example]]
    held_out: dict[str, list[Example]]


class EmbeddedTraining:
    """The stages of `EmbeddedRecipe`, one after the other; each goes on where it stopped."""

    def __init__(
        self,
        recipe: EmbeddedRecipe,
        out: Path,
        budget: Budget,
        resume: bool,
        place: Placement,
        say: Progress,
    ) -> None:
        self.recipe, self.out, self.budget = recipe, out, budget
        self.resume, self.place, self.say = resume, place, say
        self.weights, self._networks = out / "weights", out / "networks"
        self.described = asdict(recipe)  # without the budget, which a resume may enlarge
        self.measured: dict[str, float] = {}

    def train(self) -> Path:
        """Run what is left of the stages; return the folder with the weights, or the run's."""
        if (finished := self._finished()) is not None:
            self.say(f"finished before: {self.out}")
            return finished
        self.out.mkdir(parents=True, exist_ok=True)
        if self._keeps:
            self._keep()
        self._proposer()
        selector, mask_type = None, None
        if self._trained != {"proposer"}:
            examples = self._examples()
            selector = self._selector(examples) if "selector" in self._trained else None
            mask_type = self._mask_type(examples) if "mask-type" in self._trained else None
        if self.recipe.only and not self._keeps:
            return self._summed_up()
        self.say("5/5 calibration and export")
        config = EmbeddedConfig.from_json(read_json(self.weights / "config.json"))
        if not self._keeps:
            export_words(self._tower, config, self.weights)
        if mask_type is not None:
            export_mask_type(mask_type.model, config, self.weights / "mask_type.onnx")
            mask_type.model.save_pretrained(self._networks / "mask-type")
        if selector is not None:
            held_out = "train" if self.recipe.validate is None else "val"
            config = calibrate(self.recipe.config, selector.judge(held_out))
            export_selector(selector.model, config, self.weights / "selector.onnx")
            selector.model.save_pretrained(self._networks / "selector")
        self._summed_up(sha256=seal(self.weights, config))
        return self.weights

    @property
    def _trained(self) -> set[str]:
        """Stages of this run."""
        kept = set() if self.recipe.image_from is None else {"proposer"}
        return set(self.recipe.only or STAGES) - kept

    @property
    def _keeps(self) -> bool:
        """Whether what is not trained is taken from finished weights."""
        return bool(self.recipe.only) and self.recipe.start_from is not None

    def _finished(self) -> Path | None:
        """What `train` returned, if the same was trained to the end before."""
        summary = self.out / "run.json"
        if not self.resume or not summary.exists():
            return None
        before = read_json(summary)
        asked = {"recipe": self.described, "budget": str(self.budget)}
        if json.loads(json.dumps(asked)) != {key: before.get(key) for key in asked}:
            return None
        return self.weights if "sha256" in before else self.out

    def _summed_up(self, **more: str) -> Path:
        """Write `run.json`."""
        summary = {"recipe": self.described, "budget": str(self.budget), **more}
        write_json(self.out / "run.json", {**summary, "held_out": self.measured})
        return self.out

    @cached_property
    def _tower(self) -> TextTower:
        return TextTower.from_minilm().eval()

    def _share(self, stage: str) -> Budget:
        """Budget of one of `STAGES`."""
        shares = dict(zip(STAGES, self.recipe.shares, strict=True))
        return self.budget.share(shares[stage] / sum(shares[each] for each in self._trained))

    def _fit(self, stage: str, task: TrainingTask, settings: LoopSettings) -> None:
        """Train a stage, from where `start_from` is."""
        if self.recipe.start_from is not None:
            load_start(task.model, self.recipe.start_from, stage)
        described = {**self.described, "stage": stage}
        run = TrainingRun(self.out / stage, described, resume=self.resume)
        self.measured.update(fit(task, run, self._share(stage), settings, self.place))

    def _proposer(self) -> None:
        image = self.weights / "image.onnx"
        if "proposer" in self._trained:
            self.say(f"1/5 proposer, {self._share('proposer')}")
            proposer = ProposerTask(self.recipe.proposer, self.recipe.config, self.recipe.validate)
            self._fit("proposer", proposer, self.recipe.proposer.loop)
            self.weights.mkdir(exist_ok=True)
            export_image(proposer.model.net, image)
            proposer.model.net.save_pretrained(self._networks / "proposer")
        elif self.recipe.image_from is not None:
            self.say(f"1/5 proposer of {self.recipe.image_from}")
            source = EmbeddedWeights(self.recipe.image_from)
            self.weights.mkdir(exist_ok=True)
            shutil.copyfile(source.path("image.onnx"), image)
        if not self._keeps:
            write_json(self.weights / "config.json", self.recipe.config.to_json())

    def _keep(self) -> None:
        """Take the files of finished weights; what is trained replaces its own."""
        start = str(self.recipe.start_from)
        self.say(f"weights of {start}, all but {', '.join(self.recipe.only)}")
        source = EmbeddedWeights(weights_of(start))
        source.verify()
        self.weights.mkdir(exist_ok=True)
        for name in source.files:
            shutil.copyfile(source.path(name), self.weights / name)

    def _examples(self) -> _Examples:
        settings = self.recipe.selector
        self.say(f"2/5 candidates and words of {settings.scenes} scenes")
        learnt = self._composed(TRAINING_SEEDS, settings.scenes, "train")
        held_out = {
            str(pool): self._composed(VALIDATION_SEEDS, settings.validation_scenes, pool)
            for pool in get_args(Pool)
        }
        if self.recipe.validate is not None:
            held_out["val"] = self._rendered(Path(self.recipe.validate))
        rendered = [
            self._rendered(Path(folder), settings.render_per_scene)
            for folder in self.recipe.proposer.renders
        ]
        return _Examples(learnt, rendered, held_out)

    def _rendered(self, folder: Path, per_scene: int = 0) -> list[Example]:
        shards = cache_renders(
            str(self.weights),
            folder,
            self.out / "candidates",
            per_scene=per_scene,
            progress=lambda done, count: self.say(
                f"    candidates of {folder.name}: shard {done} of {count}"
            ),
        )
        return self._in_words(shards, folder.name)

    def _composed(self, first_seed: int, scenes: int, pool: Pool) -> list[Example]:
        shards = cache_scenes(
            str(self.weights),
            self.out / "candidates" / str(first_seed),
            first_seed=first_seed,
            scenes=scenes,
            per_scene=self.recipe.selector.per_scene,
            pool=pool,
            progress=lambda done, count: self.say(f"    candidates: shard {done} of {count}"),
        )
        return self._in_words(shards, f"{pool} wordings")

    def _in_words(self, shards: Sequence[Path], name: str) -> list[Example]:
        """Read shards, and what the text tower says of their sentences."""
        found = []
        for number, path in enumerate(shards, 1):
            found += self._with_words(read_shard(path), path.with_suffix(".words.npy"))
            if number % 10 == 0:
                self.say(f"    words of {name}: shard {number} of {len(shards)}")
        return found

    def _with_words(self, scenes: Sequence[CachedScene], path: Path) -> list[Example]:
        pairs = [(scene, query) for scene in scenes for query in scene.queries]
        texts = [query.text for _, query in pairs]
        words = cache_words(self._tower, texts, path, self.recipe.config.max_words, self.place)
        return [Example(*pair, states) for pair, states in zip(pairs, words, strict=True)]

    def _selector(self, examples: _Examples) -> SelectorTask:
        self.say(f"3/5 selector, {self._share('selector')}")
        recipe = self.recipe
        task = SelectorTask(recipe.selector, recipe.config, *examples)
        self._fit("selector", task, recipe.selector.loop)
        return task

    def _mask_type(self, examples: _Examples) -> MaskTypeTask:
        self.say(f"4/5 mask type, {self._share('mask-type')}")
        task = MaskTypeTask(
            self.recipe.mask_type,
            self.recipe.config,
            self._tower,
            [one.query for one in examples.learnt],
            [one.query for folder in examples.rendered for one in folder],
            {name: [one.query for one in them] for name, them in examples.held_out.items()},
        )
        self._fit("mask-type", task, self.recipe.mask_type.loop)
        return task
