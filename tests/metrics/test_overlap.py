"""Codes read together, regions and pairs: the same numbers as masks one by one.

Every test runs with NumPy's arrays and with the loops that numba compiles for large batches.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from askmask import loops, rle
from askmask.errors import RLEError
from askmask.metrics import overlap
from askmask.metrics.assignment import assign
from askmask.metrics.edges import ranges, read_edges
from askmask.metrics.overlap import Role, pair_intersections, pixels, regions

SIZE_HW = (7, 5)
masks = arrays(bool, SIZE_HW)
stacks = st.lists(masks, min_size=1, max_size=6)


@pytest.fixture(scope="module", autouse=True, params=["arrays", "loops", "compiled loops"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Choose what counts; the loops also run without numba, slowly."""
    if request.param == "compiled loops":
        pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "worth", lambda _: request.param != "arrays")
        if request.param == "loops":
            patch.setattr(loops, "compiled", lambda loop: loop)
        yield request.param


def test_the_engine_is_the_one_asked_for(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "read", lambda *_: None)
    codes = [rle.encode(np.ones(SIZE_HW, bool))]
    if engine == "arrays":
        assert len(read_edges(codes)) == 1
    else:
        with pytest.raises(RLEError):
            read_edges(codes)


def _dense(edges, mask: int) -> np.ndarray:
    flat = np.zeros(SIZE_HW[0] * SIZE_HW[1] + 1, int)
    for start, stop in edges.of(slice(mask, mask + 1)).reshape(-1, 2):
        flat[start:stop] += 1
    return flat[:-1].reshape(SIZE_HW[::-1]).T == 1


@settings(deadline=None)
@given(stacks)
def test_codes_read_together_are_the_masks(stack: list[np.ndarray]) -> None:
    edges = read_edges([rle.encode(mask) for mask in stack])
    assert len(edges) == len(stack)
    assert all(np.array_equal(_dense(edges, i), mask) for i, mask in enumerate(stack))
    assert edges.area.tolist() == [mask.sum() for mask in stack]


def test_codes_of_several_sizes_and_long_runs() -> None:
    large = np.zeros((900, 1200), bool)
    large[17:880, 3:1100] = True
    stripes = np.zeros((4, 4000), bool)
    stripes[:, ::2] = True
    stack = [large, stripes, ~large, np.ones((1, 1), bool), np.zeros((3, 3), bool)]
    edges = read_edges([rle.encode(mask) for mask in stack])
    assert edges.area.tolist() == [mask.sum() for mask in stack]
    assert edges.of(slice(1, 2))[:6].tolist() == [0, 4, 8, 12, 16, 20]


def test_runs_without_pixels_are_allowed() -> None:
    code = rle.from_counts([3, 0, 2, 5, 0, 0, 25], SIZE_HW)
    raw = {"size": [*SIZE_HW], "counts": rle._pack(np.array([3, 0, 2, 5, 0, 0, 25]))}
    edges = read_edges([raw, code])
    assert edges.area.tolist() == [5, 5]
    assert pair_intersections(edges, np.array([0, 1]), np.array([1, 0])).tolist() == [5, 5]


@pytest.mark.parametrize(
    "counts",
    [
        "",
        "0",
        "~",
        "é",
        "P",
        "oooooooo0",
        "01",
        rle._pack(np.array([40, -5])),
        rle._pack(np.array([36])),
    ],
)
def test_one_malformed_code_among_others_is_named(counts: str) -> None:
    good = rle.encode(np.ones(SIZE_HW, bool))
    with pytest.raises(RLEError):
        rle.validate({"size": [*SIZE_HW], "counts": counts})
    for place in range(3):
        codes = [good, good]
        codes.insert(place, {"size": [*SIZE_HW], "counts": counts})
        with pytest.raises(RLEError, match="RLE counts"):
            read_edges(codes)


