"""An exported proposer as a network again, to learn on or to lend its eyes to other systems.

The export folds each batch norm into the convolution before it and stores large weights as float16.
Folded numbers do for answering; for learning, each norm is unfolded again by the statistics of what
passes it, so that it computes nearly the same in training as in evaluation.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from askmask.errors import WeightsError
from askmask.models.embedded.picture import normalise
from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.build import TRAINING_SEEDS
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank
from askmask.training.export import HALF

__all__ = ["exported_proposer"]

_BIAS = "_bias"
"""What the exporter appends to a convolution's weight to name the bias that a norm became."""

_PICTURES = 16
"""Composed pictures by which the norms are unfolded."""


def exported_proposer(name: str) -> ProposerNet:
    """Read the proposer of finished weights.

    Args:
        name: of shipped weights, or their folder.

    Returns:
        The network on the CPU, in evaluation mode, where it answers as the exported graph does.

    Raises:
        WeightsError: when there are no such weights, or they are of another network.
    """
    weights = EmbeddedWeights(name)
    net = ProposerNet(weights.config).eval()
    tensors = onnx.load(str(weights.path("image.onnx"))).graph.initializer
    stored = {each.name.removesuffix(HALF): _tensor(each) for each in tensors}
    norms = _norms(net)
    try:
        with torch.no_grad():
            for path, module in net.named_modules():
                if not isinstance(module, nn.Conv2d):
                    continue
                weight = f"{path}.weight"
                module.weight.copy_(stored[weight])
                if module.bias is not None:
                    module.bias.copy_(stored[f"{path}.bias"])
                else:
                    bias = stored[weight + _BIAS]
                    _set(norms[path], torch.zeros_like(bias), torch.ones_like(bias), bias)
            _unfold(net, list(norms.values()))
    except (KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{name}: image.onnx does not hold the proposer of this version ({error})"
        ) from error
    return net


def _tensor(stored: onnx.TensorProto) -> Tensor:
    return torch.from_numpy(numpy_helper.to_array(stored).astype(np.float32))


def _norms(net: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """The norm after each convolution that has one, by the convolution's path."""
    found = {}
    for path, module in net.named_modules():
        if isinstance(module, nn.Sequential):
            for number, (first, second) in enumerate(pairwise(module)):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    found[f"{path}.{number}"] = second
    return found


def _set(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
    """Let a norm add `bias` to what comes with these statistics, and change nothing else."""
    state = {
        "running_mean": mean,
        "running_var": variance,
        "weight": (variance + norm.eps).sqrt(),
        "bias": bias + mean,
    }
    norm.load_state_dict({**norm.state_dict(), **state})


def _unfold(net: ProposerNet, norms: list[nn.BatchNorm2d]) -> None:
    """Give each norm the statistics of what reaches it; in evaluation mode nothing changes."""
    arriving: dict[nn.Module, Tensor] = {}
    hooks = [
        norm.register_forward_pre_hook(lambda module, x: arriving.__setitem__(module, x[0]))
        for norm in norms
    ]
    bank, hw = SpriteBank.load(), net.config.input_hw
    scenes = (compose(bank, TRAINING_SEEDS + number, size_hw=hw) for number in range(_PICTURES))
    net(torch.from_numpy(normalise(np.stack([scene.image for scene in scenes]))))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        variance, mean = torch.var_mean(arriving[norm], (0, 2, 3), correction=0)
        _set(norm, mean, variance, norm.bias.clone())
