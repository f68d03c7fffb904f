"""gRefCOCO: sentences for no object, one or several. `grefs(SPLITBY).json` and `instances.json`."""

from __future__ import annotations

import re
from pathlib import Path

from askmask.datasets.frame import Card
from askmask.datasets.referring import referring_format

__all__ = ["FORMATS"]

_NAME = re.compile(r"grefs\(\w+\)\.(json|p)")


def _refs_file(path: Path) -> Path | None:
    """File of refs that a path means: itself, or the one in the folder, JSON before pickle."""
    if path.is_file():
        return path if _NAME.fullmatch(path.name) else None
    found = [file for file in sorted(path.glob("grefs(*")) if _NAME.fullmatch(file.name)]
    return next((file for file in found if file.suffix == ".json"), next(iter(found), None))


_CARD = Card(
    name="grefcoco",
    title="gRefCOCO: referring expressions for no object, one or several",
    source="Liu, Ding, Jiang, GRES: Generalized Referring Expression Segmentation, CVPR 2023",
    licence="CC BY-NC-SA 4.0 as stated by the authors; pictures: terms of Flickr",
    obtain="links in github.com/henghuiding/gRefCOCO. Pictures: COCO train2014, cocodataset.org",
    notes=(
        "the paper counts 278,232 expressions, the release has 259,859",
        "counts of the splits are not published",
        "some refs have no sentences and give no query",
        "file names in the refs may end in the annotation's number; the picture's name is used",
    ),
)

FORMATS = (referring_format(_CARD, _refs_file, "grefs(unc).json"),)
