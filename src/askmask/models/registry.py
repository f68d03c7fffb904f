"""Models by name. Nothing is imported until a model is asked for."""

from __future__ import annotations

from pathlib import Path

from askmask.errors import ConfigError
from askmask.models.by_name import class_at, unknown
from askmask.models.segmenter import MaskTyper, Segmenter

__all__ = ["DEFAULT_MODEL", "MODELS", "available", "load", "load_mask_typer"]

DEFAULT_MODEL = "embedded-v1"

MODELS: dict[str, str] = {
    "embedded-v1": "askmask.models.embedded.segmenter:EmbeddedSegmenter",
}
"""Name -> "module:Class"; the class has a method `load(name)` that returns a `Segmenter`."""

_SYSTEM = "askmask.models.system_segmenter:SystemSegmenter"
"""What a folder with `system.json` holds: one of the seven systems of docs/seven.md."""


def available() -> list[str]:
    """Names that `load` accepts, sorted."""
    return sorted(MODELS)


def load(model_id: str = DEFAULT_MODEL) -> Segmenter:
    """Load a model by name.

    Args:
        model_id: one of `available()`, or a folder of weights that `askmask train` exported.

    Raises:
        ConfigError: for an unknown name; the message gives the nearest known one.
        WeightsError: when the model's files are missing or do not match their hash.
        MissingExtraError: when the model needs a package that is not installed.
    """
    if model_id in MODELS:
        target = MODELS[model_id]
    elif model_id and (Path(model_id) / "system.json").is_file():
        target = _SYSTEM
    elif model_id and Path(model_id).is_dir():
        target = MODELS[DEFAULT_MODEL]
    else:
        raise unknown("model", model_id, MODELS)
    model: Segmenter = class_at(target).load(model_id)
    return model


def load_mask_typer(model_id: str = DEFAULT_MODEL) -> MaskTyper:
    """Load a model that names the mask type of sentences without a picture.

    Raises:
        ConfigError: for an unknown name, or a model that cannot do so.
    """
    model = load(model_id)
    if not isinstance(model, MaskTyper):
        raise ConfigError(f"model {model_id!r} cannot name mask types without a picture")
    return model
