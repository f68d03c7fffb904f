"""N-acc and T-acc: does the model know when nothing fits?

An answer without masks is a rejection. A failed query is no rejection: a crash earns nothing.
"""

from __future__ import annotations

from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["n_acc", "t_acc"]


def n_acc(counts: Counts) -> Terms:
    """Share of the no-target queries that are answered with no mask; NaN when there is none."""
    return Terms.of_mean(~counts.answered & ~counts.failed, counts.targets == 0)


def t_acc(counts: Counts) -> Terms:
    """Share of the targeted queries that are answered with some mask; NaN when there is none."""
    return Terms.of_mean(counts.answered, counts.targets > 0)
