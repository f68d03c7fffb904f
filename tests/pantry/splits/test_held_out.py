"""What training never sees."""

from __future__ import annotations

import pytest
from toy import Thing, toy_scene

from askmask.errors import DataError
from askmask.pantry.splits.held_out import HeldOut, held_out
from askmask.pantry.sprites import SpriteBank


def test_training_sprites_hold_nothing_of_the_list():
    out = held_out()
    assert {out.cast_of(one.look, one.category) for one in SpriteBank.load().looks} == {"seen"}
    assert all((out.designs, out.models, out.nouns, out.textures))


@pytest.mark.parametrize(
    ("look", "category", "cast"),
    [
        ("comb/3", "comb", "held-out looks"),
        ("comb/2", "comb", "seen"),
        ("Scopia/vase2", "vase", "held-out looks"),
        ("Scopia/vase1", "vase", "seen"),
        ("comb/3", "hammer", "held-out categories"),
    ],
)
def test_casts(look, category, cast):
    assert held_out().cast_of(look, category) == cast


def test_scenes_with_the_wrong_cast_are_refused():
    out = HeldOut(models=frozenset({"apple/0"}), nouns=frozenset({"lemon"}))
    scene = toy_scene([Thing("apple", 0.0), Thing("tomato", 0.4)])
    out.check(scene, "held-out looks")
    assert out.members(scene, "held-out looks") == {0}
    with pytest.raises(DataError, match="apple/0 is of the held-out looks, expected only seen"):
        out.check(scene, "seen")
    with pytest.raises(DataError, match="apple/0 is of the held-out looks"):
        out.check(scene, "held-out categories")
    other = toy_scene([Thing("tomato", 0.4)])
    with pytest.raises(DataError, match="expected one thing or more of the held-out categories"):
        out.check(other, "held-out categories")
