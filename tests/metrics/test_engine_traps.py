"""What evaluation engines get wrong in silence; see docs/evaluation.md."""

import math
from dataclasses import replace

import numpy as np
import pytest
from records import make_prediction, make_query, rows

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import PredictedMask, Prediction, Target
from askmask.metrics import evaluate
from askmask.metrics.counts import count

AP_FAMILY = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")
LARGE = (100, 120)


def _ap(queries, predictions) -> dict[str, float]:
    report = evaluate(queries, predictions, "r2sm", resamples=2)
    return {name: report.metrics[name].value for name in AP_FAMILY}


def _answer(name: str, mask: np.ndarray, **extra) -> Prediction:
    found = PredictedMask(rle.encode(mask), 0.5, extra=extra)
    wrong = PredictedMask(rle.encode(rows(90, 100, LARGE)), 0.9, extra=extra)
    return Prediction(id=name, masks=(found, wrong))


def test_a_box_beside_a_mask_does_not_change_its_size() -> None:
    query = make_query("a", [rows(0, 30, LARGE)], size_hw=LARGE)
    plain = _ap([query], [_answer("a", rows(0, 30, LARGE))])
    boxed = _ap([query], [_answer("a", rows(0, 30, LARGE), bbox=[0, 0, 3, 3])])
    assert boxed == pytest.approx(plain, nan_ok=True)
    assert plain["APm"] > 0


@pytest.mark.parametrize("extra", [{}, {"area": 1.0}])
def test_targets_are_sorted_by_the_pixels_of_their_masks(extra: dict) -> None:
    query = make_query("a", [rows(0, 30, LARGE)], size_hw=LARGE)
    query.targets[0].extra.update(extra)
    values = _ap([query], [_answer("a", rows(0, 30, LARGE))])
    assert values["APm"] > 0
    assert math.isnan(values["APs"])


def test_any_string_is_an_id() -> None:
    names = ["7", "07", " 7", "7.0", "Äpfel/ü#3", str(2**70), "-1", "0"]
    queries = [make_query(name, [rows(0, 1 + i)]) for i, name in enumerate(names)]
    answers = [make_prediction(name, [rows(0, 1 + i)]) for i, name in enumerate(names)]
    values = _ap(queries, answers[::-1])
    assert (values["AP"], values["AR"]) == (1.0, 1.0)


def test_entity_zero_can_be_found() -> None:
    query = make_query("a")
    target = Target(rle.encode(rows(0, 3)), entity=0)
    query = replace(query, targets=(target,))
    assert _ap([query], [make_prediction("a", [rows(0, 3)])])["AP"] == 1.0


def test_nothing_is_dropped_in_silence() -> None:
    queries = [make_query("a", [rows(0, 3)]), make_query("b")]
    answers = [make_prediction("a", [rows(0, 3)] * 130), make_prediction("b", [rows(0, 0)] * 2)]
    instances = count(queries, answers).instances
    assert np.bincount(instances.query).tolist() == [130, 2]
    with pytest.raises(DataError, match=r"1 of 3 are of no query \(A\)"):
        evaluate(queries, [*answers, make_prediction("A")])


@pytest.mark.parametrize("answer", [
    make_prediction("a", [rows(0, 3, (10, 11))]),
    make_prediction("a", fused=rows(0, 3, (9, 10))),
    Prediction(id="a", masks=(PredictedMask(rle.encode(rows(0, 3, (20, 5))), 1.0),)),
])  # fmt: skip
def test_masks_of_another_size_are_refused_not_scored_zero(answer: Prediction) -> None:
    with pytest.raises(DataError, match=r"expected masks of size \[10, 10\] as in query a, got"):
        evaluate([make_query("a", [rows(0, 3)])], [answer])


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_no_numbers_are_refused(score: float) -> None:
    answer = Prediction(id="a", masks=(PredictedMask(rle.encode(rows(0, 3)), score),))
    with pytest.raises(DataError, match="prediction a: expected finite scores"):
        evaluate([make_query("a", [rows(0, 3)])], [answer])
    line = {"id": "a", "masks": [{"segmentation": rle.encode(rows(0, 3)), "score": score}]}
    with pytest.raises(DataError, match="finite number"):
        Prediction.from_json(line, "test")


def test_no_masks_at_all_score_zero() -> None:
    values = _ap([make_query("a", [rows(0, 3)])], [make_prediction("a")])
    assert (values["AP"], values["AR"]) == (0.0, 0.0)


def test_no_targets_at_all_are_undefined() -> None:
    values = _ap([make_query("a")], [make_prediction("a", [rows(0, 3)])])
    assert np.isnan([*values.values()]).all()


def test_a_mask_on_a_query_without_target_is_a_false_positive() -> None:
    queries = [make_query("a", [rows(0, 3)]), make_query("b")]
    answers = [make_prediction("a", [rows(0, 3)]), make_prediction("b", [rows(0, 3)])]
    high = Prediction(id="b", masks=(PredictedMask(rle.encode(rows(0, 3)), 2.0),))
    assert _ap(queries, answers)["AP"] == 1.0
    assert _ap(queries, [answers[0], high])["AP"] == 0.5


def test_a_broken_code_names_its_query() -> None:
    broken = Prediction(id="b", masks=(PredictedMask({"size": [10, 10], "counts": "0"}, 1.0),))
    queries = [make_query("a", [rows(0, 3)]), make_query("b", [rows(0, 3)])]
    with pytest.raises(DataError, match="query b: RLE counts"):
        evaluate(queries, [make_prediction("a", [rows(0, 3)]), broken])
