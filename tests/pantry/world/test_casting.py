"""Casts of scenes in 3D: like sizes, repeats on purpose, stars."""

import numpy as np
import pytest
from things import HOUSE, box

from askmask.pantry.world.cast import Casting, Troupe, choose_things

SMALL = [box(f"small{i}/{j}", 0.1, 0.08, 0.1) for i in range(12) for j in range(3)]
LARGE = [box(f"large{i}/0", 0.5, 0.4, 0.6, source=HOUSE) for i in range(12)]
HOUSEHOLD = [box(f"house{i}/0", 0.1, 0.1, 0.1, source=HOUSE) for i in range(12)]


def casts(troupe, casting, count=40):
    return [choose_things(troupe, np.random.default_rng(seed), casting) for seed in range(count)]


def test_sizes_go_together_and_counts_are_kept():
    for cast in casts(Troupe((*SMALL, *LARGE)), Casting(repeats=0)):
        assert len({asset.look.startswith("small") for asset in cast}) == 1
        assert 5 <= len(cast) <= 12
        assert len({asset.category for asset in cast}) == len(cast)


def test_repeats_are_of_the_same_category_in_another_look():
    for cast in casts(Troupe(tuple(SMALL)), Casting(repeats=1, things=(6, 6))):
        categories = [asset.category for asset in cast]
        assert len(set(categories)) < len(categories)
        assert len({asset.look for asset in cast}) >= 5


def test_most_of_the_cast_are_stars_where_there_are_any():
    troupe = Troupe(tuple(SMALL), stars=tuple(HOUSEHOLD))
    for cast in casts(troupe, Casting(repeats=0, stars=0.6, things=(10, 10))):
        stars = [asset for asset in cast if asset.look.startswith("house")]
        assert len(stars) == 6
        assert len(cast) == 10


def test_scenes_are_of_the_house_or_of_groceries_or_mixed():
    kinds = {
        frozenset(asset.source.origin for asset in cast)
        for cast in casts(Troupe((*SMALL, *HOUSEHOLD)), Casting())
    }
    assert kinds == {
        frozenset({"askmask"}),
        frozenset({"Scopia"}),
        frozenset({"askmask", "Scopia"}),
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_same_chance_gives_the_same_cast(seed):
    one, two = (
        choose_things(Troupe(tuple(SMALL)), np.random.default_rng(seed), Casting())
        for _ in range(2)
    )
    assert [asset.look for asset in one] == [asset.look for asset in two]
