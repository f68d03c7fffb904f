"""The whole chain in small: proposer, candidates, selector, export, and what runs on it."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from askmask.errors import ConfigError, OutputError
from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.tokens import STEPS
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.build import build_scenes
from askmask.pantry.compose import compose
from askmask.pantry.language.folder import build_queries_folder
from askmask.pantry.sprites import SpriteBank
from askmask.training.candidates import read_shard
from askmask.training.recipes import train
from askmask.types import Masks, MaskType, Query


def test_an_unknown_recipe_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean embedded"):
        train("embeded", tmp_path)


@pytest.mark.parametrize(
    ("only", "message"),
    [
        (["words"], "--only: expected proposer, selector, mask-type; got words"),
        (["selector", "proposer"], "--only proposer and --image-from both name the proposer"),
    ],
)
def test_only_what_is_a_stage_and_not_kept_is_trained(
    tmp_path: Path, only: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train("embedded", tmp_path, only=only, image_from="embedded-v1")


@pytest.mark.parametrize("only", ["selector", "mask-type"])
def test_one_stage_alone_is_measured_and_nothing_exported(
    tmp_path: Path, run: Path, only: str
) -> None:
    out = tmp_path / "run"
    shutil.copytree(run / "candidates", out / "candidates")
    settings = ["selector.batch=4", "config.comparative=false"]
    image_from = str(run / "weights")
    found = train("embedded-smoke", out, image_from=image_from, only=[only], settings=settings)
    assert found == out
    summary = json.loads((out / "run.json").read_text())
    assert summary["recipe"]["selector"]["batch"] == 4
    measures = {name.partition(".")[0] for name in summary["held_out"]}
    assert measures == ({"type"} if only == "mask-type" else {"group", "one", "none", "some"})
    assert not (out / "weights" / "sha256.txt").exists()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run measured and calibrated on pictures of its own."""
    folder = tmp_path_factory.mktemp("chain")
    build_scenes(folder / "val", count=2, seed=1, size_hw=(120, 160))
    build_queries_folder(folder / "val", per_image=4)
    train("embedded-smoke", folder / "run", validate=folder / "val")
    return folder / "run"


def test_the_held_out_pictures_are_measured(run: Path) -> None:
    measured = json.loads((run / "run.json").read_text())["held_out"]
    for name in ("modal.val", "amodal.val", "group.val", "none.val", "type.val"):
        assert 0 <= measured[name] <= 1


def test_the_exported_weights_verify_and_answer(run: Path) -> None:
    weights = EmbeddedWeights(str(run / "weights"))
    weights.verify()
    model = EmbeddedSegmenter.load(str(run / "weights"))
    assert model.weights_hash == weights.sha256
    scene = compose(SpriteBank.load(), 5)
    model.set_image(scene.image)
    references = Masks.from_dense(scene.objects[0].modal[None])
    for query in ("the red jar", Query("everything like [1]", references), "où est le chat?"):
        answer = model.answer(query)
        assert answer.masks.size_hw == scene.image.shape[:2]
        assert sum(answer.mask_type_probability.values()) == pytest.approx(1, abs=1e-5)
        assert answer.seconds is not None
        assert answer.seconds > 0
    forced = model.answer(Query("the red jar", mask_type=MaskType.HIDDEN))
    assert forced.mask_type is MaskType.HIDDEN
    hidden, modal = forced.masks.dense(), forced.modal.dense()
    np.testing.assert_array_equal(hidden, forced.amodal.dense() & ~modal)
    assert set(model.mask_types(["the mug"])[0]) == set(MaskType)


def test_the_networks_are_there_for_torch(run: Path) -> None:
    for name, kind in (
        ("proposer", ProposerNet),
        ("selector", SelectorNet),
        ("mask-type", MaskTypeNet),
    ):
        network = kind.from_pretrained(run / "networks" / name)
        trained = torch.load(run / name / "checkpoint.pt", weights_only=True)["model"]
        own = {key.removeprefix("net."): value for key, value in trained.items()}
        for key, value in network.state_dict().items():
            assert torch.equal(value, own[key]), key


def test_a_used_run_folder_is_refused_and_resume_finishes_at_once(run: Path) -> None:
    with pytest.raises(OutputError, match="--resume"):
        train("embedded-smoke", run)
    said: list[str] = []
    again = partial(train, "embedded-smoke", run, validate=run.parent / "val", resume=True)
    assert again(say=said.append) == run / "weights"
    assert said == [f"finished before: {run}"]
    with pytest.raises(ConfigError, match=r"was made with other values of \['selector'\]"):
        again(settings=["selector.batch=3"])


def test_cached_candidates_hold_what_the_scene_says(run: Path) -> None:
    shards = sorted((run / "candidates").glob("*/*.npz"))
    scenes = [scene for shard in shards for scene in read_shard(shard)]
    assert len(scenes) == 8 + 2 * 4  # to learn from, and held out for either pool
    for scene in scenes:
        assert scene.queries
        for query in scene.queries:
            assert set(query.wanted) <= set(range(scene.candidates))
            assert len(query.wanted) == 0 or query.targets > 0
            assert all(row >= scene.candidates for row in query.references)
            assert query.steps is not None
            assert len(query.steps) == len(STEPS)
            assert all(set(step) <= set(range(scene.candidates)) for step in query.steps)
    assert any(query.phrase for scene in scenes for query in scene.queries)


def test_all_but_one_stage_can_be_kept(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run / "candidates", out / "candidates")
    weights = train("embedded-smoke", out, start_from=run, only=["mask-type"])
    assert weights == out / "weights"
    kept = EmbeddedWeights(str(weights))
    kept.verify()
    assert {path.name for path in out.iterdir()} == {
        "candidates", "mask-type", "networks", "run.json", "weights"
    }  # fmt: skip
    changed = {
        name
        for name in kept.files
        if kept.path(name).read_bytes() != (run / "weights" / name).read_bytes()
    }
    assert changed == {"mask_type.onnx"}
