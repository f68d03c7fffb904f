"""Stages start from finished weights as from a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from askmask.errors import WeightsError
from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower
from askmask.models.embedded.tokens import GEOMETRY, PAIR
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.training.exported_readers import exported_mask_type, exported_selector
from askmask.training.proposer import ProposerRecipe, ProposerTask
from askmask.training.start import load_start

SHIPPED = EmbeddedWeights("embedded-v1")
WORDS, MASKS = 9, 7


@pytest.fixture(scope="module")
def words() -> Tensor:
    return torch.randn(1, WORDS, 2 * TextTower.width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def valid() -> Tensor:
    return torch.ones(1, WORDS, dtype=torch.bool)


def answered(file: str, inputs: tuple[Tensor, ...]) -> list[np.ndarray]:
    session = open_graph(SHIPPED.path(file))
    names = [each.name for each in session.get_inputs()]
    found: list[np.ndarray] = session.run(
        None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
    )
    return found


def test_the_selector_judges_as_the_exported_graph_does(words: Tensor, valid: Tensor) -> None:
    """The graph also rounds what passes through it, so logits differ a little."""
    chance = torch.Generator().manual_seed(1)
    inputs = (
        words,
        valid,
        torch.randn(1, MASKS, 2 * SHIPPED.config.appearance, generator=chance),
        torch.rand(1, MASKS, GEOMETRY, generator=chance),
        torch.rand(1, MASKS, MASKS, PAIR, generator=chance),
        torch.tensor([[0] * (MASKS - 1) + [1]]),
        torch.ones(1, MASKS, dtype=torch.bool),
    )
    with torch.no_grad():
        judged = exported_selector("embedded-v1")(*inputs)
    select, none = answered("selector.onnx", inputs)
    np.testing.assert_allclose(judged.select.numpy(), select, atol=0.3)
    np.testing.assert_allclose(judged.none.numpy(), none, atol=0.3)
    assert float(judged.select.std()) > 1  # so the tolerance is small


def test_the_mask_type_judges_as_the_exported_graph_does(words: Tensor, valid: Tensor) -> None:
    inputs = words[..., : TextTower.width], valid
    with torch.no_grad():
        types = exported_mask_type("embedded-v1")(*inputs)
    np.testing.assert_allclose(types.numpy(), answered("mask_type.onnx", inputs)[0], atol=0.1)


def test_all_stages_start_from_finished_weights() -> None:
    selector = SelectorNet(SHIPPED.config)
    load_start(selector, "embedded-v1", "selector")
    learnt = exported_selector("embedded-v1")
    assert torch.equal(selector.select.weight, learnt.select.weight)

    proposer = ProposerTask(ProposerRecipe(), SHIPPED.config).model
    before = {name: value.clone() for name, value in proposer.state_dict().items()}
    load_start(proposer, "embedded-v1", "proposer")
    changed = {
        name.partition(".")[0]
        for name, value in proposer.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"net"}  # the heads that only training has are not exported


def test_a_graph_of_another_network_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED.folder, tmp_path / "weights")
    shutil.copyfile(SHIPPED.path("mask_type.onnx"), tmp_path / "weights" / "selector.onnx")
    with pytest.raises(WeightsError, match="does not hold the SelectorNet of this version"):
        exported_selector(str(tmp_path / "weights"))
