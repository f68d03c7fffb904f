"""gIoU and cIoU on random masks: bounds, order of masks, and equality with a dense loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from records import make_prediction, make_query, perfect

from askmask.metrics.counts import count
from askmask.metrics.iou import ciou, giou, iou

Stack = NDArray[np.bool_]
SIZE_HW = (5, 7)
stacks = st.integers(0, 3).flatmap(lambda n: arrays(bool, (n, *SIZE_HW)))
samples = st.lists(
    st.tuples(stacks, stacks, st.none() | arrays(bool, SIZE_HW)), min_size=1, max_size=4
)


def _records(drawn: list[tuple[Stack, Stack, Stack | None]]) -> tuple[list, list]:
    queries = [
        make_query(str(i), target, size_hw=SIZE_HW, ignore=ignore)
        for i, (target, _, ignore) in enumerate(drawn)
    ]
    return queries, [make_prediction(str(i), masks) for i, (_, masks, _) in enumerate(drawn)]


def _dense_giou_ciou(drawn: list[tuple[Stack, Stack, Stack | None]]) -> tuple[float, float]:
    """Straight from the definition, pixel by pixel."""
    ious, above, below = [], 0, 0
    for target, masks, ignore in drawn:
        scored = np.ones(SIZE_HW, bool) if ignore is None else ~ignore
        g, p = target.any(axis=0) & scored, masks.any(axis=0) & scored
        i, u = int((g & p).sum()), int((g | p).sum())
        ious.append(i / u if u else 1.0)
        above, below = above + i, below + u
    return float(np.mean(ious)), above / below if below else float("nan")


@given(samples)
def test_equals_a_dense_loop(drawn: list[tuple[Stack, Stack, Stack | None]]) -> None:
    counts = count(*_records(drawn))
    values = giou(counts).value, ciou(counts).value
    assert values == pytest.approx(_dense_giou_ciou(drawn), nan_ok=True)


@given(samples)
def test_stays_between_zero_and_one(drawn: list[tuple[Stack, Stack, Stack | None]]) -> None:
    values = iou(count(*_records(drawn)), rejection="answer")
    assert ((values >= 0) & (values <= 1)).all()


@given(samples)
def test_the_truth_scores_one(drawn: list[tuple[Stack, Stack, Stack | None]]) -> None:
    queries, _ = _records(drawn)
    assert giou(count(queries, [perfect(query) for query in queries])).value == 1.0


@settings(max_examples=50)
@given(samples, st.randoms(use_true_random=False))
def test_order_of_masks_does_not_matter(drawn: list, random) -> None:
    shuffled = [
        (target[_order(len(target), random)], masks[_order(len(masks), random)], ignore)
        for target, masks, ignore in drawn
    ]
    plain, mixed = (count(*_records(sample)) for sample in (drawn, shuffled))
    assert plain.intersection.tolist() == mixed.intersection.tolist()
    assert plain.union.tolist() == mixed.union.tolist()


def _order(n: int, random) -> list[int]:
    return random.sample(range(n), n)
