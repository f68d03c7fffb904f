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

from official_llava import WIDTH, OfficialLlava  # noqa: E402
from official_weights import OfficialSam  # noqa: E402
from toy_studied import toy_data  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from askmask.cli.main import app  # noqa: E402
from askmask.errors import WeightsError  # noqa: E402
from askmask.formats.askmask import read_queries, write_queries  # noqa: E402
from askmask.images import read_image  # noqa: E402
from askmask.models.hub.loading import Where  # noqa: E402
from askmask.models.hub.lora import LoraSettings  # noqa: E402
from askmask.models.hub.published.tuned_lisa import TunedLisa  # noqa: E402
from askmask.models.registry import load  # noqa: E402
from askmask.training.hub_tune import TuneTask  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.training.recipes import RECIPES  # noqa: E402
from askmask.types import MaskType, Query  # noqa: E402

EYES = {"hidden_size": 24, "num_hidden_layers": 3, "image_size": 28}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """LISA as its authors publish it, with random weights."""
    folder = tmp_path_factory.mktemp("lisa")
    with torch.inference_mode():
        made = OfficialLlava(folder, ("[SEG]", "<im_start>", "<im_end>"), EYES)
        sam = OfficialSam(made.weights, "model.visual_model.")
        made.weights.linear("model.mm_projector", torch.zeros(1, EYES["hidden_size"]), WIDTH)
        states = made.weights.linear("model.text_hidden_fcs.0.0", torch.zeros(1, WIDTH), WIDTH)
        prompts = made.weights.linear("model.text_hidden_fcs.0.2", states, sam.channels)
        sam.decode(sam.encode(torch.zeros(1, 3, sam.side, sam.side)), prompts)
    return made.save()


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

    (out / "weights" / "heads.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"heads\.safetensors: does not fit"):
        load(str(out / "weights"), device="cpu")


def test_only_adapters_and_heads_learn(base: str) -> None:
    lisa = TunedLisa.new(base, Where("cpu"), LoraSettings())
    learnt = {name for name, each in lisa.network.named_parameters() if each.requires_grad}
    heads = ("to_prompt.", "sam.mask_decoder.")
    assert all("lora_" in name or name.startswith(heads) for name in learnt)
    assert {name.split(".")[0] for name in learnt} == {"language", "to_prompt", "sam"}
    assert sum("lora_A" in name for name in learnt) == 4  # q and v of two layers
