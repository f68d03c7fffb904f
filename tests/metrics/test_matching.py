"""COCO's matching as a loop: bit for bit that of arrays, which other tests hold to COCO's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask import loops
from askmask.metrics import matching_loop
from askmask.metrics.edges import ranges
from askmask.metrics.matching import coco_matches, ranks

_MANY = 1_000_000
IOUS = [0.5, 0.55, 0.6, 0.7, 0.7, 0.95, 1.0]
"""Few, so that some are equal."""


@pytest.fixture(scope="module", autouse=True, params=["loops", "compiled loops"])
def engine(request: pytest.FixtureRequest):
    """Loops that numba compiles, and as Python runs them."""
    if request.param == "compiled loops":
        pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "worth", lambda number: number == _MANY)
        if request.param == "loops":
            patch.setattr(matching_loop, "compiled", lambda loop: loop)
        yield


def crowded(seed: int, number: int) -> tuple[np.ndarray, ...]:
    """Some queries with masks, targets and the pairs of them that overlap; arguments in order."""
    rng = np.random.default_rng(seed)
    query, goal = (np.sort(rng.integers(0, number, size)) for size in (3 * number, 2 * number))
    first = np.searchsorted(goal, query)
    each = np.searchsorted(goal, query, side="right") - first
    mask, target = np.repeat(np.arange(len(query)), each), ranges(first, each)
    near = rng.random(len(mask)) < 0.7
    iou = rng.choice(IOUS, near.sum())
    rank = ranks(query, rng.choice([0.1, 0.5, 0.9], len(query)))
    crowd = rng.random(len(goal)) < 0.2
    ignored = crowd | (rng.random((4, len(goal))) < 0.3)
    return mask[near], target[near], iou, query, rank, ignored, crowd


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1 << 20), st.integers(1, 12))
def test_loops_match_as_arrays_do(seed: int, number: int) -> None:
    given = crowded(seed, number)
    for mine, other in zip(coco_matches(*given, _MANY), coco_matches(*given), strict=True):
        assert mine.dtype == other.dtype == np.uint16
        np.testing.assert_array_equal(mine, other)


def test_crowds_ignored_targets_and_matches_are_among_them() -> None:
    matched, ignored = coco_matches(*crowded(0, 500), _MANY)
    assert (matched & ~ignored).any()
    assert ignored.any()
    assert not (ignored & ~matched).any()
