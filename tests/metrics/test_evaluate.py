"""Whole evaluations: what is refused, what is reported, and the JSON that outside tools read."""

import json
import math
from pathlib import Path

import pytest
from records import make_prediction, make_query, perfect, rows

from askmask.errors import ConfigError, DataError
from askmask.metrics import PROTOCOLS, evaluate
from askmask.metrics.signature import signature

GOLDEN = Path(__file__).parents[1] / "golden" / "evaluate-r2sm.json"

QUERIES = [
    make_query(
        "a", [rows(0, 4)], amodal=[rows(0, 8)], references=[rows(9, 10)], tags=["reasoning:spatial"]
    ),
    make_query("b", [rows(0, 8)], mask_type="amodal", modal=[rows(0, 4)], tags=["twin:a"]),
    make_query("c", [rows(4, 8)], mask_type="hidden", modal=[rows(0, 4)]),
    make_query("d", [], mask_type="modal"),
    make_query("e", [rows(0, 1), rows(2, 3)]),
]
PREDICTIONS = [
    make_prediction("e", error="out of memory", mask_type=None),
    make_prediction("a", [rows(0, 5)]),
    make_prediction("b", [rows(0, 6)], mask_type="amodal"),
    make_prediction("c", [rows(4, 8)], mask_type="amodal"),
    make_prediction("d", []),
]


def _golden_text() -> str:
    """Report as the golden file holds it, whatever the version and the last digits."""
    whole = json.dumps(evaluate(QUERIES, PREDICTIONS, "r2sm", data="0123456789ab").to_json())
    found = json.loads(whole, parse_float=lambda digits: round(float(digits), 12))
    text = json.dumps(found, indent=2, allow_nan=False) + "\n"
    return text.replace(signature("", {}), "|v:X")


def test_json_is_the_golden_file() -> None:
    """Values were checked by hand; running this file writes it anew."""
    assert _golden_text() == GOLDEN.read_text()


