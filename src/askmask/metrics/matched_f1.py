"""F1 of instance masks: are the right objects there, and no others?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from askmask.metrics.counts import Counts
from askmask.metrics.instances import Instances
from askmask.metrics.terms import Terms

__all__ = ["matched_f1"]


def matched_f1(counts: Counts, instances: Instances, *, both_empty: Literal[0, 1] = 1) -> Terms:
    """Mean over queries of F1 = 2 hits / (predicted masks + targets), matched at IoU 0.5.

    A query without targets that is answered without masks scores `both_empty`, a failed query 0.
    Every query counts; NaN when there is none.
    """
    n = len(instances)
    hits = np.bincount(instances.query, instances.hit, n)
    predicted = np.bincount(instances.query, ~instances.beside, n)
    below = predicted + instances.targets[0]
    f1 = np.where(below > 0, 2 * hits / np.maximum(below, 1), float(both_empty))
    return Terms.of_mean(np.where(counts.failed, 0.0, f1), np.ones(n, bool))
