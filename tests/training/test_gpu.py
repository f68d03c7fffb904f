"""The whole chain on a GPU; skipped without one."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from test_ema import Blobs  # noqa: E402

from askmask.models.embedded.weights import EmbeddedWeights  # noqa: E402
from askmask.training.budget import Budget  # noqa: E402
from askmask.training.loop import LoopSettings, fit  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.training.recipes import train  # noqa: E402
from askmask.training.run import TrainingRun  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def test_a_training_goes_on_elsewhere(tmp_path: Path) -> None:
    settings = LoopSettings(warmup_steps=3, average=0.9)
    run = TrainingRun(tmp_path / "run", {})
    with pytest.raises(KeyboardInterrupt):
        fit(Blobs(stop_at=9), run, Budget(steps=20), settings, Placement.named("cuda"))
    task = Blobs()
    run = TrainingRun(tmp_path / "run", {}, resume=True)
    measured = fit(task, run, Budget(steps=20), settings)
    assert measured["loss"] < 0.69
    assert {parameter.device.type for parameter in task.model.parameters()} == {"cpu"}


@pytest.mark.parametrize("recipe", ["embedded-smoke", "completer-smoke"])
def test_the_smoke_recipes(recipe: str, tmp_path: Path) -> None:
    weights = train(recipe, tmp_path / "run", device="cuda")
    assert (weights / "sha256.txt").is_file()
    if recipe == "embedded-smoke":
        EmbeddedWeights(str(weights)).verify()
