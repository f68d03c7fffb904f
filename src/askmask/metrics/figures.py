"""Every figure by its name: how it is computed from counts, and which rules bear on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from askmask.metrics.assigned_iou import assigned_ciou, assigned_giou
from askmask.metrics.average_precision import average_precision, average_recall
from askmask.metrics.boundary import boundary_iou
from askmask.metrics.calibration import selection_brier, type_brier
from askmask.metrics.counts import Counts, Wanted
from askmask.metrics.hidden import hidden_part_iou
from askmask.metrics.instances import Instances
from askmask.metrics.iou import Comparison, Epsilon, Rejection, ciou, giou, precision_at
from askmask.metrics.mask_type import mask_type_accuracy, switch_accuracy
from askmask.metrics.matched_f1 import matched_f1
from askmask.metrics.matching import AREAS, MAX_DETECTIONS, THRESHOLDS
from askmask.metrics.no_target import n_acc, t_acc
from askmask.metrics.rims import DILATION_RATIO
from askmask.metrics.terms import Metric, Terms

__all__ = [
    "FIGURES",
    "OF_INSTANCES",
    "Rules",
    "compute",
    "lower_is_better",
    "settings_of",
    "wanted_by",
]


@dataclass(frozen=True)
class Rules:
    """Rules on which papers differ; each stands in the signatures that it bears on.

    Attributes:
        both_empty: IoU of a correct "no target".
        rejection: what makes an answer a "no target": no pixels, or no mask.
        comparison: how an IoU passes the threshold of Pr@t.
        epsilon: what official scripts add below the line of gIoU and cIoU.
        unit: whether gIoU and cIoU compare fused masks, or assigned instances one by one.
    """

    both_empty: Literal[0, 1] = 1
    rejection: Rejection = "area"
    comparison: Comparison = ">"
    epsilon: Epsilon = "none"
    unit: Literal["query", "instance"] = "query"


def lower_is_better(metric: str) -> bool:
    """Whether small values of a figure are good."""
    return metric.endswith("-brier")


_Figure = Callable[[Counts, Rules], Metric]


def _giou(counts: Counts, rules: Rules) -> Metric:
    if rules.unit == "instance":
        return assigned_giou(counts)
    return giou(
        counts, both_empty=rules.both_empty, rejection=rules.rejection, epsilon=rules.epsilon
    )


def _ciou(counts: Counts, rules: Rules) -> Metric:
    if rules.unit == "instance":
        return assigned_ciou(counts)
    return ciou(counts, rejection=rules.rejection, epsilon=rules.epsilon)


def _precision(threshold: float) -> _Figure:
    return lambda counts, rules: precision_at(
        counts, threshold, comparison=rules.comparison, rejection=rules.rejection
    )


def _of(counts: Counts) -> Instances:
    assert counts.instances is not None  # `wanted_by` has them counted
    return counts.instances


def _ap(area: int, thresholds: slice = slice(None)) -> _Figure:
    return lambda counts, _: average_precision(_of(counts), area, thresholds)


PRECISIONS = ("Pr@0.5", "Pr@0.6", "Pr@0.7", "Pr@0.8", "Pr@0.9")

AP_FAMILY = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")

OF_INSTANCES = (*AP_FAMILY, "F1@0.5", "selection-brier")
"""Figures that need masks one by one, with scores."""

FIGURES: dict[str, _Figure] = {
    "gIoU": _giou,
    "cIoU": _ciou,
    **{name: _precision(float(name.removeprefix("Pr@"))) for name in PRECISIONS},
    "N-acc": lambda counts, _: n_acc(counts),
    "T-acc": lambda counts, _: t_acc(counts),
    "AP": _ap(0),
    "AP50": _ap(0, slice(0, 1)),
    "AP75": _ap(0, slice(5, 6)),
    **{f"AP{letter}": _ap(area) for area, letter in enumerate(AREAS) if letter},
    "AR": lambda counts, _: average_recall(_of(counts)),
    "F1@0.5": lambda counts, rules: matched_f1(counts, _of(counts), both_empty=rules.both_empty),
    "mask-type-accuracy": lambda counts, _: mask_type_accuracy(counts),
    "switch-accuracy": lambda counts, _: switch_accuracy(counts),
    "hidden-part-IoU": lambda counts, _: hidden_part_iou(counts),
    "type-brier": lambda counts, _: type_brier(counts),
    "selection-brier": lambda counts, _: selection_brier(_of(counts)),
    "boundary-IoU": lambda counts, rules: boundary_iou(counts, both_empty=rules.both_empty),
}
"""In the order in which they are printed."""


def wanted_by(names: tuple[str, ...], rules: Rules) -> Wanted:
    """Return the counts that these figures need."""
    return Wanted(
        instances=any(name in OF_INSTANCES for name in names),
        pairs=rules.unit == "instance",
        rims="boundary-IoU" in names,
        twins="switch-accuracy" in names,
    )


def compute(name: str, counts: Counts, rules: Rules) -> Metric:
    """Compute a figure; undefined where answers lack the instances that it needs."""
    if name in OF_INSTANCES and counts.fused_only.any():
        nothing = np.zeros(len(counts))
        return Terms(nothing, nothing, np.zeros(len(counts), bool))
    return FIGURES[name](counts, rules)


def settings_of(metric: str, rules: Rules) -> dict[str, Any]:
    """Return the rules that bear on a figure, as its signature shows them."""
    settings: dict[str, Any] = {}
    if metric in ("gIoU", "cIoU") and rules.unit == "instance":
        return {"unit": "instance", "match": "assigned"}
    if metric in ("gIoU", "F1@0.5", "boundary-IoU"):
        settings["empty"] = rules.both_empty
    if metric in ("gIoU", "cIoU", *PRECISIONS):
        settings["reject"] = rules.rejection
    if metric in PRECISIONS:
        settings["pass"] = rules.comparison
    if metric in ("gIoU", "cIoU") and rules.epsilon != "none":
        settings["epsilon"] = rules.epsilon
    if metric in AP_FAMILY:
        settings |= {"dets": MAX_DETECTIONS, "area": "mask"}
    if metric in ("F1@0.5", "selection-brier"):
        settings["match"] = f"assigned>={THRESHOLDS[0]:g}"
    if metric == "boundary-IoU":
        settings["rim"] = DILATION_RATIO
    return settings
