"""The mix of queries and their answers."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from toy import GROCERIES, Thing, random_scene, toy_scene

from askmask.errors import DataError
from askmask.pantry.language import banks
from askmask.pantry.language.banks import fingerprint
from askmask.pantry.language.queries import build_queries
from askmask.types import MaskType

OTHERS = (*sorted({row[0] for row in GROCERIES}), "can of soda", "box of tea", "pear", "carrot")
KINDS = (
    "plain", "attribute", "group", "no-target", "reference", "reasoning:spatial",
    "reasoning:geometric", "reasoning:discriminative", "reasoning:multi-step",
    "reasoning:function",
)  # fmt: skip
LIES = ("class", "sibling", "colour", "swapped", "relation", "superclass", "function")


def made(pool, seeds, count=12):
    return [
        (scene, query)
        for seed in seeds
        for scene in [random_scene(seed)]
        for query in build_queries(scene, np.random.default_rng(seed), pool, count, OTHERS)
    ]


@pytest.fixture(scope="module")
def train():
    return made("train", range(50))


@pytest.fixture(scope="module")
def test():
    return made("test", range(100, 125))


def test_enough_queries_are_made(train):
    assert len(train) >= 0.97 * 50 * 12


def test_same_seed_same_queries():
    assert [q for _, q in made("train", [5])] == [q for _, q in made("train", [5])]


def test_mask_types_keep_their_shares(train):
    shares = Counter(query.mask_type for _, query in train)
    for mask_type, wanted in (("modal", 0.45), ("amodal", 0.40), ("hidden", 0.15)):
        assert abs(shares[MaskType(mask_type)] / len(train) - wanted) < 0.05, mask_type


def test_every_kind_occurs(train, test):
    for queries in (train, test):
        tags = Counter(tag for _, query in queries for tag in query.tags)
        for kind in KINDS:
            assert tags[kind] >= 0.01 * len(queries), kind
    tags = Counter(tag for _, query in train for tag in query.tags)
    for kind in LIES:
        assert tags[f"absent:{kind}"], kind
    assert 0.08 < tags["no-target"] / len(train) < 0.16
    assert 0.15 < tags["reference"] / len(train) < 0.30
    assert 0.10 < tags["group"] / len(train) < 0.40


def test_special_cases_of_the_task_occur(train):
    """Every row of the table of special cases: RES, GRES, reasoning, R2SM, ORES."""
    counts = Counter(
        (query.mask_type, bool(query.references), min(len(query.targets), 2)) for _, query in train
    )
    for references in (False, True):
        for targets in (0, 1, 2):
            assert counts[MaskType.MODAL, references, targets], (references, targets)
    for mask_type in (MaskType.AMODAL, MaskType.HIDDEN):
        assert counts[mask_type, False, 1]
        assert counts[mask_type, False, 2]


def test_tags_agree_with_the_answers(train):
    for _, query in train:
        assert ("no-target" in query.tags) == (not query.targets)
        assert ("group" in query.tags) == (len(query.targets) > 1)
        assert ("reference" in query.tags) == bool(query.references)
        assert ("hidden" in query.tags) == (query.mask_type is MaskType.HIDDEN)
        numbers = {int(found) for found in re.findall(r"\[(\d)\]", query.text)}
        assert numbers == set(range(1, len(query.references) + 1)), query.text
        assert "{" not in query.text


def test_hidden_targets_have_a_hidden_part(train):
    for scene, query in train:
        if query.mask_type is MaskType.HIDDEN:
            for one in query.targets:
                item = scene.objects[one]
                assert item.occlusion_rate >= 0.05
                assert item.amodal.sum() - item.modal.sum() >= 30


def test_amodal_targets_are_mostly_occluded(train):
    amodal = [
        (scene, query)
        for scene, query in train
        if query.mask_type is MaskType.AMODAL and query.targets
    ]
    occluded = [
        any(scene.objects[one].occlusion_rate >= 0.05 for one in query.targets)
        for scene, query in amodal
    ]
    assert np.mean(occluded) >= 0.70


def test_twins_share_their_targets(train):
    twins = 0
    for seed in range(20):
        queries = build_queries(
            random_scene(seed), np.random.default_rng(seed), "train", 12, OTHERS
        )
        for query in queries:
            if query.twin_of is not None:
                other = queries[query.twin_of]
                twins += 1
                assert other.targets == query.targets
                assert {other.mask_type, query.mask_type} == {MaskType.MODAL, MaskType.AMODAL}
    assert twins >= 8


def test_occluders_named_by_a_frame_hide_the_targets(train):
    with_occluder = {fingerprint(one.text): one for one in banks.frames() if one.needs_occluder}
    seen = 0
    for scene, query in train:
        tag = next((tag[6:] for tag in query.tags if tag.startswith("frame:")), "")
        if tag in with_occluder:
            seen += 1
            for one in query.targets:
                assert scene.occlusion[:, one].max() >= 50
    assert seen >= 10


def test_wordings_stay_in_their_pool(train, test):
    known = {fingerprint(one.text): one.pool for one in banks.frames()}
    known |= {fingerprint(one.text): one.pool for one in banks.patterns()}
    seen = {"train": set(), "test": set()}
    for pool, queries in (("train", train), ("test", test)):
        for _, query in queries:
            assert f"pool:{pool}" in query.tags
            marks = {
                tag.split(":")[1] for tag in query.tags if tag.startswith(("pattern:", "frame:"))
            }
            seen[pool] |= marks
            assert all(known.get(mark, pool) == pool for mark in marks)
    assert not seen["train"] & seen["test"]


@pytest.mark.parametrize("word", ["whole", "behind", "covered", "full", "visible", "hidden"])
def test_no_word_of_a_sentence_gives_the_mask_type_away(train, test, word):
    types = {
        query.mask_type
        for _, query in (*train, *test)
        if re.search(rf"\b{word}\b", query.text.lower())
    }
    assert {MaskType.MODAL, MaskType.AMODAL} <= types


def test_absent_words_occur_in_true_sentences_too(train):
    """The wording of what is missing is that of what is there."""
    true, false = Counter(), Counter()
    for _, query in train:
        counter = true if query.targets else false
        counter.update(set(re.findall(r"[a-z]{3,}", query.text.lower())))
    asked = ("jar", "honey", "lemon", "tomato", "cereal")
    assert all(true[word] for word in asked)
    assert sum(false[word] > 0 for word in asked) >= 3
    telling = [word for word, count in false.items() if count >= 8 and not true[word]]
    assert not telling


def test_a_scene_without_objects_gives_no_queries():
    assert build_queries(toy_scene([]), np.random.default_rng(0), "train", 5, OTHERS) == []


def test_a_single_object_can_be_asked_for():
    scene = toy_scene([Thing("jar of honey", 0.0)])
    queries = build_queries(scene, np.random.default_rng(0), "train", 8, OTHERS)
    assert queries
    assert all(query.mask_type is not MaskType.HIDDEN or not query.targets for query in queries)


def test_unknown_categories_are_refused():
    with pytest.raises(DataError, match="'flying carpet'"):
        build_queries(
            toy_scene([Thing("flying carpet", 0)]), np.random.default_rng(0), "train", 1, OTHERS
        )
