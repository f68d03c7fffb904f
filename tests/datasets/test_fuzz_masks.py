"""Readers of masks and broken files: a record, or a DataError that names the file; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import check_survives, mutated
from toy_scene import coco_visible, cocoa, cocoa_cls, kins_2020, kins_old, lvis, mask_groups

from askmask.datasets.registry import named

CONTENT: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "coco": ("coco", "file.json", coco_visible),
    "lvis": ("lvis", "lvis_v1_val.json", lvis),
    "cocoa-cls": ("cocoa-cls", "COCO_amodal_val2014_with_classes.json", cocoa_cls),
    "d2sa": ("d2sa", "D2S_amodal_validation.json", cocoa_cls),
    "muva": ("muva", "AiFi-MUVA_val.json", cocoa_cls),
    "kins": ("kins", "update_test_2020.json", kins_2020),
    "kins old": ("coco-amodal", "instances.json", kins_old),
    "cocoa": ("cocoa", "COCO_amodal_val2014.json", lambda: cocoa(annotators=2)),
    "cocoa without masks": ("cocoa", "1.json", lambda: cocoa(visible=False)["annotations"][0]),
    "mask groups": ("mask-groups-hq", "val.json", mask_groups),
}


@pytest.mark.parametrize("kind", CONTENT)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_give_records_or_data_errors(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    name, file, content = CONTENT[kind]
    path = tmp_path / file
    path.write_text(data.draw(mutated(content())), encoding="utf-8")
    check_survives(named(name), path)


@pytest.mark.parametrize("kind", CONTENT)
def test_what_is_mutated_is_right_at_first(kind: str, tmp_path: Path) -> None:
    name, file, content = CONTENT[kind]
    path = tmp_path / file
    path.write_text(json.dumps(content()))
    assert named(name).recognises(path)
    check_survives(named(name), path)
