"""Queries for a folder of scenes."""

from __future__ import annotations

import numpy as np
import pytest
from toy import random_scene

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import (
    read_dataset_json,
    read_entities,
    read_queries,
    write_dataset_json,
    write_entities,
)
from askmask.pantry.build import record_from_scene
from askmask.pantry.language.folder import build_queries_folder
from askmask.types import MaskType

COUNT, PER_IMAGE = 6, 8


def make_scenes(folder):
    scenes = [random_scene(seed) for seed in range(COUNT)]
    folder.mkdir()
    (folder / "images").mkdir()
    records = [record_from_scene(scene, f"images/{scene.seed:06d}.png") for scene in scenes]
    write_entities(folder / "entities-val.jsonl", records)
    write_dataset_json(folder, name="toy", license="CC-BY-4.0", source="a test")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_scenes(tmp_path_factory.mktemp("queries") / "toy")
    build_queries_folder(folder, split="val", per_image=PER_IMAGE, seed=3, pool="train")
    return folder


def test_every_picture_gets_queries(folder):
    queries = list(read_queries(folder / "queries-val.jsonl"))
    assert {query.image for query in queries} == {f"images/{i:06d}.png" for i in range(COUNT)}
    assert len(queries) >= 0.9 * COUNT * PER_IMAGE
    assert read_dataset_json(folder)["splits"]["val"]["queries"] == len(queries)


def test_masks_are_of_the_asked_type(folder):
    entities = {
        (record.image, entity.id): entity
        for record in read_entities(folder / "entities-val.jsonl")
        for entity in record.entities
    }
    seen = set()
    for query in read_queries(folder / "queries-val.jsonl"):
        for target in query.targets:
            entity = entities[query.image, target.entity]
            modal, amodal = rle.decode(entity.modal), rle.decode(entity.amodal)
            wanted = {
                MaskType.MODAL: modal,
                MaskType.AMODAL: amodal,
                MaskType.HIDDEN: amodal & ~modal,
            }[query.mask_type]
            assert np.array_equal(rle.decode(target.segmentation), wanted)
            assert target.category == entity.category
            seen.add(query.mask_type)
    assert seen == set(MaskType)


def test_tags_name_dataset_and_twin(folder):
    queries = {query.id: query for query in read_queries(folder / "queries-val.jsonl")}
    twins = 0
    for query in queries.values():
        assert "dataset:toy" in query.tags
        for tag in query.tags:
            if tag.startswith("twin:"):
                other = queries[tag.removeprefix("twin:")]
                assert [t.entity for t in other.targets] == [t.entity for t in query.targets]
                assert other.mask_type != query.mask_type
                twins += 1
    assert twins


def test_same_arguments_same_bytes(folder, tmp_path):
    again = make_scenes(tmp_path / "elsewhere")
    done = []
    build_queries_folder(
        again, split="val", per_image=PER_IMAGE, seed=3, pool="train", progress=done.append
    )
    name = "queries-val.jsonl"
    assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert done == list(range(1, COUNT + 1))
    build_queries_folder(again, split="val", per_image=PER_IMAGE, seed=4, pool="train")
    assert (again / name).read_bytes() != (folder / name).read_bytes()


def test_missing_scenes_are_named(tmp_path):
    with pytest.raises(DataError, match=r"entities-val\.jsonl: not found; build the scenes"):
        build_queries_folder(tmp_path)
