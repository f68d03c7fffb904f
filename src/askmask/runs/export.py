"""The answers of a run folder in the formats of other tools."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from askmask.errors import ConfigError, OutputError
from askmask.formats.collection import Losses
from askmask.formats.converters import convert

__all__ = ["EXPORTS", "check_export", "export_run"]

EXPORTS: Mapping[str, str] = MappingProxyType(
    {
        "coco": ".json",
        "coco-polygons": ".json",
        "coco-results": ".json",
        "cvat": ".xml",
        "fiftyone": "",
        "label-studio": ".json",
        "labelme": "",
        "labelme-masks": "",
        "parquet": "",
        "png": "",
        "png-binary": "",
        "yolo": "",
    }
)
"""Format that holds answers, or the objects in them -> end of its file's name; "" is a folder."""

_OF_OBJECTS = ("coco", "coco-polygons", "parquet")
"""Those that know of no answers; they take them as objects of the pictures."""


def check_export(target_format: str) -> None:
    """Refuse a format that answers cannot be exported to.

    Raises:
        ConfigError: naming those that they can.
    """
    if target_format not in EXPORTS:
        raise ConfigError(f"--format: expected one of {', '.join(EXPORTS)}, got {target_format!r}")


def export_run(run: Path, target_format: str) -> tuple[Path, Losses]:
    """Write the answers of a run to FORMAT, or FORMAT.json, in its folder.

    An older one is replaced. All answers are in memory while they are written.

    Args:
        run: run folder with queries.jsonl.
        target_format: a key of EXPORTS.

    Returns:
        File or folder that was written, and what the format cannot hold.

    Raises:
        ConfigError: for another format.
        MissingExtraError: when the format needs a package that is not installed.
        OutputError: when it cannot be written.
    """
    check_export(target_format)
    out = run / f"{target_format}{EXPORTS[target_format]}"
    draft = run / f".askmask-{out.name}"  # beside it, so that paths in it lead to the pictures
    source = "run" if target_format in _OF_OBJECTS else "askmask"
    try:
        _remove(draft)
        losses = convert(run, draft, source_format=source, target_format=target_format)
        _remove(out)
        draft.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
    return out, losses


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
