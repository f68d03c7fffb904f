"""Metrics of language-guided segmentation: validate, count per query, then compute."""

from __future__ import annotations

from askmask.metrics.calibration import Reliability
from askmask.metrics.compare import Difference, compare
from askmask.metrics.evaluate import evaluate
from askmask.metrics.protocols import PROTOCOLS, Protocol
from askmask.metrics.report import Figure, Report

__all__ = [
    "PROTOCOLS",
    "Difference",
    "Figure",
    "Protocol",
    "Reliability",
    "Report",
    "compare",
    "evaluate",
]
