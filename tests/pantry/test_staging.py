from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_bank import CELL, FakeBank
from hypothesis import given
from hypothesis import strategies as st

from askmask.pantry.cast import ComposeSettings
from askmask.pantry.staging import Actor, Placement, set_stage

BANK: Any = FakeBank()
SIZE = (120, 160)


@pytest.mark.parametrize("index", range(3))
def test_actor_is_cut_to_its_pixels_and_keeps_its_foot(index: int) -> None:
    look = BANK.looks[2]
    actor = Actor.of(BANK, look, index)
    cell = BANK.pixels(look, index)
    opaque = cell[..., 3] > 0
    assert (actor.pixels[..., 3] > 0).sum() == opaque.sum()
    assert actor.pixels.shape[0] == opaque.any(1).sum() + 2
    top = int(opaque.any(1).argmax()) - 1
    assert actor.anchor[1] + top == pytest.approx(look.views[index].base_xy[1] * CELL)


def test_footprints_that_only_touch_are_disjoint() -> None:
    actor = Actor.of(BANK, BANK.looks[0], 0)
    width, depth, _ = actor.size_m
    here = Placement(actor, 0, 0, 1)
    for x, z in ((width, 1), (0, 1 + depth)):
        beside = Placement(actor, x + 1e-9, 0, z + 1e-9)
        assert here.disjoint(beside)
        assert beside.disjoint(here)
    inside = Placement(actor, 0.9 * width, 0, 1 + 0.9 * depth)
    assert not here.disjoint(inside)
    assert not inside.disjoint(here)
    assert here.disjoint(Placement(actor, 0, 0.5, 1))


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
def test_found_places_fit(seed: int, shelf: float) -> None:
    rng = np.random.default_rng(seed)
    settings = ComposeSettings(shelf=shelf, cut=0.0)
    stage, elevation = set_stage(BANK.looks[:8], [12.0, 28.0, 50.0], SIZE, rng, settings)
    assert stage.layout == ("shelf" if shelf else "table")
    assert elevation == stage.camera.pitch_deg
    actor = Actor.of(BANK, BANK.looks[0], 0)
    board = stage.boards[0]
    place = stage.find_place(actor, board, [], rng, settings)
    if place is None:
        return
    left, top, columns, rows = place.box(stage.camera)
    assert left >= 0
    assert top >= (board.ceiling_px or 0)
    assert left + columns <= SIZE[1]
    assert top + rows <= SIZE[0]
    assert board.near <= place.z - actor.size_m[1] / 2
    assert place.z + actor.size_m[1] / 2 <= board.far


@given(st.integers(0, 10_000))
def test_upper_boards_come_higher_in_the_picture(seed: int) -> None:
    settings = ComposeSettings(shelf=1.0)
    rng = np.random.default_rng(seed)
    stage, _ = set_stage(BANK.looks[:10], [12.0], SIZE, rng, settings)
    edges = [stage.camera.project(0, board.y, board.near)[1] for board in stage.boards]
    assert edges == sorted(edges, reverse=True)
    for lower, upper in zip(stage.boards, stage.boards[1:], strict=False):
        assert lower.ceiling_px is not None
        assert lower.ceiling_px >= stage.camera.project(0, upper.y, upper.near)[1]
    assert all(edge > stage.camera.horizon_px for edge in edges)
