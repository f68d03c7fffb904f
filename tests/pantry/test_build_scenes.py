from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_bank import FakeBank

from askmask.errors import ConfigError, DataError, OutputError
from askmask.formats.askmask import read_dataset_json, read_entities
from askmask.images import read_image
from askmask.pantry.build import (
    TRAINING_SEEDS,
    build_scenes,
    record_from_scene,
    scene_from_record,
)
from askmask.pantry.compose import compose

BANK: Any = FakeBank()
SIZE = (60, 80)


def build(out: Path, count: int = 3, seed: int = 7, **options: Any) -> dict[str, bytes]:
    build_scenes(out, count=count, seed=seed, size_hw=SIZE, bank=BANK, **options)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def test_build_writes_a_benchmark_folder(tmp_path: Path) -> None:
    finished: list[int] = []
    files = build(tmp_path / "a", progress=finished.append)
    assert finished == [1, 2, 3]
    pictures = [f"images/{number:06d}.png" for number in (7, 8, 9)]
    assert sorted(files) == sorted(["build.json", "dataset.json", "entities-val.jsonl", *pictures])
    records = list(read_entities(tmp_path / "a" / "entities-val.jsonl"))
    assert [record.image for record in records] == pictures
    card = read_dataset_json(tmp_path / "a")
    assert card["splits"]["val"]["images"] == 3
    assert set(card["sha256"]) >= {"entities-val.jsonl", *pictures}


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    assert build(tmp_path / "a") == build(tmp_path / "b")
    assert build(tmp_path / "a") != build(tmp_path / "c", seed=8)


def test_interrupted_build_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    expected = build(tmp_path / "whole")

    def interrupt(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "parts", progress=interrupt)
    assert not (tmp_path / "parts" / "entities-val.jsonl").exists()
    kept = tmp_path / "parts" / "images" / "000007.png"
    broken = tmp_path / "parts" / "images" / "000008.png"
    written = kept.stat().st_mtime_ns
    broken.write_bytes(b"half a picture")
    assert build(tmp_path / "parts") == expected
    assert kept.stat().st_mtime_ns == written


@pytest.mark.parametrize("change", [{"count": 4}, {"seed": 8}, {"split": "test"}])
def test_refuses_a_folder_of_other_arguments(tmp_path: Path, change: dict[str, Any]) -> None:
    before = build(tmp_path / "a")
    with pytest.raises(OutputError, match=next(iter(change))):
        build(tmp_path / "a", **change)
    assert before == build(tmp_path / "a")


def test_refuses_a_folder_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="new or empty folder"):
        build(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_refuses_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OutputError, match="new or empty folder"):
        build(tmp_path / "a")


@pytest.mark.parametrize("wrong", [{"count": 0}, {"seed": -1}, {"split": "../elsewhere"}])
def test_refuses_arguments_out_of_range(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=f"{next(iter(wrong))}.* got .*{next(iter(wrong.values()))}"
    ):
        build(tmp_path / "a", **wrong)
    assert not (tmp_path / "a").exists()


def test_records_come_back_as_scenes(tmp_path: Path) -> None:
    build(tmp_path)
    for record in read_entities(tmp_path / "entities-val.jsonl"):
        scene = scene_from_record(record, read_image(tmp_path / record.image))
        original = compose(BANK, scene.seed, SIZE)
        assert np.array_equal(scene.image, original.image)
        assert np.array_equal(scene.occlusion, original.occlusion)
        assert scene.layout == original.layout
        for item, first in zip(scene.objects, original.objects, strict=True):
            assert np.array_equal(item.modal, first.modal)
            assert np.array_equal(item.amodal, first.amodal)
            same = ("id", "category", "look", "container", "shape", "material", "colours")
            same += ("size_m", "centre_m", "amodal_area_full")
            assert all(getattr(item, name) == getattr(first, name) for name in same)


def test_entities_say_what_hides_what() -> None:
    scene = compose(BANK, 3, (120, 160))
    record = record_from_scene(scene, "images/000003.png")
    assert sum(len(entity.occluded_by) for entity in record.entities) > 0
    for index, entity in enumerate(record.entities):
        hiding = [scene.objects[a].id for a in np.flatnonzero(scene.occlusion[:, index])]
        assert list(entity.occluded_by) == hiding
        nearer = [e for e in record.entities if e.id in hiding]
        assert all(e.depth_order < entity.depth_order for e in nearer)
        assert entity.attributes["colour"] == "red"
        assert entity.attributes["colours"] == {"red": 0.7, "blue": 0.2}


@pytest.mark.parametrize("missing", ["layout", "seed", "occlusion"])
def test_scene_from_record_names_what_is_missing(missing: str) -> None:
    scene = compose(BANK, 3, SIZE)
    record = record_from_scene(scene, "images/000003.png")
    extra = {key: value for key, value in record.extra.items() if key != missing}
    with pytest.raises(DataError, match=f"images/000003.png.*{missing}"):
        scene_from_record(replace(record, extra=extra), scene.image)


def test_plan_is_readable(tmp_path: Path) -> None:
    plan = json.loads(build(tmp_path)["build.json"])
    assert (plan["count"], plan["seed"], plan["split"]) == (3, 7, "val")


def test_seeds_of_training_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="are for training"):
        build_scenes(tmp_path / "out", count=2, seed=TRAINING_SEEDS - 1)
