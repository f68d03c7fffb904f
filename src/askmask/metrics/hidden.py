"""Hidden-part IoU: how well is the part guessed that cannot be seen?

On amodal queries most of the target is visible, so the plain IoU is high even for a model that
completes nothing. Here the target's visible pixels leave both masks first.
"""

from __future__ import annotations

import numpy as np

from askmask.metrics.counts import Counts
from askmask.metrics.terms import Terms

__all__ = ["hidden_part_iou"]


def hidden_part_iou(counts: Counts) -> Terms:
    """Mean IoU of (prediction minus visible target) with (amodal minus visible target).

    Counted are the amodal queries whose targets have visible masks and a hidden part of at least
    one pixel; NaN when there is none. Pixels that one target hides of another are visible pixels
    of the group, so they do not count as hidden.
    """
    return Terms.of_mean(counts.hidden_iou, ~np.isnan(counts.hidden_iou))
