"""Reading an `instances.json` in one go gives what reading it item by item gives, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from toy_datasets import annotation, instances, write_json

from askmask.datasets import typed_instances
from askmask.datasets.frame import BadRecords
from askmask.datasets.instances import Instances, read_instances

WANTED = (11, 13, "7_11")

pytest.importorskip("msgspec")


def careful(path: Path, bad: BadRecords) -> Instances:
    with patch("askmask.datasets.instances.read_typed", return_value=None):
        return read_instances(path, WANTED, bad)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_read_at_once_is_read_alike_with_care(
    data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / "instances.json"
    path.write_text(data.draw(mutated(instances())), encoding="utf-8")
    if typed_instances.read_typed(path, WANTED) is not None:
        assert read_instances(path, WANTED, BadRecords()) == careful(path, BadRecords())


ODD: dict[str, Any] = {
    "text": annotation(11, id="7_11", segmentation=[{"size": [40, 60], "counts": [2400]}]),
    "crowd": annotation(11, iscrowd=True, segmentation={"size": [40, 60], "counts": "PPk2"}),
    "huge": annotation(11, segmentation=[[0, 0, 9, 0, 9, 10**30]], category_id=None),
    "empty": annotation(11, segmentation=[]),
    "whole": annotation(11, segmentation=[[0, 0, 9, 0, 9, 9]], iscrowd=None),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_real_files_have_is_read_at_once(kind: str, tmp_path: Path) -> None:
    path = write_json(tmp_path / "instances.json", instances(annotations=[ODD[kind]]))
    assert typed_instances.read_typed(path, WANTED) is not None
    assert read_instances(path, WANTED, BadRecords()) == careful(path, BadRecords())


@pytest.mark.parametrize(
    "change",
    [
        {"images": []},
        {"images": [{"id": 7, "file_name": "", "height": 40, "width": 60}]},
        {"images": [{"id": 7, "file_name": "a\0.jpg", "height": 40, "width": 60}]},
        {"images": [{"id": 7, "file_name": "a.jpg", "height": 40.0, "width": 60}]},
        {"annotations": [annotation(11, id=True)]},
        {"annotations": [annotation(11, category_id=[3])]},
        {"annotations": [annotation(11, area=float("nan"))]},
    ],
)
def test_faults_are_left_to_care(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(instances(**change)), encoding="utf-8")
    assert typed_instances.read_typed(path, WANTED) is None


def test_large_and_misspelt_files_are_left_to_care(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_json(tmp_path / "instances.json", instances())
    assert typed_instances.read_typed(path, WANTED) is not None
    path.write_bytes(path.read_bytes().replace(b"toy", b"\xff\xfe\xfd"))
    assert typed_instances.read_typed(path, WANTED) is None
    monkeypatch.setattr(typed_instances, "MAX_BYTES", 100)
    assert typed_instances.read_typed(write_json(path, instances()), WANTED) is None
