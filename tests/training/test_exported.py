"""The shipped proposer as a network again."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from askmask.errors import WeightsError
from askmask.models.embedded.picture import normalise
from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.embedded.runtime import open_graph
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank
from askmask.training.exported import exported_proposer
from askmask.training.system import SystemRecipe, SystemTask

SHIPPED = EmbeddedWeights("embedded-v1")


@pytest.fixture(scope="module")
def net() -> ProposerNet:
    return exported_proposer("embedded-v1")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    hw = SHIPPED.config.input_hw
    scenes = [compose(SpriteBank.load(), seed, size_hw=hw) for seed in range(4)]
    return torch.from_numpy(normalise(np.stack([scene.image for scene in scenes])))


def test_it_answers_as_the_exported_graph_does(net: ProposerNet, images: torch.Tensor) -> None:
    session = open_graph(SHIPPED.path("image.onnx"))
    with torch.no_grad():
        ours = net(images[:1])
    theirs = session.run(None, {"images": images[:1].numpy()})
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own.numpy(), other, atol=1e-3)


def test_norms_hold_in_training_what_they_do_in_evaluation(
    net: ProposerNet, images: torch.Tensor
) -> None:
    """Else the first step of a training would throw away what the network has learnt."""
    with torch.no_grad():
        calm = net(images)[2]
        busy = copy.deepcopy(net).train()(images)[2]
    assert float((busy - calm).pow(2).mean() / calm.var()) < 0.1


def test_systems_start_with_its_eyes(net: ProposerNet) -> None:
    task = SystemTask(SystemRecipe("rela", image_from="embedded-v1"))
    state = net.state_dict()
    eyes = task.model.trunk.eyes.state_dict()
    for name, tensor in eyes.items():
        torch.testing.assert_close(state[name], tensor)


def test_a_graph_of_another_network_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED.folder, tmp_path / "weights")
    shutil.copyfile(SHIPPED.path("selector.onnx"), tmp_path / "weights" / "image.onnx")
    with pytest.raises(WeightsError, match="does not hold the proposer of this version"):
        exported_proposer(str(tmp_path / "weights"))
