"""Low-rank adapters, by peft: a few numbers beside the weights of a language model that learn.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022. Adapters are put into a
model in place; what peft returns is only needed to save them.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.errors import ConfigError, MissingExtraError, WeightsError

__all__ = ["LoraSettings", "add_lora", "load_lora", "save_lora"]


@dataclass(frozen=True)
class LoraSettings:
    """Size and place of adapters.

    Attributes:
        rank: width of the bottleneck; 0 for no adapters.
        alpha: what adapters add is multiplied by alpha / rank.
        dropout: of what goes into adapters.
        layers: names of the linear layers that have one, in every layer of the language model.
    """

    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    layers: tuple[str, ...] = ("q_proj", "v_proj")


def add_lora(model: Any, settings: LoraSettings) -> Any:
    """Put new adapters, which change nothing yet, into the language model of `model`.

    Everything but the adapters stops learning.

    Returns:
        The `PeftModel` around `model`.

    Raises:
        ConfigError: when the language model has no such layers.
        MissingExtraError: when peft is not installed.
    """
    # What sees may have layers of the same names.
    names = rf"(?!.*(?:vision|visual)).*\.(?:{'|'.join(settings.layers)})"
    config = _peft().LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=names,
    )
    try:
        with _quiet():
            return _peft().get_peft_model(model, config)
    except ValueError as error:
        raise ConfigError(
            f"LoRA: the language model has no layers {', '.join(settings.layers)}"
        ) from error


def save_lora(adapted: Any, folder: Path) -> None:
    """Write adapters as peft does: `adapter_config.json` and `adapter_model.safetensors`."""
    adapted.save_pretrained(folder, save_embedding_layers=False)


def load_lora(model: Any, folder: Path) -> Any:
    """Put saved adapters into `model`, in place; returns what `add_lora` does.

    Raises:
        WeightsError: when the files are missing, broken, or of another model.
        MissingExtraError: when peft is not installed.
    """
    try:
        with _quiet():
            return _peft().PeftModel.from_pretrained(model, str(folder))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{folder}: expected adapters of this model ({reason})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Peft asks for what newer versions of transformers call otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _peft() -> Any:
    try:
        return importlib.import_module("peft")
    except ImportError as error:
        raise MissingExtraError.of("peft", "hub", "a fine-tuned model of the hub") from error
