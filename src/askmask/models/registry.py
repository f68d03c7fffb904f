"""Models by name. Nothing is imported until a model is asked for."""

from __future__ import annotations

from pathlib import Path

from askmask.errors import ConfigError
from askmask.models.by_name import class_at, unknown
from askmask.models.hub.loading import Where
from askmask.models.segmenter import MaskTyper, Segmenter
from askmask.models.spec import KINDS

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


def load(
    model_id: str = DEFAULT_MODEL,
    *,
    device: str = "auto",
    dtype: str = "auto",
    four_bit: bool = False,
) -> Segmenter:
    """Load a model by name.

    Args:
        model_id: one of `available()`, a folder of weights that `askmask train` exported, "hub:"
            and the name of a whole model, or PROPOSER+COMPLETER+SELECTOR; `askmask models` lists
            what is known, docs/hub-models.md tells more.
        device: where models of the hub compute: "auto" (a GPU if there is one), "cpu", "cuda" or
            "mps". Others compute where they were made for.
        dtype: in what precision: "auto", "float32", "bfloat16" or "float16".
        four_bit: whether language models of the hub are held in four bits.

    Raises:
        ConfigError: for an unknown name; the message gives the nearest known one.
        WeightsError: when the model's files are missing or do not match their hash, or the memory
            does not hold it.
        MissingExtraError: when the model needs a package that is not installed.
    """
    where = Where(device, dtype, four_bit)
    if model_id in MODELS:
        target = MODELS[model_id]
    elif model_id and (Path(model_id) / "system.json").is_file():
        target = _SYSTEM
    elif model_id and (Path(model_id) / "tuned.json").is_file():
        from askmask.models.hub.published.tuned import load_tuned

        return load_tuned(model_id, where)
    elif model_id and Path(model_id).is_dir():
        target = MODELS[DEFAULT_MODEL]
    elif "+" in model_id or model_id.partition(":")[0] in filter(None, KINDS):
        from askmask.models.composed import load_composed

        return load_composed(model_id, where)
    else:
        raise unknown("model", model_id, MODELS)
    if where not in (Where(), Where("cpu")):
        raise ConfigError(
            f"model {model_id!r} computes on the CPU as it was made to: leave out --device, "
            "--dtype and --four-bit"
        )
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
