"""ReLA's rules for queries without target, as a truth table; the model has a no-target head."""

import math

import pytest
from records import make_prediction, make_query, rows

from askmask.metrics import evaluate

TARGET, NONE = [rows(0, 3)], []

# targets, mask, the head says "no target": IoU, pixels in both, pixels in either, answered
TABLE = [
    (NONE, rows(0, 5), True, 1.0, 0, 0, False),
    (NONE, rows(0, 0), True, 1.0, 0, 0, False),
    (NONE, rows(0, 5), False, 0.0, 0, 50, True),
    (NONE, rows(0, 0), False, 0.0, 0, 0, True),
    (TARGET, rows(1, 4), True, 0.0, 0, 40, False),
    (TARGET, rows(0, 0), True, 0.0, 0, 30, False),
    (TARGET, rows(1, 4), False, 0.5, 20, 40, True),
    (TARGET, rows(5, 9), False, 0.0, 0, 70, True),
    (TARGET, rows(0, 0), False, 0.0, 0, 30, True),
]


@pytest.mark.parametrize(
    ("targets", "mask", "rejects", "iou", "common", "either", "answered"), TABLE
)
def test_truth_table(targets, mask, rejects, iou, common, either, answered) -> None:
    answer = make_prediction("a", fused=mask, no_target_probability=0.9 if rejects else 0.1)
    report = evaluate([make_query("a", targets)], [answer], "gres", resamples=2)
    assert report.metrics["gIoU"].value == iou
    terms = report.terms["cIoU"]
    assert (terms.numerator.tolist(), terms.denominator.tolist()) == ([common], [either])
    right = float(answered == bool(targets))
    names = ("T-acc", "N-acc") if targets else ("N-acc", "T-acc")
    assert report.metrics[names[0]].value == right
    assert math.isnan(report.metrics[names[1]].value)


def test_the_whole_table_at_once() -> None:
    queries = [make_query(str(i), row[0]) for i, row in enumerate(TABLE)]
    answers = [
        make_prediction(str(i), fused=row[1], no_target_probability=0.9 if row[2] else 0.1)
        for i, row in enumerate(TABLE)
    ]
    values = {
        name: figure.value
        for name, figure in evaluate(queries, answers, "gres", resamples=2).metrics.items()
    }
    assert values["gIoU"] == pytest.approx(sum(row[3] for row in TABLE) / len(TABLE))
    assert values["cIoU"] == pytest.approx(20 / sum(row[5] for row in TABLE))
    assert (values["N-acc"], values["T-acc"]) == (2 / 4, 3 / 5)


def test_precision_is_of_targeted_queries_and_takes_the_threshold_itself() -> None:
    queries = [make_query("a", [rows(0, 7)]), make_query("b", [rows(0, 7)]), make_query("c")]
    answers = [make_prediction("a", fused=rows(0, 10)), make_prediction("b", fused=rows(0, 3))]
    report = evaluate(queries, [*answers, make_prediction("c")], "gres", resamples=2)
    assert (report.metrics["Pr@0.7"].value, report.metrics["Pr@0.8"].value) == (0.5, 0.0)
    assert report.metrics["Pr@0.7"].n == 2


def test_a_model_without_a_head_rejects_by_an_empty_mask() -> None:
    report = evaluate([make_query("a")], [make_prediction("a", fused=rows(0, 0))], "gres")
    assert report.metrics["N-acc"].value == 1.0