@settings(deadline=None)
@given(st.lists(st.text("0123QPZao~", max_size=8), min_size=1, max_size=3))
def test_accepts_what_one_by_one_is_accepted(texts: list[str]) -> None:
    codes = [{"size": [*SIZE_HW], "counts": text} for text in texts]

    def passes(check, *arguments) -> bool:
        try:
            check(*arguments)
        except RLEError:
            return False
        return True

    assert passes(read_edges, codes) == all(passes(rle.validate, code) for code in codes)


def test_no_codes() -> None:
    assert len(read_edges([])) == 0
    assert ranges(np.array([5, 9, 0]), np.array([2, 0, 3])).tolist() == [5, 6, 0, 1, 2]


samples = st.lists(st.lists(st.tuples(masks, st.sampled_from(Role)), max_size=5), max_size=3)


@settings(deadline=None)
@given(samples, st.booleans())
def test_regions_are_counted_by_roles(drawn, by_role: bool) -> None:
    drawn = [sorted(one, key=lambda pair: pair[1]) for one in drawn] if by_role else drawn
    codes = [rle.encode(mask) for query in drawn for mask, _ in query]
    query = np.repeat(np.arange(len(drawn)), [len(one) for one in drawn]).astype(np.int64)
    role = np.array([kind for one in drawn for _, kind in one], np.int64)
    size = np.full(len(drawn), SIZE_HW[0] * SIZE_HW[1])
    table = regions(read_edges(codes), query, role, size)
    for row, one in zip(table, drawn, strict=True):
        covered = np.zeros(SIZE_HW, int)
        for kind in Role:
            for mask in (mask for mask, its in one if its == kind):
                covered |= mask.astype(int) << kind
        expected = np.bincount(covered.ravel(), minlength=16)
        expected[0] = 0
        assert row.tolist() == expected.tolist()


def test_pixels_of_fused_roles() -> None:
    table = np.zeros((1, 16), np.int64)
    table[0, [0b0001, 0b0011, 0b0010, 0b1011, 0b0111]] = [1, 10, 100, 1000, 10_000]
    predicted, target = (Role.PREDICTED,), (Role.TARGET,)
    assert pixels(table, predicted, target).tolist() == [11_010]
    assert pixels(table, predicted, target, without=(Role.IGNORED,)).tolist() == [10_010]
    assert pixels(table, (Role.PREDICTED, Role.TARGET)).tolist() == [11_111]
    assert pixels(table, target, without=(Role.OTHER, Role.IGNORED)).tolist() == [110]


@settings(deadline=None)
@given(stacks, stacks)
def test_pairs_have_the_pixels_in_common(first, second) -> None:
    edges = read_edges([rle.encode(mask) for mask in [*first, *second]])
    a, b = (grid.ravel() for grid in np.mgrid[: len(first), len(first) : len(edges)])
    both = [[(x & y).sum() for y in second] for x in first]
    assert pair_intersections(edges, a, b).reshape(len(first), -1).tolist() == both


def test_blocks_of_pairs_do_not_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    edges = read_edges([rle.encode(mask) for mask in rng.random((8, *SIZE_HW)) < 0.5])
    a, b = (grid.ravel() for grid in np.mgrid[:8, :8])
    whole = pair_intersections(edges, a, b)
    monkeypatch.setattr(overlap, "_POINTS", 10)
    assert pair_intersections(edges, a, b).tolist() == whole.tolist()


@settings(max_examples=50)
@given(st.integers(0, 5), st.integers(0, 5), st.randoms(use_true_random=False))
def test_assignment_is_the_best(rows: int, columns: int, random) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    levels = (0.0, 0.0, 0.5, 0.5, 0.7, 1.0)
    worth = np.array([[random.choice(levels) for _ in range(columns)] for _ in range(rows)])
    worth = worth.reshape(rows, columns)
    pairs = assign(worth)
    theirs = worth[optimize.linear_sum_assignment(worth, maximize=True)].sum()
    assert sum(worth[pair] for pair in pairs) == pytest.approx(theirs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
