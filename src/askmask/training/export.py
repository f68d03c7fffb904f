"""Trained networks -> the files that the runtime reads."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from askmask.formats.files import write_json
from askmask.models.completer.config import CHANNELS
from askmask.models.completer.net import CompleterNet
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower, minilm_folder
from askmask.models.embedded.tokens import GEOMETRY, PAIR
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.models.embedded.words_net import WordsNet

__all__ = [
    "HALF",
    "export_completer",
    "export_image",
    "export_mask_type",
    "export_selector",
    "export_words",
    "seal",
]

HALF = "_half"
"""Ends the name of an initializer that is stored as float16."""

_OPSET = 20


def export_image(net: ProposerNet, path: Path) -> None:
    """Write the image graph: "images" (1, 3, H, W) -> the four maps of `ProposerNet`.

    Weights are stored as float16 and cast once at load, which halves the file; the arithmetic
    stays float32.
    """
    net = net.eval()
    example = torch.zeros(1, 3, *net.config.input_hw)
    model = _to_onnx(
        net, (example,), ["images"], ["centre", "parameters", "masks", "appearance"], None
    )
    _store_half(model)
    onnx.save(model, path)


def export_completer(net: CompleterNet, path: Path) -> None:
    """Write the completer's graph: "crops" (B, 5, S, S) -> "shape" (B, S, S), "quality" (B,).

    Weights are stored as float16, as those of the image graph.
    """
    example = torch.zeros(2, CHANNELS, net.config.cells, net.config.cells)
    shapes = ({0: torch.export.Dim("crops", min=1, max=1024)},)
    model = _to_onnx(net.eval(), (example,), ["crops"], ["shape", "quality"], shapes)
    _store_half(model)
    onnx.save(model, path)


def export_words(tower: TextTower, config: EmbeddedConfig, folder: Path) -> None:
    """Write the text tower `words.onnx`, int8, with its word vectors in `words.bin`."""
    length = torch.export.Dim("words", min=2, max=config.max_words)
    example = torch.ones(1, 7, dtype=torch.long), torch.ones(1, 7, dtype=torch.bool)
    shapes = {1: length}, {1: length}
    model = _to_onnx(WordsNet(tower).eval(), example, ["ids", "valid"], ["lower", "upper"], shapes)
    (folder / "words.bin").unlink(missing_ok=True)
    onnx.save(
        _to_int8(model),
        folder / "words.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="words.bin",
        size_threshold=4_000_000,
    )


def export_mask_type(net: MaskTypeNet, config: EmbeddedConfig, path: Path) -> None:
    """Write the mask-type graph, int8: the tower's lower states -> "types" (1, 3)."""
    length = torch.export.Dim("words", min=2, max=config.max_words)
    example = torch.zeros(1, 7, TextTower.width), torch.ones(1, 7, dtype=torch.bool)
    shapes = {1: length}, {1: length}
    onnx.save(_to_int8(_to_onnx(net.eval(), example, ["words", "valid"], ["types"], shapes)), path)


def export_selector(net: SelectorNet, config: EmbeddedConfig, path: Path) -> None:
    """Write the selector's graph, int8: words and M masks -> "select" (1, M), "none" (1,)."""
    words, masks = 7, 5
    example = (
        torch.zeros(1, words, TextTower.width * len(net.reads)),
        torch.ones(1, words, dtype=torch.bool),
        torch.zeros(1, masks, 2 * config.appearance),
        torch.zeros(1, masks, GEOMETRY),
        torch.zeros(1, masks, masks, PAIR),
        torch.zeros(1, masks, dtype=torch.long),
        torch.ones(1, masks, dtype=torch.bool),
    )
    t, m = torch.export.Dim("words", min=2, max=config.max_words), torch.export.Dim("masks", max=64)
    shapes = ({1: t}, {1: t}, {1: m}, {1: m}, {1: m, 2: m}, {1: m}, {1: m})
    names = ["words", "words_valid", "appearance", "geometry", "pairs", "prefix", "masks_valid"]
    model = _to_onnx(_Answer(net).eval(), example, names, ["select", "none"], shapes)
    onnx.save(_to_int8(model), path)


class _Answer(nn.Module):
    """The selector without the steps, which only training looks at."""

    def __init__(self, net: SelectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(
        self,
        words: torch.Tensor,
        words_valid: torch.Tensor,
        appearance: torch.Tensor,
        geometry: torch.Tensor,
        pairs: torch.Tensor,
        prefix: torch.Tensor,
        masks_valid: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        judged = self.net(words, words_valid, appearance, geometry, pairs, prefix, masks_valid)
        return judged.select, judged.none


def seal(folder: Path, config: EmbeddedConfig) -> str:
    """Add tokenizer, configuration and hash; return the hash."""
    shutil.copyfile(minilm_folder() / "tokenizer.json", folder / "tokenizer.json")
    write_json(folder / "config.json", config.to_json())
    return EmbeddedWeights(str(folder)).seal()


def _to_onnx(
    net: nn.Module,
    example: tuple[torch.Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    shapes: tuple[dict[int, torch.export.Dim], ...] | None,
) -> onnx.ModelProto:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, we do not
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own use of what torch has deprecated
        program = torch.onnx.export(
            net,
            example,
            dynamo=True,
            opset_version=_OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    model = program.model_proto
    # Shapes noted before the optimiser transposed weights would contradict them.
    del model.graph.value_info[:]
    # Each node carries the call stack of the exporting machine, which nobody needs.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model


def _to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Quantise weights to int8 per channel; activations are quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as scratch:
        full, small = Path(scratch, "full.onnx"), Path(scratch, "small.onnx")
        onnx.save(model, full)
        quantize_dynamic(
            full,
            small,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
        return onnx.load(small)


def _store_half(model: onnx.ModelProto) -> None:
    """Keep float32 initializers above 1,000 values as float16 with a cast, in place."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 1000:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + HALF)
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    for index, node in enumerate(casts):
        model.graph.node.insert(index, node)
