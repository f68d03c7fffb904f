"""Published checkpoints: their tensors by name, and the names that our classes have for them.

Files are mapped into memory, not read: a tensor costs memory when it is copied to its place. What
was pickled is opened with `weights_only`, so that no file can run code.
"""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file as load_safetensors
from torch import Tensor, nn

from askmask.errors import DataError, WeightsError
from askmask.formats.files import read_json
from askmask.models.hub.loading import Where, load_file, out_of_memory, transformers

__all__ = ["Checkpoint", "Rules", "fill", "nested", "renamed"]

Rules: TypeAlias = tuple[tuple[str, str | None], ...]
"""Beginning of a published name -> beginning of ours; None for what is left out on purpose.

A * stands for one part of a name between dots. The first rule that fits a name holds.
"""

_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

_SINGLE = ("model.safetensors", "pytorch_model.bin")

_MAX_INDEX_BYTES = 10_000_000


@dataclass(frozen=True)
class Checkpoint:
    """A folder or repository as authors publish it.

    Attributes:
        source: where it is.
        folder: inside of it; "" for none.
        config: what its `config.json` says.
        tensors: by their published names.
    """

    source: str
    folder: str
    config: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def open(cls, source: str, folder: str = "") -> Checkpoint:
        """Find the files; nothing is read but their tables of contents.

        Args:
            source: folder, or hub repository with or without @REVISION.
            folder: inside of it, where the authors put the files into one.

        Raises:
            WeightsError: when a file is missing or broken.
        """
        inside = f"{folder}/" if folder else ""
        config = load_file(source, f"{inside}config.json")
        if config is None:
            raise WeightsError(_absent(source, f"{inside}config.json"))
        tensors: dict[str, Tensor] = {}
        for name in _shards(source, inside):
            path = load_file(source, inside + name)
            if path is None:
                raise WeightsError(_absent(source, inside + name))
            tensors |= _mapped(path)
        return cls(source, folder, _table(config), tensors)

    @classmethod
    def of_file(cls, path: str) -> Checkpoint:
        """Open what detectron2 saved: one file, whose tensors stand under "model".

        Raises:
            WeightsError: when it is missing, broken, or of another kind.
        """
        if not Path(path).is_file():
            raise WeightsError(f"{path}: no such file; give the one that the authors published")
        found: Any = _mapped(Path(path))
        if "model" not in found:
            raise WeightsError(f"{path}: holds no model: it is of another kind")
        return cls(path, "", {}, dict(found["model"]))

    def option(self, *names: str) -> Any:
        """Value of the first of `names` that the configuration has.

        Raises:
            WeightsError: when it has none of them.
        """
        for name in names:
            if self.config.get(name) is not None:
                return self.config[name]
        raise WeightsError(f"{self.source}: config.json has no {names[0]}: it is of another kind")

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the tensor `name`.

        Raises:
            WeightsError: when there is none.
        """
        if name not in self.tensors:
            raise WeightsError(f"{self.source}: has no tensor {name}: it is of another kind")
        return tuple(self.tensors[name].shape)

    def count(self, prefix: str) -> int:
        """How many numbers follow `prefix` in the names, as of the layers of a stack."""
        digits = re.compile(re.escape(prefix) + r"(\d+)\.")
        return len({found[1] for name in self.tensors if (found := digits.match(name))})

    def parted(self, old: str, new: tuple[str, ...]) -> Checkpoint:
        """The same checkpoint, with tensors that hold several in one parted.

        Args:
            old: beginning of their names, as in `Rules`.
            new: that of each part's, in the order in which they lie along the first axis.
        """
        tensors: dict[str, Tensor] = {}
        for name, tensor in self.tensors.items():
            try:
                names = [renamed(name, ((old, start),)) or name for start in new]
            except KeyError:
                tensors[name] = tensor
            else:
                tensors |= zip(names, tensor.chunk(len(new)), strict=True)
        return replace(self, tensors=tensors)


def _shards(source: str, inside: str) -> Iterable[str]:
    """Names of the files that hold tensors."""
    for name in _INDEXES:
        if (index := load_file(source, inside + name)) is not None:
            return sorted(set(_table(index, "weight_map").values()))
    for name in _SINGLE:
        if load_file(source, inside + name) is not None:
            return [name]
    raise WeightsError(_absent(source, " or ".join(inside + name for name in _INDEXES + _SINGLE)))


def _table(path: Path, key: str | None = None) -> dict[str, Any]:
    """The object in a JSON file, or the one under a key of it."""
    found = read_json(path, _MAX_INDEX_BYTES)
    table = found.get(key) if key is not None and isinstance(found, dict) else found
    if not isinstance(table, dict):
        raise WeightsError(
            f"{path}: expected an object{f' {key}' if key else ''}; download it again"
        )
    return table


def _absent(source: str, name: str) -> str:
    return (
        f"{source}: {name} is missing, here or in the local cache; check the name, or run once "
        "with a connection"
    )


def _mapped(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_safetensors(path)
        return dict(torch.load(path, map_location="cpu", mmap=True, weights_only=True))
    except (SafetensorError, DataError, RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{path}: broken, download it again ({reason})") from error
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path}: holds more than tensors, and is not opened") from error


def nested(rules: Rules, published: str, ours: str) -> Rules:
    """The same rules for tensors that stand under a prefix on each side."""
    return tuple((published + old, None if new is None else ours + new) for old, new in rules)


def renamed(name: str, rules: Rules) -> str | None:
    """Our name of the published `name`; None when it is left out on purpose.

    Raises:
        KeyError: when no rule fits.
    """
    for old, new in rules:
        pattern = re.escape(old).replace(r"\*", r"([^.]+)")
        if found := re.match(pattern, name):
            if new is None:
                return None
            parts = iter(found.groups())
            start = "".join(next(parts) if c == "*" else c for c in new)
            return start + name[found.end() :]
    raise KeyError(name)


def fill(
    network: nn.Module,
    checkpoint: Checkpoint,
    rules: Rules,
    where: Where,
    exact: Collection[str] = (),
) -> None:
    """Load a checkpoint into a network that was built on torch's device "meta".

    Args:
        network: its children are loaded one after the other; those that are models of transformers
            are replaced by what `from_pretrained` makes of them, with the arguments that a child
            says it was `built_with`.
        checkpoint: the tensors.
        rules: their names in `network`.
        where: device and precision.
        exact: children that stay in float32 and are not held in four bits.

    Raises:
        WeightsError: naming all tensors that are missing, not expected, or of another shape.
        NoRoomError: when the GPU's memory is too small.
    """
    state = _fitting(network, checkpoint, rules)
    for name, child in list(network.named_children()):
        prefix = f"{name}."
        part = {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
        own = replace(where, dtype="float32", four_bit=False) if name in exact else where
        with out_of_memory(checkpoint.source):
            setattr(network, name, _loaded(child, part, own))
    network.requires_grad_(False).eval()


def _loaded(child: nn.Module, state: dict[str, Tensor], where: Where) -> nn.Module:
    dtype, device = where.torch_dtype(), where.torch_device()
    if not isinstance(child, transformers().PreTrainedModel):
        child.load_state_dict(state, assign=True)
        return child.to(device, dtype)
    settings: dict[str, Any] = {"config": child.config, "state_dict": state, "dtype": dtype}
    settings |= getattr(child, "built_with", {})
    if (quantization := where.quantization()) is not None:
        settings["quantization_config"] = quantization
    loaded: nn.Module = type(child).from_pretrained(None, **settings)
    return loaded if where.four_bit else loaded.to(device)


def _fitting(network: nn.Module, checkpoint: Checkpoint, rules: Rules) -> dict[str, Tensor]:
    """Tensors under our names, all that `network` has and no others."""
    expected = _expected(network)
    state: dict[str, Tensor] = {}
    unexpected = []
    for name, tensor in checkpoint.tensors.items():
        try:
            ours = renamed(name, rules)
        except KeyError:
            unexpected.append(name)
            continue
        if ours is not None and (ours not in expected or ours in state):
            unexpected.append(name)
        elif ours is not None:
            state[ours] = tensor
    shapes = [
        f"{name} (expected {tuple(expected[name].shape)}, got {tuple(tensor.shape)})"
        for name, tensor in state.items()
        if tensor.shape != expected[name].shape
    ]
    problems = {
        "missing": [name for name in expected if name not in state],
        "not expected": unexpected,
        "of another shape": shapes,
    }
    if any(problems.values()):
        report = "; ".join(f"{kind}: {_listed(names)}" for kind, names in problems.items() if names)
        raise WeightsError(f"{checkpoint.source}: its tensors do not fit this model: {report}")
    return state


def _expected(network: nn.Module) -> Mapping[str, Tensor]:
    """Tensors that must be given: not what no forward pass of ours reads; of two names, one."""
    first: dict[int, str] = {}
    state = network.state_dict(keep_vars=True)
    unread = [
        re.compile(rf"{re.escape(name)}\.{pattern}")
        for name, child in network.named_children()
        for pattern in getattr(child, "_keys_to_ignore_on_load_missing", None) or ()
    ]
    for name, tensor in state.items():
        if not any(pattern.match(name) for pattern in unread):
            first.setdefault(id(tensor), name)
    return {name: state[name] for name in first.values()}


def _listed(names: Iterable[str]) -> str:
    """All names, those that differ in numbers only as one with how many they are."""
    groups = Counter(re.sub(r"(?<=\.)\d+(?=\.)", "*", name) for name in names)
    return ", ".join(f"{name} x{n}" if n > 1 else name for name, n in groups.items())
