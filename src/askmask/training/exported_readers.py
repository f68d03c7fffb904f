"""An exported selector or mask type as networks again: their int8 weights as the floats they mean.

The export names biases and norms as the network does, and the weights that it rounded to int8 by
number; the product that a bias is added to leads to its weight.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from askmask.errors import WeightsError
from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower
from askmask.models.embedded.weights import EmbeddedWeights

__all__ = ["exported_mask_type", "exported_selector"]

_PASSED = {"Add", "Cast", "Mul"}
"""What stands between the product of rounded numbers and its bias."""


def exported_selector(name: str) -> SelectorNet:
    """Read the selector of finished weights.

    Args:
        name: of shipped weights, or their folder.

    Returns:
        The network on the CPU, in evaluation mode. What tells the steps of a sentence is not
        exported, and untrained.

    Raises:
        WeightsError: when there are no such weights, or they are of another network.
    """
    weights = EmbeddedWeights(name)
    net = SelectorNet(weights.config)
    _fill(net, weights.path("selector.onnx"), "net.", untrained=("steps",))
    return net.eval()


def exported_mask_type(name: str) -> MaskTypeNet:
    """Read the mask type of finished weights; see `exported_selector`."""
    net = MaskTypeNet(TextTower())
    _fill(net, EmbeddedWeights(name).path("mask_type.onnx"))
    return net.eval()


def _fill(net: nn.Module, path: Path, within: str = "", untrained: tuple[str, ...] = ()) -> None:
    """Give a network what a graph holds of it, under names that start with `within`."""
    graph = onnx.load(str(path)).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    try:
        state = {
            name: torch.from_numpy(_found(graph, stored, within, name, parameter).copy())
            for name, parameter in net.named_parameters()
            if name.partition(".")[0] not in untrained
        }
        net.load_state_dict(state, strict=False)
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: does not hold the {type(net).__name__} of this version ({error})"
        ) from error


def _found(
    graph: onnx.GraphProto,
    stored: dict[str, NDArray[np.generic]],
    within: str,
    name: str,
    parameter: Tensor,
) -> NDArray[np.float32]:
    """Read one parameter, by its name or by the bias that belongs to it.

    Raises:
        KeyError: when it is not there.
        ValueError: when none or several may be it.
    """
    full = within + name
    if full in stored:
        return stored[full].astype(np.float32)
    if f"{full}_quantized" in stored:
        return _floats(stored, full, tuple(parameter.shape))
    bias = f"{full.removesuffix('weight')}bias"
    if full.endswith(".weight") and bias in stored:
        return _floats(stored, _multiplied(graph, bias), tuple(parameter.shape))
    (value,) = (  # the exporter has named it anew
        value for value in stored.values() if value.shape == tuple(parameter.shape)
    )
    return value.astype(np.float32)


def _multiplied(graph: onnx.GraphProto, bias: str) -> str:
    """Name the rounded weight of the product that a bias is added to."""
    made = {output: node for node in graph.node for output in node.output}
    waiting = [node for node in graph.node if bias in node.input]
    while waiting:
        node = waiting.pop()
        if node.op_type == "MatMulInteger":
            return str(node.input[1]).removesuffix("_quantized")
        if node.op_type in _PASSED:
            waiting += [made[each] for each in node.input if each in made]
    raise KeyError(f"the weight of {bias}")


def _floats(
    stored: dict[str, NDArray[np.generic]], name: str, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Undo the rounding; products have the axes of a network's weight exchanged."""
    rounded, zero, scale = (
        stored[f"{name}_{each}"] for each in ("quantized", "zero_point", "scale")
    )
    values = (rounded.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
    return values if values.shape == shape and scale.ndim == 0 else values.T
