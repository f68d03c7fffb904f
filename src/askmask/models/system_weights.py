"""A trained system in a folder: `system.json` and `weights.safetensors`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from askmask.errors import ConfigError, WeightsError
from askmask.formats.files import read_json, write_json
from askmask.models.by_name import class_at
from askmask.models.pretrained import save_state
from askmask.models.system import Bars, System
from askmask.models.trunk import SIZES
from askmask.models.weight_files import files_sha256

__all__ = ["SYSTEMS", "build_system", "load_system", "save_system", "system_hash"]

SYSTEMS = {
    "lisa": "askmask.models.lisa:Lisa",
    "pixellm": "askmask.models.pixellm:Pixellm",
    "glamm": "askmask.models.glamm:Glamm",
    "psalm": "askmask.models.psalm:Psalm",
    "rela": "askmask.models.rela:Rela",
    "ras": "askmask.models.ras:Ras",
    "rea2seg": "askmask.models.rea2seg:Rea2Seg",
}
"""Name -> "module:Class" of every system."""

_MAX_CONFIG_BYTES = 100_000


def build_system(name: str, size: str, options: dict[str, Any] | None = None) -> System:
    """Make a new system.

    Args:
        name: key of `SYSTEMS`.
        size: key of `trunk.SIZES`.
        options: the design's own; missing ones are its defaults.

    Raises:
        ConfigError: for what is not known.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"system {name!r} is not known, there are {', '.join(SYSTEMS)}")
    if size not in SIZES:
        raise ConfigError(f"size {size!r} is not known, there are {', '.join(SIZES)}")
    try:
        system: System = class_at(SYSTEMS[name]).named(size, **(options or {}))
    except TypeError as error:
        raise ConfigError(f"system {name}: {error}") from error
    return system


def save_system(system: System, size: str, folder: Path, pool: str | None = None) -> str:
    """Write a system.

    Args:
        system: of any kind in `SYSTEMS`.
        size: under which it was built.
        folder: existing folder.
        pool: name or folder of the model whose proposer gives it candidates, if it wants any.

    Returns:
        The hash, which is also written as `sha256.txt`.
    """
    described = {
        "system": system.name,
        "size": size,
        "options": system.options(),
        "pool": pool,
        "bars": system.bars._asdict(),
    }
    # Options as they will be read: a tuple becomes a list.
    write_json(folder / "system.json", json.loads(json.dumps(described)))
    save_state(system, folder / "weights.safetensors")
    digest = system_hash(folder)
    (folder / "sha256.txt").write_text(digest + "\n", "utf-8")
    return digest


def load_system(folder: Path) -> tuple[System, str | None]:
    """Read a system, ready to answer, and the name of the model that gives it candidates.

    Raises:
        WeightsError: when a file is missing or is not what `save_system` wrote.
    """
    path = folder / "weights.safetensors"
    if not path.is_file():
        raise WeightsError(f"{path} is missing; give the folder that `askmask train` exported")
    described = read_json(folder / "system.json", _MAX_CONFIG_BYTES)
    try:
        system = build_system(described["system"], described["size"], described["options"])
        system.load_state_dict(load_file(path))
        pool: str | None = described["pool"]
        system.bars = Bars(**described["bars"])
    except (ConfigError, KeyError, RuntimeError, SafetensorError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{folder}: holds no system of this version ({reason})") from error
    system.eval()
    return system, pool


def system_hash(folder: Path) -> str:
    """SHA-256 over the two files."""
    return files_sha256(folder, ("system.json", "weights.safetensors"))
