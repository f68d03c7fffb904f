"""What this machine has for the models of the hub, and what is missing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from askmask.errors import AskmaskWarning, NoRoomError
from askmask.models.hub.catalog import Published
from askmask.models.hub.loading import Where

__all__ = ["check_room", "downloaded", "memory_gb", "missing"]

_SLOW_SECONDS = 10.0


def memory_gb() -> float | None:
    """Memory of this computer, without that of GPUs; None where it cannot be told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, OSError, ValueError):  # not on Windows
        return None


def downloaded(model: Published) -> bool:
    """Whether the model is in the cache of the hub, at least in part."""
    if not model.repository or find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model.repository, "config.json", revision=model.revision)
    return isinstance(found, str)


def missing(model: Published) -> Iterator[str]:
    """What must happen before the model runs here, in words; nothing when it is ready."""
    absent = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if absent:
        yield f"no {' and '.join(absent)}: pip install 'askmask[hub]'"
    if not model.repository:
        yield "the path of its weights, which are not on the hub"
    elif not downloaded(model):
        if model.gated:
            yield "gated: accept its licence on its page, then `hf auth login`"
        yield f"{model.download_gb:.1f} GB to download"
    memory = memory_gb()
    if memory is not None and model.memory_gb("bfloat16") > memory:
        yield f"more memory than this computer's {memory:.0f} GB, unless it has a GPU"


def check_room(models: Mapping[str, Published], where: Where) -> None:
    """Refuse models that the memory cannot hold together, and warn of those that take long.

    Args:
        models: what is about to be loaded, by name.
        where: device and precision.

    Raises:
        NoRoomError: naming a smaller model or another precision.
    """
    if not models:
        return
    device = where.torch_device().type
    dtype = str(where.torch_dtype()).removeprefix("torch.")
    need = {name: model.memory_gb(dtype, four_bit=where.four_bit) for name, model in models.items()}
    room = _device_gb(device)
    if room is not None and sum(need.values()) > room:
        largest = models[max(need, key=need.__getitem__)]
        names = " and ".join(f"hub:{name}" for name in need)
        raise NoRoomError(
            f"{names}: about {sum(need.values()):.0f} GB are needed in {dtype}, the {device} has "
            f"{room:.0f} GB: {_way_out(largest, dtype, device, where)}"
        )
    times = [
        f"hub:{name} about {model.cpu_seconds:.0f} s a {model.unit}"
        for name, model in models.items()
        if model.cpu_seconds > _SLOW_SECONDS
    ]
    if device == "cpu" and times:
        warnings.warn(
            f"no GPU is used, so this takes long: {', '.join(times)} on two cores; embedded-v1 and "
            "the small models of `askmask models` are faster",
            AskmaskWarning,
            stacklevel=2,
        )


def _device_gb(device: str) -> float | None:
    if device != "cuda":
        return memory_gb()
    import torch

    return float(torch.cuda.get_device_properties(0).total_memory) / 1e9


def _way_out(model: Published, dtype: str, device: str, where: Where) -> str:
    """What to do about a model that is too large."""
    ways = [f"use the smaller hub:{model.smaller}"] if model.smaller else ["use embedded-v1"]
    if dtype == "float32" and not model.exact:
        ways.append("--dtype bfloat16")
    if device == "cuda" and model.speaks and not where.four_bit:
        ways.append("--four-bit")
    return " or ".join(ways)
