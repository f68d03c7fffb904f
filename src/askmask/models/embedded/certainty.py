"""How sure an answer is: the least probability with which one of its decisions was made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["doubts", "group_certainty"]


def group_certainty(
    score: NDArray[np.floating], chosen: NDArray[np.bool_], no_target: float
) -> float:
    """Probability of the least sure decision about a group, in [0, 1].

    Args:
        score: (N,) probability of each candidate.
        chosen: (N,) bool, the group; none of them is the decision that nothing fits.
        no_target: probability that nothing fits.
    """
    if not chosen.any():
        return no_target
    decided = np.where(chosen, score, 1 - score)
    return float(min(decided.min(), 1 - no_target))


def doubts(
    score: NDArray[np.floating],
    chosen: NDArray[np.bool_],
    no_target: float,
    mask_type: tuple[str, float],
    threshold: float,
) -> str | None:
    """Say which decisions were made with a probability below `threshold`; None for none.

    Args:
        score: (N,) probability of each candidate.
        chosen: (N,) bool, the group.
        no_target: probability that nothing fits.
        mask_type: the answered type and its probability, 1 where the query forces it.
        threshold: least probability of a sure decision.
    """
    kind, share = mask_type
    said = [f"{kind} has {share:.2f}"] if share < threshold else []
    if (no_target if not chosen.any() else 1 - no_target) < threshold:
        said.append(f"that nothing fits has {no_target:.2f}")
    if chosen.any() and score[chosen].min() < threshold:
        said.append(f"the weakest mask has {score[chosen].min():.2f}")
    left_out = score[~chosen]
    if chosen.any() and len(left_out) and 1 - left_out.max() < threshold:
        said.append(f"the best one left out has {left_out.max():.2f}")
    return ", ".join(said) or None
