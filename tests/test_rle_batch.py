"""Codes checked together: the same verdict as `rle.validate` gives on each."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from askmask import loops, rle
from askmask.errors import RLEError
from askmask.rle_batch import all_valid

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
CODES = SHAPES.flatmap(lambda shape: arrays(bool, shape)).map(rle.encode)
WIDE = rle.encode(np.indices((40, 3000)).sum(0) % 1700 < 900)


@pytest.fixture(scope="module", autouse=True, params=["arrays", "loops"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Check with NumPy's arrays, and with the loops that numba compiles for large batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "worth", lambda _: request.param == "loops")
        patch.setattr(loops, "compiled", lambda loop: loop)
        yield request.param


def valid(code) -> bool:
    try:
        rle.validate(code)
    except RLEError:
        return False
    return True


@given(st.lists(CODES, max_size=9))
def test_sound_codes_are_valid_together(codes) -> None:
    assert all_valid([*codes, WIDE, *codes])


@st.composite
def tampered(draw):
    """Draw a code with one character inserted, deleted or replaced, or with another size."""
    code = draw(CODES)
    counts = code["counts"]
    place = draw(st.integers(0, len(counts)))
    width = draw(st.integers(0, 1))
    counts = counts[:place] + draw(st.text("01OPno/p", max_size=2)) + counts[place + width :]
    return {"size": draw(st.sampled_from([code["size"], code["size"][::-1]])), "counts": counts}


@given(st.lists(CODES, max_size=3), tampered(), st.lists(CODES, max_size=3))
def test_one_tampered_code_among_others_has_the_verdict_of_validate(before, code, after) -> None:
    assert all_valid([*before, code, *after]) is valid(code)


@given(st.integers(1, 9), st.integers(1, 9), st.text("/0123OPQabcno", max_size=12))
def test_any_characters_have_the_verdict_of_validate(height, width, counts) -> None:
    code = {"size": [height, width], "counts": counts}
    assert all_valid([WIDE, code, WIDE]) is valid(code)


BROKEN = {
    "no characters": {"size": [2, 2], "counts": ""},
    "other alphabet": {"size": [2, 2], "counts": "4\x7f"},
    "not ASCII": {"size": [2, 2], "counts": "4é"},
    "lone surrogate": {"size": [2, 2], "counts": "4\ud800"},
    "asks for another": {"size": [2, 2], "counts": "4P"},
    "number of seven characters": {"size": [2, 2], "counts": "4PPPPPP0"},
    "negative run that sums": {"size": [2, 2], "counts": "6N"},
    "one pixel short": {"size": [2, 2], "counts": "3"},
    "one pixel long": {"size": [2, 2], "counts": "5"},
    "too many characters": {"size": [1, 1], "counts": "10000"},
    "no pixels": {"size": [0, 4], "counts": "0"},
    "too many pixels": {"size": [100_000, 100_000], "counts": "0"},
    "beyond int64": {"size": [10**30, 1], "counts": "0"},
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN.keys())
def test_broken_code_is_found_at_any_place(code) -> None:
    assert not valid(code)
    for codes in ([code], [code, WIDE], [WIDE, code], [WIDE, code, WIDE]):
        assert not all_valid(codes)


def test_none_is_valid() -> None:
    assert all_valid([])


def test_unsure_of_gigantic_totals_but_never_wrong(engine: str) -> None:
    huge = rle.encode(np.zeros((10_000, 10_000), bool))
    assert all_valid([huge] * 1000)
    assert not all_valid([huge] * 1000 + [{**huge, "size": [10_000, 9_999]}])
    # Beyond the sums of arrays, which then have each code asked alone.
    assert all_valid([huge] * 6000) is (engine == "loops")
