"""The whole chain in small: proposer, candidates, selector, export, and what runs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from askmask.errors import ConfigError, OutputError
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.models.embedded.tokens import STEPS
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank
from askmask.training.candidates import read_shard
from askmask.training.recipes import train
from askmask.types import Masks, MaskType, Query


def test_an_unknown_recipe_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean embedded-v1"):
        train("embeded-v1", tmp_path)


@pytest.mark.parametrize(("only", "image_from"), [("proposer", "x"), ("selector", None)])
def test_one_stage_alone_needs_the_others(tmp_path: Path, only: str, image_from: str) -> None:
    with pytest.raises(ConfigError, match="--only: expected one of selector, mask-type, with"):
        train("embedded-v1", tmp_path, only=only, image_from=image_from, start_from=tmp_path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "run"
    train("embedded-smoke", folder)
    return folder


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


def test_a_used_run_folder_is_refused_and_resume_finishes_at_once(run: Path) -> None:
    with pytest.raises(OutputError, match="--resume"):
        train("embedded-smoke", run)
    digest = (run / "weights" / "sha256.txt").read_text()
    train("embedded-smoke", run, resume=True)
    assert (run / "weights" / "sha256.txt").read_text() == digest


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
    weights = train(
        "embedded-smoke",
        tmp_path / "run",
        image_from=str(run / "weights"),
        start_from=run,
        only="mask-type",
    )
    EmbeddedWeights(str(weights)).verify()
    assert not (tmp_path / "run" / "selector").exists()
    assert (tmp_path / "run" / "mask-type" / "checkpoint.pt").is_file()
    for name, same in (("selector.onnx", True), ("mask_type.onnx", False)):
        old, new = (folder / name for folder in (run / "weights", weights))
        assert (old.read_bytes() == new.read_bytes()) == same
    kept, source = (folder / "image.onnx" for folder in (weights, run / "weights"))
    assert kept.read_bytes() == source.read_bytes()
    assert not (tmp_path / "run" / "proposer").exists()
