"""All data sets that askmask reads, and which of them a path holds.

Readers import `frame`, never this file, which imports them.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from askmask.datasets import (
    askmask_folder,
    coco,
    coco_amodal,
    cocoa,
    cocoa_cls,
    d2sa,
    grefcoco,
    kins,
    lvis,
    mask_groups_hq,
    muse,
    muva,
    r2sm,
    reasonseg,
    refer,
)
from askmask.datasets.frame import BadRecords, Card, DatasetFormat
from askmask.errors import ConfigError, DataError

__all__ = ["FORMATS", "BadRecords", "Card", "DatasetFormat", "named", "recognise"]

_READERS: tuple[tuple[DatasetFormat, ...], ...] = (
    *(refer.FORMATS, grefcoco.FORMATS, reasonseg.FORMATS, muse.FORMATS),
    *(askmask_folder.FORMATS, mask_groups_hq.FORMATS, r2sm.FORMATS),
    *(cocoa.FORMATS, d2sa.FORMATS, muva.FORMATS, cocoa_cls.FORMATS, kins.FORMATS),
    *(coco_amodal.FORMATS, lvis.FORMATS, coco.FORMATS),
)
"""The `FORMATS` of each reader; where two recognise a path, the first one has it."""

FORMATS: dict[str, DatasetFormat] = {one.name: one for group in _READERS for one in group}
"""Name -> format, in the order in which they are tried."""


def named(name: str) -> DatasetFormat:
    """Return the format called `name`.

    Raises:
        ConfigError: naming the nearest one when there is none of that name.
    """
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, FORMATS, 1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(FORMATS)}"
    raise ConfigError(f"format {name!r} is not known; {hint}")


def recognise(path: str | Path) -> DatasetFormat:
    """Return the format of a file or folder.

    Raises:
        DataError: when there is nothing at `path`, or no format recognises it.
    """
    path = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 (unlike Path.exists, it never raises)
        raise DataError(f"{path}: expected a file or folder, there is none")
    for one in FORMATS.values():
        if one.recognises(path):
            return one
    raise DataError(
        f"{path}: looks like no data set that askmask reads; tried {', '.join(FORMATS)}; "
        "name the file of annotations, or the format with --from"
    )
