"""A tiny LISA is fine-tuned end to end on a data set of R2SM's kind, by the command."""

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
from toy_studied import toy_data  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from askmask.cli.main import app  # noqa: E402
from askmask.formats.askmask import read_queries, write_queries  # noqa: E402
from askmask.images import read_image  # noqa: E402
from askmask.models.hub.published.tuned_speakers import TunedLisa  # noqa: E402
from askmask.models.registry import load  # noqa: E402
from askmask.training.hub_tune import TuneTask  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.training.recipes import RECIPES  # noqa: E402
from askmask.types import MaskType, Query  # noqa: E402


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """LISA as its authors publish it, with random weights."""
    with torch.inference_mode():
        return TINY["lisa"](tmp_path_factory.mktemp("lisa"))


def test_the_recipe_learns_masks_and_words_and_keeps_the_best_epoch(
    base: str, tmp_path: Path
) -> None:
    data, out, steps = toy_data(tmp_path / "data", pictures=1), tmp_path / "run", 200
    queries = data / "queries-train.jsonl"
    write_queries(queries, [one for one in read_queries(queries) if "red" in one.text])
    recipe = replace(RECIPES["hub:lisa"], base=base, data=(str(data),), validate=str(data))
    before = TuneTask(recipe, Placement()).evaluate()
    arguments = [
        *("train", "hub:lisa", "--data", str(data), "--validate", str(data), "--base", base),
        *("--out", str(out), "--budget", f"{steps} steps", "--device", "cpu"),
        *("--set", "learning_rate=0.006", "--set", "loop.warmup_steps=10"),
        *("--set", "loop.accumulate=1", "--set", "loop.evaluate_steps=50"),
        *("--set", "loop.log_seconds=0"),
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    lines = [json.loads(x) for x in (out / "training" / "metrics.jsonl").read_text().splitlines()]
    losses = [line["text"] + line["bce"] + line["dice"] for line in lines if "bce" in line]
    assert len(losses) == steps
    assert np.mean(losses[-9:]) < 0.5 * np.mean(losses[:9])
    measured = [line["gIoU"] for line in lines if "gIoU" in line]
    kept = json.loads((out / "run.json").read_text())["held_out"]
    assert kept["gIoU"] == max(measured) > before["gIoU"] + 0.3
    assert f"--model {out / 'weights'}" in done.output

    lisa = load(str(out / "weights"), device="cpu")
    assert isinstance(lisa, TunedLisa)
    lisa.set_image(read_image(data / "images" / "train-0.png"))
    answer = lisa.answer(Query("all of the red block", mask_type=MaskType.AMODAL))
    assert answer.mask_type is MaskType.AMODAL
    assert len(answer) == 1
    assert "visible masks only" not in (answer.rationale or "")
