"""The completer's samples, its loss, its export, and a training in small that resumes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

import torch
from shared_material import BENCHMARKS

from askmask.errors import ConfigError, DataError, OutputError
from askmask.formats.askmask import read_entities, read_queries
from askmask.models.completer.config import CHANNELS, CompleterConfig
from askmask.models.completer.net import CompleterNet
from askmask.models.completer.weights import CompleterWeights
from askmask.models.completion import load_completer
from askmask.models.embedded.runtime import open_graph
from askmask.training.budget import Budget
from askmask.training.completer import CompleterTask, train_completer
from askmask.training.completer_pictures import (
    Picture,
    areas,
    composed,
    made_strange,
    read_rendered,
)
from askmask.training.completer_samples import crop_batches
from askmask.training.completer_shapes import random_paint, random_shape
from askmask.training.export import export_completer
from askmask.training.loop import fit
from askmask.training.recipes import RECIPES, train
from askmask.training.rough_masks import roughened
from askmask.training.run import TrainingRun

PART = "part:test"
SMOKE = RECIPES["completer-smoke"]
SMALL = CompleterConfig(cells=64, widths=(8, 8, 8, 8))


@pytest.fixture(scope="module")
def scenes() -> list[Picture]:
    return [composed(seed) for seed in range(3)]


class TestPictures:
    def test_masks_of_strange_pictures_stay_exact(self, scenes: list[Picture]) -> None:
        rng = np.random.default_rng(0)
        added = 0
        for _ in range(12):
            strange = made_strange(scenes[0], scenes, rng)
            assert strange.image.dtype == np.uint8
            assert len(strange.modal) == len(strange.amodal) >= len(scenes[0].modal)
            assert strange.modal.sum(0).max() <= 1  # a pixel shows one thing
            assert not (strange.modal & ~strange.amodal).any()
            added += len(strange.modal) - len(scenes[0].modal)
        assert added > 6

    def test_the_picture_itself_and_the_others_stay(self, scenes: list[Picture]) -> None:
        before = [scene.image.copy() for scene in scenes]
        rng = np.random.default_rng(1)
        seen = [made_strange(scenes[0], scenes, rng).image for _ in range(6)]
        for scene, image in zip(scenes, before, strict=True):
            np.testing.assert_array_equal(scene.image, image)
        assert any((image != before[0]).any() for image in seen)

    def test_areas(self) -> None:
        masks = np.random.default_rng(0).random((3, 7, 9)) < 0.4
        assert areas(masks).tolist() == masks.sum((1, 2)).tolist()

    def test_shapes_and_paint_are_of_all_kinds_and_of_the_asked_size(self) -> None:
        rng = np.random.default_rng(2)
        sizes = [int(random_shape((90, 120), (60, 45), 30, rng).sum()) for _ in range(60)]
        assert sum(size > 100 for size in sizes) > 50
        assert len(set(sizes)) > 50
        assert not random_shape((90, 120), (-900, 45), 30, rng).any()
        for _ in range(8):
            paint = random_paint((50, 70), rng)
            assert paint.shape == (50, 70, 3)
            assert paint.dtype == np.uint8


@pytest.mark.skipif(not BENCHMARKS, reason="no shared material")
def test_rendered_pictures_are_read_without_their_test_part() -> None:
    folder = BENCHMARKS[0]
    listed = read_rendered([folder])
    tested = {one.image for one in read_queries(folder / "queries.jsonl") if PART in one.tags}
    every = {one.image for one in read_entities(folder / "entities.jsonl")}
    assert tested
    assert len(listed) == len(every - tested)
    for picture in (one.picture() for one in listed[:5]):
        assert picture.image.shape == (240, 320, 3)
        assert not (picture.modal & ~picture.amodal).any()
    batch = next(
        crop_batches(
            range(1),
            scenes=1,
            crops=2,
            config=SMALL,
            renders=[folder],
            render_share=1.0,
            workers=0,
        )
    )
    assert batch.amodal.any()


class TestRoughMasks:
    def test_some_stay_exact_and_the_others_stay_near(self) -> None:
        mask = np.zeros((128, 128), bool)
        mask[40:80, 30:90] = True
        overlaps = []
        for seed in range(60):
            rough = roughened(mask, np.random.default_rng(seed))
            overlaps.append((rough & mask).sum() / (rough | mask).sum())
        assert 10 <= sum(overlap == 1 for overlap in overlaps) <= 50
        assert min(overlaps) > 0.6

    def test_no_mask_becomes_empty(self) -> None:
        for seed in range(80):
            mask = np.zeros((64, 64), bool)
            mask[20:22, 20:21] = True
            assert roughened(mask, np.random.default_rng(seed)).any()


class TestBatches:
    def test_they_depend_on_their_number_only(self) -> None:
        two = list(islice(crop_batches(range(2), scenes=1, crops=4, config=SMALL, workers=0), 2))
        again = next(crop_batches(range(1, 2), scenes=1, crops=4, config=SMALL, workers=0))
        for one, other in zip(two[1], again, strict=True):
            assert torch.equal(one, other)
        assert not torch.equal(two[0].image, two[1].image)

    def test_what_a_batch_holds(self) -> None:
        batch = next(crop_batches(range(3, 4), scenes=2, crops=12, config=SMALL, workers=0))
        assert batch.image.shape == (12, 64, 64, 3)
        assert batch.image.dtype == torch.uint8
        given, truth, inside = batch.modal > 127, batch.amodal, batch.inside
        assert given.flatten(1).any(1).all()
        assert not (truth & ~inside).any()
        assert not (given & ~inside).any()
        # Given masks are rough, but they are of the object.
        shared = (given & truth).flatten(1).sum(1) / given.flatten(1).sum(1)
        assert shared.mean() > 0.8
        hidden = (truth & ~given).flatten(1).sum(1) / truth.flatten(1).sum(1)
        assert (hidden > 0.1).sum() >= 2


def test_crops_are_small_in_the_first_part_of_the_budget() -> None:
    task = CompleterTask(SMOKE)
    (change,) = task.restarts_at()
    assert next(task.batches(range(1), change / 2)).image.shape[1] == SMOKE.small_cells
    assert next(task.batches(range(1), change)).image.shape[1] == SMOKE.config.cells


def test_the_loss_falls_on_one_batch_and_rewards_the_hidden_part() -> None:
    task = CompleterTask(replace(SMOKE, config=SMALL))
    batch = next(task.batches(range(1), 0.0))
    optimiser = torch.optim.AdamW(task.model.parameters(), lr=1e-2)
    totals = []
    for _ in range(12):
        parts = task.loss(batch)
        assert set(parts) == {"cross", "dice", "hidden", "quality"}
        total = sum(parts.values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.8 * totals[0]


class TestExport:
    def test_onnxruntime_and_torch_agree_for_any_number_of_crops(self, tmp_path: Path) -> None:
        torch.manual_seed(1)
        net = CompleterNet(SMALL).eval()
        with torch.no_grad():  # spread the logits as training does
            net.shape.weight *= 20
        path = tmp_path / "completer.onnx"
        export_completer(net, path)
        graph = open_graph(path)
        for count in (1, 5):
            crops = torch.randn(count, CHANNELS, 64, 64)
            with torch.no_grad():
                logits, quality = net(crops)
            shape, sure = graph.run(None, {"crops": crops.numpy()})
            assert logits.std() > 0.3
            assert shape.shape == (count, 64, 64)
            assert sure.shape == (count,)
            probability = 1 / (1 + np.exp(-shape))
            np.testing.assert_allclose(probability, logits.sigmoid().numpy(), atol=1e-3)
            np.testing.assert_allclose(sure, quality.numpy(), atol=1e-3)

    def test_the_full_network_is_small(self, tmp_path: Path) -> None:
        net = CompleterNet()
        assert 0.7e6 < sum(one.numel() for one in net.parameters()) < 1.2e6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completer") / "run"
    train("completer-smoke", folder)
    return folder


class TestTraining:
    def test_the_exported_weights_verify_and_complete(self, run: Path) -> None:
        weights = CompleterWeights(str(run / "weights"))
        weights.verify()
        completer = load_completer(str(run / "weights"))
        assert completer.weights_hash == weights.sha256
        scene = composed(11)
        done = completer.complete_masks(scene.image, scene.modal)
        assert not (scene.modal & ~done.amodal.dense()).any()
        assert ((done.confidence > 0) & (done.confidence < 1)).all()
        described = json.loads((run / "run.json").read_text())
        assert described["sha256"] == weights.sha256
        assert {"amodal-IoU", "hidden-IoU", "strange.hidden-IoU"} <= set(described["held_out"])

    def test_a_changed_file_does_not_verify(self, run: Path, tmp_path: Path) -> None:
        for name in ("completer.onnx", "config.json", "sha256.txt"):
            (tmp_path / name).write_bytes((run / "weights" / name).read_bytes())
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**config, "threshold": 0.51}))
        with pytest.raises(Exception, match="expected SHA-256"):
            CompleterWeights(str(tmp_path)).verify()

    def test_a_used_folder_is_refused_and_a_resume_ends_in_the_same_weights(
        self, run: Path
    ) -> None:
        with pytest.raises(OutputError, match="--resume"):
            train("completer-smoke", run)
        digest = (run / "weights" / "sha256.txt").read_text()
        train("completer-smoke", run, resume=True)
        assert (run / "weights" / "sha256.txt").read_text() == digest

    def test_an_interrupted_training_ends_as_an_undisturbed_one(
        self, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        budget = Budget.parse(SMOKE.default_budget)
        with monkeypatch.context() as patched:
            loss = CompleterTask.loss
            done = []

            def interrupted(self: CompleterTask, batch: object) -> dict[str, torch.Tensor]:
                if len(done) == 2:
                    raise KeyboardInterrupt
                done.append(1)
                return loss(self, batch)  # type: ignore[arg-type]

            patched.setattr(CompleterTask, "loss", interrupted)
            with pytest.raises(KeyboardInterrupt):
                train_completer(SMOKE, tmp_path / "run", budget, resume=False)
        weights = train_completer(SMOKE, tmp_path / "run", budget, resume=True)
        assert (weights / "sha256.txt").read_text() == (run / "weights" / "sha256.txt").read_text()

    def test_it_starts_from_another_run(self, run: Path, tmp_path: Path) -> None:
        recipe = replace(SMOKE, start_from=str(run))
        train_completer(recipe, tmp_path / "run", Budget(steps=1), resume=False)
        first = torch.load(run / "training" / "checkpoint.pt", weights_only=True)["model"]
        then = torch.load(tmp_path / "run" / "training" / "checkpoint.pt", weights_only=True)
        moved = (then["model"]["shape.weight"] - first["shape.weight"]).abs().max()
        assert moved < 1e-3  # one step of warm-up away

    def test_renders_that_are_not_there_are_named_before_anything_starts(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(DataError, match=r"no: expected queries\.jsonl or"):
            train("completer-smoke", tmp_path / "run", renders=[tmp_path / "no"])
        assert not (tmp_path / "run").exists()

    def test_options_of_the_embedded_model_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="--image-from and --only are for"):
            train("completer-smoke", tmp_path / "run", only=["selector"])
        assert not (tmp_path / "run").exists()


def test_figures_of_the_log_are_those_of_the_held_out_scenes(tmp_path: Path) -> None:
    task = CompleterTask(SMOKE)
    run = TrainingRun(tmp_path / "run", {"recipe": "smoke"})
    measured = fit(task, run, Budget(steps=1))
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    logged = json.loads(lines[-1])
    assert logged["evaluation"] == 1
    assert {name: logged[name] for name in measured} == measured
    assert all(0 <= measured[name] <= 1 for name in ("amodal-IoU", "hidden-IoU"))
