"""Masks made many at a time are those made one by one, and bad ones are left for later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_datasets import annotation, instances, polygon, write_json

from askmask import rle
from askmask.datasets import instances as module
from askmask.datasets.frame import BadRecords
from askmask.datasets.instances import Instances, read_instances
from askmask.errors import DataError

FORMS: dict[int, Any] = {
    1: [polygon(11)],
    2: [polygon(11), polygon(12), [1, 2, 3, 4]],
    3: [],
    4: [[5, 5, 90, 5, 30, 90]],
    5: dict(rle.encode(np.eye(40, 60, dtype=bool))),
    6: polygon(13),
    7: [[x * 1e3 for x in polygon(13)]],
}
BAD: dict[int, Any] = {21: [[1, 2, 3]], 22: [[1, 2, 3, float("nan"), 5, 6]], 23: [[]], 24: [["x"]]}


def read(tmp_path: Path) -> Instances:
    rows = [annotation(11, id=key, segmentation=form) for key, form in (FORMS | BAD).items()]
    path = write_json(tmp_path / "instances.json", instances(annotations=rows))
    return read_instances(path, {*FORMS, *BAD}, BadRecords())


@pytest.mark.parametrize("budget", [0, 300, 100_000])
def test_together_as_alone(budget: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH_OUTLINE", budget)
    together, alone = read(tmp_path), read(tmp_path)
    together.prepare([*FORMS, *BAD, 99, 1])
    for key in FORMS:
        assert together.target(key, 7) == alone.target(key, 7)
    for key in BAD:
        with pytest.raises(DataError, match=f"annotation {key}: expected polygons"):
            together.target(key, 7)


def test_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    path = write_json(tmp_path / "instances.json", instances())
    found = read_instances(path, {11}, BadRecords())
    assert found.target(11, 7).category == "cup"
    with pytest.raises(DataError, match="annotation 12: expected it there"):
        found.target(12, 7)
    assert found.picture(8).file_name == "COCO_train2014_000000000008.jpg"
