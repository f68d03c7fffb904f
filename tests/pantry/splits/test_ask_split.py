"""Whole splits, small ones: the same bytes again, nothing shared, balanced, and as promised."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from askmask.errors import DataError
from askmask.formats.askmask import (
    read_dataset_json,
    read_entities,
    read_queries,
    write_dataset_json,
    write_entities,
)
from askmask.formats.files import read_json
from askmask.pantry.build import record_from_scene, scene_from_record, write_picture
from askmask.pantry.cast import ComposeSettings
from askmask.pantry.compose import compose
from askmask.pantry.language.facts import MIN_VISIBLE
from askmask.pantry.splits import SPLITS, ask_split, is_published, verify_checksums
from askmask.pantry.splits.checksums import digest
from askmask.pantry.splits.held_out import HeldOut
from askmask.pantry.splits.labels import TASKS
from askmask.pantry.splits.sgdr import BLIND_CEILING, DIMENSIONS, SGDR_TAG
from askmask.pantry.sprites import SpriteBank

pytest.importorskip("cv2")

NAMES = ("val", "test", "test-objects", "test-nouns", "test-views")
SIZE_HW = (180, 240)
CROWDED = ComposeSettings(objects=(6, 12), repeats=0.9)
OUT = HeldOut(
    designs=frozenset({2}),
    nouns=frozenset({"apple", "can of beans", "jar of honey", "box of tea", "bottle of ketchup"}),
)
"""A list for the sprites, of which training holds nothing out."""


def small(name):
    return SPLITS[name].of_size(5)


def mirrored(scene):
    """The scene in a mirror: a second view for a camera that cannot move."""
    return replace(
        scene,
        image=np.ascontiguousarray(scene.image[:, ::-1]),
        objects=tuple(
            replace(
                item,
                modal=np.ascontiguousarray(item.modal[:, ::-1]),
                amodal=np.ascontiguousarray(item.amodal[:, ::-1]),
                centre_m=(-item.centre_m[0], *item.centre_m[1:]),
            )
            for item in scene.objects
        ),
    )


def bank_of(cast):
    """The sprites of a cast alone."""
    bank = copy(SpriteBank.load())
    bank.looks = tuple(one for one in bank.looks if OUT.cast_of(one.look, one.category) == cast)
    return bank


def built(folder, name, cast=None):
    """Compose the scenes of a split and ask about them; as the renderer does, without it."""
    split = replace(small(name), queries=60)
    bank = bank_of(cast or split.cast)
    records = []
    (folder / "images").mkdir(parents=True)
    for seed in split.seeds:
        scene = compose(bank, seed, SIZE_HW, CROWDED)
        scene = mirrored(scene) if split.view else scene
        records.append(record_from_scene(scene, f"images/{seed}-{split.view}.png"))
        write_picture(folder / records[-1].image, scene.image)
    write_entities(folder / f"entities-{name}.jsonl", records)
    write_dataset_json(folder, name=f"pantry-{name}", license="CC-BY-4.0", source="a test")
    ask_split(folder, split, out_of_training=OUT)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("splits")
    return {name: built(base / name, name) for name in NAMES}


def queries_of(folders, name):
    return list(read_queries(folders[name] / f"queries-{name}.jsonl"))


def entities_of(folders, name):
    return list(read_entities(folders[name] / f"entities-{name}.jsonl"))


def wordings(queries):
    return {tag for one in queries for tag in one.tags if tag.startswith(("pattern:", "frame:"))}


@pytest.mark.parametrize("name", NAMES)
def test_a_split_has_its_size(folders, name):
    card = read_dataset_json(folders[name])
    assert card["name"] == f"pantry-{name}"
    assert card["splits"][name]["images"] == 5
    assert card["splits"][name]["queries"] in (60, 61)
    assert len({query.image for query in queries_of(folders, name)}) == 5


@pytest.mark.parametrize("name", NAMES)
def test_amodal_queries_have_a_modal_twin_of_the_same_phrase(folders, name):
    queries = {query.id: query for query in queries_of(folders, name)}
    twins = {
        tag.removeprefix("twin:"): query
        for query in queries.values()
        for tag in query.tags
        if tag.startswith("twin:")
    }
    amodal = {id for id, query in queries.items() if query.mask_type == "amodal"}
    assert amodal == set(twins)
    for id, twin in twins.items():
        asked = queries[id]
        assert twin.mask_type == "modal"
        assert [one.entity for one in twin.targets] == [one.entity for one in asked.targets]
        patterns = [{tag for tag in q.tags if tag.startswith("pattern:")} for q in (asked, twin)]
        assert patterns[0] == patterns[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_query_names_its_task_and_wording(folders, name):
    for query in queries_of(folders, name):
        assert sum(f"task:{task}" in query.tags for task in TASKS) == 1
        assert f"pool:{SPLITS[name].pool}" in query.tags
        assert f"dataset:pantry-{name}" in query.tags


def test_shares_are_those_of_the_file(folders):
    report = read_json(folders["test"] / "shares.json")
    queries = queries_of(folders, "test")
    for kind, row in report["mask_type"].items():
        assert row["n"] == sum(query.mask_type == kind for query in queries)
        assert row["reached"] == pytest.approx(row["n"] / len(queries), abs=1e-4)
        assert abs(row["reached"] - row["wanted"]) < 0.08
    assert report["targets"]["0"]["n"] == sum(not query.targets for query in queries)


def test_sgdr_targets_have_a_distractor_of_their_kind(folders):
    seen = set()
    for name in NAMES:
        scenes = {record.image: record for record in entities_of(folders, name)}
        for query in queries_of(folders, name):
            if SGDR_TAG not in query.tags:
                continue
            record = scenes[query.image]
            scene = scene_from_record(record, np.zeros((*SIZE_HW, 3), np.uint8))
            item = {one.id: one for one in scene.objects}
            rivals, targets = set(query.extra["rivals"]), {one.entity for one in query.targets}
            assert not rivals & targets
            assert len(targets) <= BLIND_CEILING * len(rivals | targets)
            for one in targets:
                assert item[one].category in {item[rival].category for rival in rivals}
                assert item[one].modal.sum() >= MIN_VISIBLE
            seen |= {d for d in DIMENSIONS if f"reasoning:{d}" in query.tags}
    assert len(seen) >= 3


def test_no_scene_is_shared(folders):
    seeds = {
        name: {record.extra["seed"] for record in entities_of(folders, name)} for name in NAMES
    }
    for one, other in combinations(NAMES, 2):
        same = {one, other} == {"test", "test-views"}
        assert seeds[one] == seeds[other] if same else not seeds[one] & seeds[other]
    pictures = [
        path.read_bytes() for folder in folders.values() for path in folder.glob("images/*")
    ]
    assert len(set(pictures)) == len(pictures)


def test_val_shares_no_wording_with_the_tests(folders):
    val = wordings(queries_of(folders, "val"))
    tests = [wordings(queries_of(folders, name)) for name in NAMES[1:]]
    assert val
    assert all(words and not words & val for words in tests)
    assert tests[0] & tests[1], "the check must be able to fail"


def test_no_held_out_thing_is_shared(folders):
    looks, categories = {}, {}
    for name in NAMES:
        entities = [one for record in entities_of(folders, name) for one in record.entities]
        looks[name] = {one.extra["look"] for one in entities}
        categories[name] = {one.category for one in entities}
    for name in NAMES:
        new = {look for look in looks[name] if look.endswith("/2")}
        assert bool(categories[name] & OUT.nouns) == (name == "test-nouns")
        assert name == "test-nouns" or bool(new) == (name == "test-objects")
    assert looks["val"] & looks["test"], "the check must be able to fail"


def test_queries_are_about_what_is_held_out(folders, tmp_path):
    """Known things may stand in the scene, but sentences ask for new ones."""
    folder = tmp_path / "val"
    folder.mkdir()
    records = entities_of(folders, "val")
    write_entities(folder / "entities-test-nouns.jsonl", records)
    write_dataset_json(folder, name="known and new", license="CC-BY-4.0", source="a test")
    new = frozenset(record.entities[0].category for record in records)
    split = replace(small("test-nouns"), queries=40)
    ask_split(folder, split, out_of_training=HeldOut(nouns=new))
    asked = list(read_queries(folder / "queries-test-nouns.jsonl"))
    known = {one.category for record in records for one in record.entities} - new
    assert known, "the check must be able to fail"
    for query in asked:
        assert not query.targets or new & {target.category for target in query.targets}


def test_built_again_it_is_the_same(folders, tmp_path):
    again = built(tmp_path / "again", "val")
    assert verify_checksums(again, folders["val"] / "checksums.json") >= 9
    assert digest(again) == digest(folders["val"])
    (again / "images" / "20000002-0.png").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"different images/20000002-0\.png"):
        verify_checksums(again)


def test_another_folder_is_not_the_published_one(folders):
    assert digest(folders["val"]) != digest(folders["test"])
    assert is_published(folders["val"], "no such split") is None
    assert not any(is_published(folders["val"], name) for name in NAMES)


def test_the_card_says_what_the_folder_holds(folders):
    text = (folders["test-objects"] / "README.md").read_text("utf-8")
    count = len(queries_of(folders, "test-objects"))
    report = read_json(folders["test-objects"] / "shares.json")
    assert text.startswith("# pantry-test-objects: new looks of known things")
    assert f"{count:,} queries about 5 scenes" in text
    assert "seeds 40000000 to 40000004" in text
    hidden = report["mask_type"]["hidden"]
    assert f"| mask_type | hidden | 0.10 | {hidden['reached']:.3f} | {hidden['n']} |" in text


def test_wrong_scenes_are_refused(tmp_path):
    with pytest.raises(DataError, match="is of the held-out looks, expected only seen"):
        built(tmp_path / "val", "val", cast="held-out looks")


def test_a_folder_without_scenes_cannot_be_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"dataset\.json"):
        ask_split(tmp_path, SPLITS["val"])
    write_entities(tmp_path / "entities-val.jsonl", [])
    write_dataset_json(tmp_path, name="empty", license="CC-BY-4.0", source="a test")
    with pytest.raises(DataError, match=r"entities-val\.jsonl: expected one picture or more"):
        ask_split(tmp_path, SPLITS["val"])
