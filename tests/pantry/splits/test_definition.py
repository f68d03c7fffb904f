"""The named splits keep to seeds and wordings of their own."""

from __future__ import annotations

from itertools import combinations

import pytest

from askmask.errors import ConfigError
from askmask.pantry.build import TRAINING_SEEDS
from askmask.pantry.splits.definition import SEEDS_PER_SPLIT, SPLITS, split_named

PAIRS = [
    pair
    for pair in combinations(SPLITS.values(), 2)
    if {split.name for split in pair} != {"test", "test-views"}
]


def overlap(one, other):
    return max(one.start, other.start) < min(one.stop, other.stop)


def test_the_splits_are_large_enough():
    tests = {"test", "test-objects", "test-nouns", "test-views"}
    assert set(SPLITS) == {"train", "val", *tests}
    for name, split in SPLITS.items():
        assert split.name == name
        assert split.scenes >= 400
        assert split.queries >= 4_000
        assert split.scenes <= SEEDS_PER_SPLIT


@pytest.mark.parametrize(("scenes", "queries"), [(40, 400), (3, 30), (None, 4_000)])
def test_a_small_split_is_the_beginning_of_the_whole(scenes, queries):
    part = SPLITS["val"].of_size(scenes)
    assert part.queries == queries
    assert part.seeds == SPLITS["val"].seeds[:scenes]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda split: split.name)
def test_no_seed_is_shared(one, other):
    assert not overlap(one.seeds, other.seeds)


def test_other_views_show_the_same_scenes_and_only_they():
    test, views = SPLITS["test"], SPLITS["test-views"]
    assert test.seeds == views.seeds
    assert test.view != views.view
    assert test.cameras == views.cameras == 2
    assert {split.view for split in SPLITS.values() if split is not views} == {0}


def test_the_check_of_seeds_can_fail():
    assert overlap(range(5), range(4, 6))


def test_no_seed_is_one_of_training():
    samples = pytest.importorskip("askmask.training.samples", exc_type=ImportError)
    for split in SPLITS.values():
        assert split.seeds.stop <= TRAINING_SEEDS <= samples.VALIDATION_SEEDS


def test_no_test_is_worded_like_training():
    assert [name for name, split in SPLITS.items() if split.pool == "train"] == ["train", "val"]


def test_unknown_splits_are_refused():
    with pytest.raises(ConfigError, match=r"expected one of train, val, test, .* got 'trial'"):
        split_named("trial")
