"""Tables, shelves and piles: nothing overlaps, nothing floats, same chance same place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from things import box, boxes

from askmask.pantry.world.layout import put_on_shelf, put_on_table

pytest.importorskip("scipy")

SEEDS = st.integers(0, 10_000)


def corners(item):
    """The four lower corners (4, 2) of a box, in order around it."""
    low = item.points[item.points[:, 2] < item.points[:, 2].min() + 1e-6][:, :2]
    around = low - low.mean(0)
    return low[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]


def overlap(a, b):
    """Whether two rectangles share area: no side of either separates them."""
    for outline in (a, b):
        for side in np.diff(outline[:3], axis=0):
            normal = np.array([-side[1], side[0]]) / np.linalg.norm(side)
            if (a @ normal).max() <= (b @ normal).min() + 1e-9:
                return False
            if (b @ normal).max() <= (a @ normal).min() + 1e-9:
                return False
    return True


def test_the_overlap_check_can_fail():
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    assert overlap(square, square + 0.5)
    assert not overlap(square, square + np.array([1.2, 0]))


@given(seed=SEEDS, count=st.integers(2, 10))
def test_things_on_a_table_stand_and_keep_apart(seed, count):
    rng = np.random.default_rng(seed)
    layout = put_on_table(boxes(count, rng), rng)
    assert len(layout.placed) >= count - 2
    for number, item in enumerate(layout.placed):
        assert item.points[:, 2].min() == pytest.approx(0)
        for other in layout.placed[:number]:
            assert not overlap(corners(item), corners(other))


@given(seed=SEEDS, count=st.integers(2, 12))
def test_things_on_a_shelf_stay_on_their_boards(seed, count):
    rng = np.random.default_rng(seed)
    things = boxes(count, rng)
    layout = put_on_shelf(things, rng)
    assert len(layout.placed) == count
    levels = {board.z: board.z + board.room for board in layout.boards}
    for item in layout.placed:
        low, high = item.points.min(0), item.points.max(0)
        foot = min(levels, key=lambda z: abs(z - low[2]))
        assert low[2] == pytest.approx(foot)
        assert high[2] < levels[foot]
    assert sorted(levels) == list(levels)


def test_the_same_chance_gives_the_same_places():
    things = boxes(6, np.random.default_rng(1))
    one, two = (put_on_table(things, np.random.default_rng(5)) for _ in range(2))
    other = put_on_table(things, np.random.default_rng(6))
    assert np.array_equal(one.points, two.points)
    assert not np.array_equal(one.points, other.points)


def test_a_dropped_box_comes_to_rest_on_the_ground():
    pytest.importorskip("mujoco")
    from askmask.pantry.world.pile import drop

    rng = np.random.default_rng(2)
    layout = drop([box("a/0"), box("b/0"), box("c/0")], rng)
    assert layout.kind == "pile"
    assert len(layout.placed) == 3
    lows = [item.points[:, 2].min() for item in layout.placed]
    assert min(lows) == pytest.approx(0, abs=0.005)
    for item in layout.placed:
        assert item.rotation @ item.rotation.T == pytest.approx(np.eye(3), abs=1e-6)
    again = drop([box("a/0"), box("b/0"), box("c/0")], np.random.default_rng(2))
    assert np.array_equal(layout.points, again.points)
