"""Load parts of published models: where they compute, in what precision, and what went wrong.

The one place that imports transformers. Models come as classes by name (`SamModel`), from a folder
that `save_pretrained` wrote or by the name of a hub repository (`facebook/sam-vit-base`).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from askmask.errors import ConfigError, MissingExtraError, NoRoomError, WeightsError
from askmask.models.hub.catalog import smaller_than

__all__ = [
    "DEVICES",
    "DTYPES",
    "Where",
    "load_file",
    "load_part",
    "out_of_memory",
    "transformers",
]

DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Where:
    """Where a model computes, and in what precision.

    Attributes:
        device: one of `DEVICES`; "auto" takes a GPU when torch finds one.
        dtype: one of `DTYPES`; "auto" is bfloat16 on a GPU and float32 elsewhere.
        four_bit: hold the weights of language models in four bits, by bitsandbytes.
    """

    device: str = "auto"
    dtype: str = "auto"
    four_bit: bool = False

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--device", self.device, DEVICES),
            ("--dtype", self.dtype, DTYPES),
        ):
            if value not in known:
                raise ConfigError(f"{option}: expected one of {', '.join(known)}, got {value!r}")

    def torch_device(self) -> Any:
        """The `torch.device` that is meant.

        Raises:
            ConfigError: when torch has no such device.
        """
        torch = _imported("torch")
        there = {
            "cuda": torch.cuda.is_available(),
            "mps": torch.backends.mps.is_available(),
            "cpu": True,
        }
        if self.device == "auto":
            return torch.device(next(name for name, found in there.items() if found))
        if not there[self.device]:
            raise ConfigError(
                f"--device {self.device}: torch finds none; use --device cpu, or install a torch "
                "built for your GPU"
            )
        return torch.device(self.device)

    def torch_dtype(self) -> Any:
        """The `torch.dtype` that is meant."""
        torch = _imported("torch")
        if self.dtype != "auto":
            return getattr(torch, self.dtype)
        return torch.float32 if self.torch_device().type == "cpu" else torch.bfloat16

    def quantization(self) -> Any | None:
        """The `BitsAndBytesConfig` of four bits, or None.

        Raises:
            MissingExtraError: when bitsandbytes is not installed.
        """
        if not self.four_bit:
            return None
        try:
            importlib.import_module("bitsandbytes")
        except ImportError as error:
            raise MissingExtraError(
                "four bits need bitsandbytes, which is not installed: pip install bitsandbytes"
            ) from error
        return transformers().BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_compute_dtype=self.torch_dtype()
        )


@cache
def transformers() -> ModuleType:
    """The library, imported so that a broken torchvision does no harm.

    Beside a torch of another build, torchvision is found but cannot be imported, and then nothing
    of transformers that sees can be imported either. Absent is better than broken.

    Raises:
        MissingExtraError: when torch or transformers are not installed.
    """
    _imported("torch")
    try:
        importlib.import_module("torchvision")
    except Exception:  # whatever a library that is linked against another torch raises
        sys.modules["torchvision"] = None  # type: ignore[assignment]
    return _imported("transformers")


def load_part(class_name: str, source: str, where: Where | None = None, **settings: Any) -> Any:
    """Load a model, tokenizer or processor of transformers.

    Args:
        class_name: e.g. "SamModel" or "AutoTokenizer".
        source: folder that `save_pretrained` wrote, or hub repository, with or without @REVISION.
        where: device and precision of a model, which is then returned in evaluation mode; None for
            what has no weights.
        settings: further arguments of `from_pretrained`.

    Raises:
        ConfigError: when the installed transformers has no such class.
        NoRoomError: when the GPU's memory is too small.
        WeightsError: when the files are missing, gated, broken, or lack weights of the class.
        MissingExtraError: when torch or transformers are not installed.
    """
    library = transformers()
    if not hasattr(library, class_name):
        raise ConfigError(
            f"transformers {library.__version__} has no {class_name}: pip install -U transformers"
        )
    if where is not None:
        settings = {"dtype": where.torch_dtype(), **settings}
        if (quantization := where.quantization()) is not None:
            settings["quantization_config"] = quantization
    repository, revision = _pinned(source)
    with _explained(source), out_of_memory(source):
        load = getattr(library, class_name).from_pretrained
        if where is None:
            return load(repository, **revision, **settings)
        part, found = load(repository, output_loading_info=True, **revision, **settings)
        if found["missing_keys"]:  # which would be random numbers, and transformers just warns
            missing = sorted(found["missing_keys"])
            raise WeightsError(
                f"{source}: lacks {len(missing):,} weights of {class_name}, e.g. {missing[0]}; "
                "it belongs to another class, or is not whole"
            )
        if not where.four_bit:  # those are placed as they are loaded
            part = part.to(where.torch_device())
        return part.eval()


def load_file(source: str, name: str) -> Path | None:
    """Find a file beside a model, in its folder or hub repository; None where there is none.

    Raises:
        WeightsError: when the repository is gated or does not exist.
    """
    if Path(source).is_dir():
        beside = Path(source) / name
        return beside if beside.is_file() else None
    hub = _imported("huggingface_hub")
    repository, revision = _pinned(source)
    with _explained(source):
        try:
            return Path(hub.hf_hub_download(repository, name, **revision))
        except hub.errors.EntryNotFoundError:
            return None


def _pinned(source: str) -> tuple[str, dict[str, str]]:
    """Folder or repository, and the argument that pins its revision where one is named."""
    repository, at, revision = source.partition("@")
    return (
        (repository, {"revision": revision}) if at and not Path(source).exists() else (source, {})
    )


@contextmanager
def out_of_memory(source: str) -> Iterator[None]:
    """Say what to do where the memory of the device does not hold `source` and its work.

    Raises:
        NoRoomError: instead of torch's error.
    """
    torch = _imported("torch")
    try:
        yield
    except torch.OutOfMemoryError as error:
        smaller = smaller_than(source) or "a smaller model (askmask models)"
        raise NoRoomError(
            f"{source}: the GPU's memory is too small; use {smaller}, --dtype bfloat16, "
            "--four-bit, or --device cpu"
        ) from error


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Turn what `from_pretrained` raises into one line that says what to do."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{source}: {_reason(error, source)}") from error


def _reason(error: BaseException, source: str) -> str:
    kinds = {type(one).__name__ for one in _causes(error)}
    if "GatedRepoError" in kinds:
        return (
            "the repository is gated; accept its licence on its page, run `hf auth login`, "
            f"or use {smaller_than(source) or 'an ungated model (askmask models)'}"
        )
    if Path(source).is_dir():
        return f"not a folder that this class can load ({_first_line(error)})"
    if kinds & {"RepositoryNotFoundError", "HFValidationError"}:
        return "neither a folder nor a repository of the hub; check the name (askmask models)"
    return (
        "not a folder, not in the local cache, and the hub cannot be reached; run once with a "
        "connection, give a folder that save_pretrained wrote, or use embedded-v1, which is here "
        f"({_first_line(error)})"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:200]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError.of(name, "hub", "a model of the hub") from error
