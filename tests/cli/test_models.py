"""`askmask models`, and the options of commands that load models of the hub."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
from cli_result import Run
from fake_llm_server import FakeServer
from fake_segmenter import FakeSegmenter
from hub_cache import put_into_cache

from askmask.cli.placement import parse_price
from askmask.errors import AskmaskWarning, ConfigError
from askmask.models import registry
from askmask.models.hub import machine
from askmask.models.hub.catalog import CATALOG, PRESETS, markdown

DOCS = Path(__file__).parents[2] / "docs" / "hub-models.md"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def listed(run: Run) -> dict[str, dict[str, object]]:
    result = run("models", "--json")
    assert (result.code, result.err) == (0, "")
    return {row["name"]: row for row in json.loads(result.out)["models"]}


def test_all_models_are_listed_with_what_they_need(run: Run, cache: Path) -> None:
    rows = listed(run)
    assert {f"hub:{name}" for name in (*CATALOG, *PRESETS)} < set(rows)
    assert {"embedded-v1", "completer-v1", "file:PATH", "openai:MODEL@URL"} < set(rows)
    assert len({tuple(row) for row in rows.values()}) == 1, "all have the same keys"
    judge = rows["hub:qwen3-vl-2b"]
    assert (judge["stages"], judge["licence"], judge["gated"]) == ("selector", "Apache-2.0", False)
    assert judge["parameters"] == 2_130_000_000
    assert judge["smaller"] == "hub:siglip2-base"
    assert rows["embedded-v1"]["parameters"] is None


def test_what_is_missing_is_said_until_it_is_there(
    run: Run, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory_gb", lambda: 4.0)
    rows = listed(run)
    assert rows["hub:clip-base"]["missing"] == ["0.6 GB to download"]
    assert rows["hub:sam3"]["missing"][0].startswith("gated: accept its licence")
    assert "unless it has a GPU" in rows["hub:qwen3-vl-2b"]["missing"][-1]
    put_into_cache(cache, "openai/clip-vit-base-patch32")
    assert listed(run)["hub:clip-base"]["missing"] == []
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    assert listed(run)["hub:clip-base"]["missing"][0] == (
        "no torch and transformers: pip install 'askmask[hub]'"
    )


def test_the_list_for_people_has_every_name(run: Run, cache: Path) -> None:
    put_into_cache(cache, "openai/clip-vit-base-patch32")
    shown = run("models").out
    for name in (*CATALOG, *PRESETS):
        assert f"hub:{name}" in shown
    assert next(line for line in shown.splitlines() if "clip-base" in line).split()[-1] == "ready"


def test_the_document_has_the_table_of_the_catalog(run: Run) -> None:
    table = run("models", "--markdown").out
    assert table == markdown() + "\n"
    assert table in DOCS.read_text("utf-8"), (
        "python -m askmask models --markdown prints the new one"
    )


@pytest.mark.parametrize("command", ["segment", "predict", "serve"])
def test_devices_and_precisions_are_checked(run: Run, command: str) -> None:
    for option, value in (("--device", "tpu"), ("--dtype", "int4")):
        result = run(command, "a", *(["b"] if command == "segment" else []), option, value)
        assert result.code == 2
        assert f"got '{value}'" in " ".join(result.err.replace("│", " ").split())


def test_a_slow_model_is_warned_of_in_one_line(
    run: Run, kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(name: str, **options: object) -> FakeSegmenter:
        warnings.warn("this takes long", AskmaskWarning, stacklevel=2)
        return FakeSegmenter.load(name)

    monkeypatch.setattr(registry, "load", slow)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = run("segment", kitchen, "the red one")
    assert (result.code, result.err) == (0, "askmask: this takes long\n")


def test_what_a_server_cost_is_told_on_stderr(
    run: Run, kitchen: Path, llm_server: FakeServer
) -> None:
    proposals = {
        "images": [{"id": 1, "file_name": "kitchen.png", "height": 40, "width": 60}],
        "annotations": [
            {"image_id": 1, "segmentation": [[5, 5, 25, 5, 25, 25, 5, 25]], "score": 0.5}
        ],
    }
    Path("found.json").write_text(json.dumps(proposals))
    llm_server.writes = lambda message: (
        '{"rationale": "It is red.", "mask_type": "modal", "candidates": [{"number": 1, "fit": 9}]}'
    )
    model = f"file:found.json+none+openai:tiny@{llm_server.url}/v1,mask_type=asked"
    result = run("segment", kitchen, "the red one", "--model", model, "--price", "3,15", "--json")
    assert result.code == 0
    assert result.err == "spent: 1,000 input and 100 output tokens, $0.0045\n"
    answer = json.loads(result.out)
    assert answer["rationale"].startswith("It is red.")
    assert len(answer["masks"]) == 1


@pytest.mark.parametrize("text", ["three", "1", "1,2,3", "-1,2", "inf,1"])
def test_prices_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="--price: expected dollars"):
        parse_price(text)
