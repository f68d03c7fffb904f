"""Figures that are known beforehand, on the natural benchmark where it is at hand.

It is the folder `pantry` of the shared material; see `shared_material`.
"""

import math
from dataclasses import replace

import pytest
from records import perfect
from shared_material import SHARED

from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord, read_queries
from askmask.metrics import Report, evaluate

FOLDER = SHARED / "pantry"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no benchmark beside the checkout")


@pytest.fixture(scope="module")
def queries() -> list[QueryRecord]:
    return list(read_queries(FOLDER / "queries.jsonl"))


@pytest.fixture(scope="module")
def truth(queries: list[QueryRecord]) -> Report:
    return evaluate(queries, [perfect(query) for query in queries])


def test_the_truth_scores_one_everywhere(truth: Report) -> None:
    for figures in [truth.metrics, *truth.slices.values()]:
        for name, figure in figures.items():
            assert figure.value == (0.0 if "brier" in name else 1.0) or math.isnan(figure.value)


def test_every_figure_and_slice_is_defined(truth: Report) -> None:
    undefined = {name for name, figure in truth.metrics.items() if not figure.n}
    assert undefined == {"type-brier"}  # the truth gives no probabilities
    families = {name.partition("=")[0] for name in truth.slices}
    assert families == {"mask_type", "reference", "targets", "reasoning", "size", "occlusion"}
    assert truth.metrics["switch-accuracy"].n > 100


def _always_amodal(query: QueryRecord) -> Prediction:
    """The right objects, always with their complete masks."""
    masks = tuple(PredictedMask(target.extra["amodal"], 1.0) for target in query.targets)
    return replace(perfect(query), mask_type="amodal", masks=masks)


def test_always_amodal_is_flattered_by_giou_only(queries: list[QueryRecord]) -> None:
    report = evaluate(queries, [_always_amodal(query) for query in queries], resamples=10)
    values = {name: figure.value for name, figure in report.metrics.items()}
    assert values["gIoU"] == pytest.approx(0.89, abs=0.01)
    assert values["mask-type-accuracy"] == pytest.approx(0.41, abs=0.01)
    assert values["switch-accuracy"] == 0.0
    assert values["hidden-part-IoU"] == 1.0