def test_values_by_hand() -> None:
    report = evaluate(QUERIES, PREDICTIONS)
    values = {name: figure.value for name, figure in report.metrics.items()}
    expected = {
        "gIoU": (4 / 5 + 6 / 8 + 1 + 1 + 0) / 5,
        "cIoU": (40 + 60 + 40) / (50 + 80 + 40 + 20),
        "Pr@0.5": 3 / 4,
        "Pr@0.6": 3 / 4,
        "Pr@0.7": 3 / 4,
        "Pr@0.8": 1 / 4,
        "Pr@0.9": 1 / 4,
        "N-acc": 1,
        "T-acc": 3 / 4,
        "mask-type-accuracy": 3 / 5,
        "switch-accuracy": 1,
        "hidden-part-IoU": 20 / 40,
        "AP50": 61 / 101,
        "F1@0.5": 4 / 5,
        "selection-brier": 0,
        "boundary-IoU": (16 / 34 + 20 / 40 + 1 + 1 + 0) / 5,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    assert (report.n, report.failed, report.missing) == (5, 1, 0)
    assert report.slices["mask_type=amodal"]["gIoU"].value == 6 / 8
    assert report.slices["reference=with"]["gIoU"].n == 1


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_the_truth_scores_one_under_every_protocol(name: str) -> None:
    report = evaluate(QUERIES, [perfect(query) for query in QUERIES], name)
    for figures in [report.metrics, *report.slices.values()]:
        for metric, figure in figures.items():
            best = 0 if "brier" in metric else 1
            assert math.isnan(figure.value) or {figure.value, figure.low, figure.high} == {best}
    assert report.metrics["gIoU"].n == (4 if name == "muse" else 5)


def test_intervals_hold_the_value() -> None:
    for figure in evaluate(QUERIES, PREDICTIONS).metrics.values():
        assert math.isnan(figure.value) or figure.low <= figure.value <= figure.high


def test_missing_predictions_are_refused_and_listed() -> None:
    with pytest.raises(DataError, match=r"3 of 5 queries have none \(b, c, d\).*--allow-missing"):
        evaluate(QUERIES, PREDICTIONS[:2])


def test_missing_predictions_may_count_as_empty() -> None:
    report = evaluate(QUERIES, PREDICTIONS[:2], allow_missing=True)
    assert (report.failed, report.missing) == (1, 3)
    assert report.metrics["gIoU"].value == pytest.approx((0.8 + 1) / 5)  # d asks for nothing
    assert report.metrics["N-acc"].value == 1.0
    assert "|missing:3|" in report.metrics["gIoU"].signature


def test_predictions_of_no_query_are_refused() -> None:
    extra = [make_prediction(f"x{i}") for i in range(8)]
    with pytest.raises(DataError, match=r"8 of 13 are of no query \(x0, x1, x2, x3, x4, …\)"):
        evaluate(QUERIES, [*PREDICTIONS, *extra])


def test_two_predictions_of_one_query_are_refused() -> None:
    with pytest.raises(DataError, match="two for a"):
        evaluate(QUERIES, [*PREDICTIONS, make_prediction("a")])


def test_unknown_protocol_names_the_known() -> None:
    with pytest.raises(ConfigError, match=r"select, res, gres.*got 'coco'"):
        evaluate([], [], "coco")


def test_nothing_to_score_is_undefined_not_zero() -> None:
    figures = evaluate([], [], "r2sm").to_json()["metrics"]
    assert figures["gIoU"] | {"signature": ""} == {
        "value": None, "low": None, "high": None, "n": 0, "signature": ""
    }  # fmt: skip


def test_signature_tells_protocol_rules_slice_and_data() -> None:
    report = evaluate(QUERIES, PREDICTIONS, "r2sm", data="abc")
    assert report.metrics["gIoU"].signature == signature(
        "gIoU|protocol:r2sm|empty:1|reject:area|n:5|data:abc", {}
    )
    assert "|slice:mask_type=amodal|n:1|" in report.slices["mask_type=amodal"]["cIoU"].signature


FUSED = [make_prediction(query.id, fused=rows(0, 4)) for query in QUERIES]


@pytest.mark.parametrize("name", ["r2sm", "ores", "muse"])
def test_one_fused_mask_is_refused_where_instances_are_scored(name: str) -> None:
    with pytest.raises(DataError, match=r"5 of 5 answers are one fused mask.*protocol select"):
        evaluate(QUERIES, FUSED, name)


def test_select_says_why_figures_of_fused_masks_are_undefined() -> None:
    report = evaluate(QUERIES, FUSED)
    for name in ("AP", "AR", "F1@0.5", "selection-brier"):
        assert math.isnan(report.metrics[name].value)
        assert "5 of 5 answers are one fused mask" in report.to_json()["undefined"][name]
    assert report.metrics["gIoU"].value > 0
    assert report.reliability["selection"].n.sum() == 0


@pytest.mark.parametrize("name", ["res", "gres", "reasonseg"])
def test_one_fused_mask_is_scored_where_masks_are_fused_anyway(name: str) -> None:
    assert evaluate(QUERIES, FUSED, name).metrics["gIoU"].value > 0


def test_options_of_a_protocol_stand_in_the_signature() -> None:
    report = evaluate(QUERIES, PREDICTIONS, "reasonseg:empty=0,epsilon=lisa")
    assert report.metrics["gIoU"].signature.startswith(
        "gIoU|protocol:reasonseg|empty:0|reject:area|epsilon:lisa|n:5"
    )
    expected = (4 / 5 + 6 / 8 + 1 + 0 + 0) / 5
    assert report.metrics["gIoU"].value == pytest.approx(expected, abs=1e-5)
    assert report.metrics["gIoU"].value < expected


@pytest.mark.parametrize("options", ["empty=2", "empty", "speed=1", "", "pass=<"])
def test_unknown_options_name_the_known(options: str) -> None:
    with pytest.raises(ConfigError, match=r"empty=0\|1.*epsilon=none\|lisa\|psalm"):
        evaluate([], [], f"res:{options}")


def test_any_order_and_any_chunks_give_the_same_report(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = evaluate(QUERIES, PREDICTIONS).to_json()
    assert evaluate(iter(QUERIES), reversed(PREDICTIONS)).to_json() == plain
    monkeypatch.setattr("askmask.metrics.counts._CHARACTERS", 1)
    assert evaluate(iter(QUERIES), iter(PREDICTIONS)).to_json() == plain


def test_queries_with_the_same_id_are_refused() -> None:
    with pytest.raises(DataError, match="different ids, got two for a"):
        evaluate([QUERIES[0], QUERIES[0]], [])


def test_rows_of_counts_are_those_of_the_ids() -> None:
    report = evaluate(QUERIES, PREDICTIONS)
    assert list(report.query_ids) == ["a", "b", "c", "d", "e"]
    assert report.counts.intersection.tolist() == [40, 60, 40, 0, 0]
    assert [*report.terms] == [*report.metrics]


if __name__ == "__main__":
    GOLDEN.write_text(_golden_text())
