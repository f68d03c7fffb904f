import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from askmask import rle
from askmask.errors import QueryError, RLEError, ShapeError
from askmask.types import MAX_TEXT, Answer, Candidates, Masks, MaskType, Query

STACKS = array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9).flatmap(
    lambda shape: arrays(bool, shape)
)


@given(STACKS, st.booleans())
def test_both_representations_are_the_same_stack(dense, coded) -> None:
    codes = [rle.encode(mask) for mask in dense]
    size_hw = dense.shape[1:]
    masks = Masks.from_rles(codes, size_hw) if coded else Masks.from_dense(dense)
    assert len(masks) == len(dense)
    assert masks.size_hw == size_hw
    assert masks.areas.tolist() == dense.sum((1, 2)).tolist()
    assert np.array_equal(masks.dense(), dense)
    assert list(masks.rles) == codes
    assert np.array_equal(np.stack(list(masks)), dense)
    assert np.array_equal(masks[-1], dense[-1])
    assert masks.union() == rle.encode(dense.any(0))


@given(STACKS, st.booleans(), st.data())
def test_parts_of_a_stack(dense, coded, data) -> None:
    masks = Masks.from_dense(dense)
    if coded:
        masks = Masks.from_rles(masks.rles, masks.size_hw)
    index = data.draw(st.lists(st.integers(0, len(dense) - 1)))
    for chosen in (index, np.array(index, np.int64), slice(1, None), slice(0, 0)):
        part = masks[chosen]
        expected = np.arange(len(dense))[chosen]
        assert part.size_hw == masks.size_hw
        assert np.array_equal(part.dense(), dense[expected])
        assert part.areas.tolist() == dense[expected].sum((1, 2)).tolist()


def test_empty_stack_knows_its_size() -> None:
    masks = Masks.empty((4, 6))
    assert (len(masks), masks.rles, list(masks)) == (0, (), [])
    assert masks.dense().shape == (0, 4, 6)
    assert masks.areas.tolist() == []
    assert rle.area(masks.union()) == 0
    assert repr(masks) == "Masks(n=0, height=4, width=6)"
    with pytest.raises(IndexError):
        masks[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Masks((2, 2)), "use Masks.empty"),
        (lambda: Masks((2, 3), dense=np.zeros((1, 2, 2), bool)), r"expected \(N, 2, 3\) bool"),
        (lambda: Masks.from_dense(np.zeros((2, 2), bool)), "needs masks"),
        (lambda: Masks.from_dense(np.zeros((1, 2, 2), np.uint8)), "use mask > 0"),
    ],
)
def test_wrong_arrays_are_refused(make, message) -> None:
    with pytest.raises(ShapeError, match=message):
        make()


def test_codes_are_checked() -> None:
    code = rle.encode(np.ones((2, 3), bool))
    with pytest.raises(RLEError, match=r"expected \[3, 2\]"):
        Masks.from_rles([code], (3, 2))


@pytest.mark.parametrize(
    ("text", "references", "message"),
    [
        ("", 0, "is empty"),
        (" \n", 0, "is empty"),
        ("x" * (MAX_TEXT + 1), 0, "2,001 characters, at most 2,000"),
        ("left of [1]", 0, r"says \[1\], but 0 reference masks were given"),
        ("between [1] and [3]", 2, r"says \[3\], but 2"),
        ("left of [2]", 1, "1 reference mask was given"),
        ("left of [0]", 1, r"says \[0\]"),
    ],
)
def test_query_that_cannot_be_asked(text, references, message) -> None:
    masks = Masks.from_dense(np.ones((references, 2, 2), bool))
    with pytest.raises(QueryError, match=message):
        Query(text, masks)


def test_query_that_can_be_asked() -> None:
    masks = Masks.from_dense(np.ones((2, 2, 2), bool))
    assert Query("between [1] and [2]", masks).mask_type is None
    assert Query("x" * MAX_TEXT).references is None
    assert Query("a mug", masks, MaskType("hidden")).mask_type is MaskType.HIDDEN


def test_candidates_agree_in_number_and_size() -> None:
    two, one = (Masks.from_dense(np.ones((n, 2, 2), bool)) for n in (2, 1))
    score = np.ones(2, np.float32)
    assert len(Candidates(two, two, score, {"a": np.zeros((2, 5), np.float32)})) == 2
    for parts in (
        (two, one, score),
        (one, one, score),
        (two, two, score, {"a": np.zeros((3, 5), np.float32)}),
        (Masks.empty((2, 2)), Masks.empty((2, 3)), score[:0]),
    ):
        with pytest.raises(ShapeError, match="Candidates"):
            Candidates(*parts)


def test_answer_agrees_in_number() -> None:
    two, one = (Masks.from_dense(np.ones((n, 2, 2), bool)) for n in (2, 1))
    probability = dict.fromkeys(MaskType, 1 / 3)
    score = np.ones(2, np.float32)
    assert len(Answer(MaskType.MODAL, probability, two, score, two, two)) == 2
    with pytest.raises(ShapeError, match="amodal 1 must"):
        Answer(MaskType.MODAL, probability, two, score, two, one)
