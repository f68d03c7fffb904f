"""What training never sees."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from toy import Thing, toy_scene

from askmask.errors import ConfigError, DataError
from askmask.pantry.splits.compositor import bank_of, compositor
from askmask.pantry.splits.definition import SPLITS
from askmask.pantry.splits.held_out import HeldOut, choose, held_out
from askmask.pantry.sprites import SpriteBank

CASTS = ("seen", "held-out looks", "held-out categories")


@dataclass
class Named:
    look: str
    category: str
    container: str


def test_the_list_follows_the_rule():
    assert held_out() == choose(SpriteBank.load().looks)


def test_casts_divide_the_bank():
    whole = [look.look for look in SpriteBank.load().looks]
    parts = [[look.look for look in bank_of(cast).looks] for cast in CASTS]
    assert sorted(look for part in parts for look in part) == sorted(whole)
    assert all(parts)


def test_every_container_stays_in_training_and_among_new_looks():
    containers = {look.container for look in SpriteBank.load().looks}
    for cast in ("seen", "held-out looks"):
        assert {look.container for look in bank_of(cast).looks} == containers


def test_large_kinds_of_containers_give_categories():
    bank = SpriteBank.load()
    kinds = {}
    for look in bank.looks:
        kinds.setdefault(look.container, set()).add(look.category)
    new = {look.container for look in bank_of("held-out categories").looks}
    assert new == {kind for kind, categories in kinds.items() if len(categories) >= 3}


def test_the_rule_counts_looks_and_categories():
    things = [Named(f"{c}/{n}", c, "jar") for c in "abcde" for n in range(3)]
    things += [Named("lone/0", "lone", "tin"), Named("pair/0", "pair", "tin")]
    found = choose(things)
    assert len(found.categories) == 1
    assert found.categories < set("abcde")
    assert found.looks == {f"{c}/2" for c in set("abcde") - found.categories}


def test_scenes_with_the_wrong_cast_are_refused():
    out = HeldOut(looks=frozenset({"apple/0"}), categories=frozenset({"lemon"}))
    scene = toy_scene([Thing("apple", 0.0), Thing("tomato", 0.4)])
    out.check(scene, "held-out looks")
    assert out.members(scene, "held-out looks") == {0}
    with pytest.raises(DataError, match="apple/0 is of the held-out looks, expected only seen"):
        out.check(scene, "seen")
    with pytest.raises(DataError, match="apple/0 is of the held-out looks"):
        out.check(scene, "held-out categories")
    with pytest.raises(DataError, match="expected one thing or more of the held-out categories"):
        out.check(toy_scene([Thing("tomato", 0.4)]), "held-out categories")


def test_sprites_have_one_camera():
    with pytest.raises(ConfigError, match="test-views: expected camera 0, got 1"):
        compositor(SPLITS["test-views"])
