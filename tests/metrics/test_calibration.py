"""Brier scores and reliability tables by hand."""

import math

import numpy as np
import pytest
from records import SIZE_HW, make_prediction, make_query, rows

from askmask import rle
from askmask.formats.askmask import PredictedMask, Prediction
from askmask.metrics.calibration import reliability, selection_brier, type_brier
from askmask.metrics.counts import count
from askmask.types import MaskType


def _says(name: str, modal: float, amodal: float, hidden: float) -> Prediction:
    kinds = dict(zip(MaskType, (modal, amodal, hidden), strict=True))
    return Prediction(id=name, mask_type=max(kinds, key=kinds.get), mask_type_probability=kinds)


def test_type_brier_is_half_the_squared_distance() -> None:
    queries = [make_query(str(i), mask_type=kind) for i, kind in enumerate(["modal", "amodal"])]
    counts = count(queries, [_says("0", 0.7, 0.2, 0.1), _says("1", 1, 0, 0)])
    expected = ((0.3**2 + 0.2**2 + 0.1**2) / 2 + 1) / 2
    assert type_brier(counts).value == pytest.approx(expected)
    table = reliability(counts)["type"]
    assert table.n.tolist() == [0] * 7 + [1, 0, 1]
    assert table.accuracy[[7, 9]].tolist() == [1.0, 0.0]
    assert table.mean_probability[[7, 9]] == pytest.approx([0.7, 1.0])
    assert len(table.edges) == 11


def test_type_brier_is_undefined_without_types_or_probabilities() -> None:
    untold = count([make_query("0", mask_type=None)], [_says("0", 1, 0, 0)])
    unsaid = count([make_query("0")], [make_prediction("0")])
    assert math.isnan(type_brier(untold).value)
    assert math.isnan(type_brier(unsaid).value)


def _scored(*masks: tuple[np.ndarray, float]):
    query = make_query("a", [rows(0, 4), rows(6, 8)])
    found = tuple(PredictedMask(rle.encode(mask), score) for mask, score in masks)
    return count([query], [Prediction(id="a", masks=found)])


def test_selection_brier_counts_a_double_as_wrong() -> None:
    counts = _scored((rows(0, 4), 0.9), (rows(0, 3), 0.8), (rows(9, 10), 0.25))
    assert selection_brier(counts.instances).value == pytest.approx((0.1**2 + 0.8**2 + 0.25**2) / 3)
    table = reliability(counts)["selection"]
    assert table.n.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 1, 1]
    assert table.accuracy[[2, 8, 9]].tolist() == [0.0, 0.0, 1.0]


def test_selection_brier_is_undefined_for_scores_that_are_no_probabilities() -> None:
    counts = _scored((rows(0, 4), 3.5))
    assert math.isnan(selection_brier(counts.instances).value)
    assert reliability(counts)["selection"].n.sum() == 0


def test_masks_in_the_ignore_region_are_beside_the_question() -> None:
    query = make_query("a", [rows(0, 2)], ignore=rows(5, 10))
    found = (PredictedMask(rle.encode(rows(6, 9)), 1.0), PredictedMask(rle.encode(rows(0, 2)), 1.0))
    counts = count([query], [Prediction(id="a", masks=found)])
    assert selection_brier(counts.instances).value == 0.0
    assert counts.instances.beside.tolist() == [True, False]


def test_tables_are_plain_in_json() -> None:
    table = reliability(_scored((np.zeros(SIZE_HW, bool), 0.5)))["selection"].to_json()
    assert table["n"] == [0] * 5 + [1] + [0] * 4
    assert table["accuracy"] == [None] * 5 + [0.0] + [None] * 4
