"""Every metric straight from its definition, on dense masks, one query and one pixel at a time.

Slow and short on purpose: what is compared with it must not share its mistakes.
"""

from __future__ import annotations

import itertools

import numpy as np

AREAS = {"": (0, 1e10), "s": (0, 1024), "m": (1024, 9216), "l": (9216, 1e10)}


def iou(a: np.ndarray, b: np.ndarray) -> float:
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 0.0


def _greedy(query, threshold: float, low: float, high: float) -> tuple[list, int]:
    """COCO's matching: (score, right or wrong or None) of each mask, and the targets that count."""
    targets, masks, scores = query
    counts = [low <= target.sum() <= high for target in targets]
    free, found = [True] * len(targets), []
    for k in sorted(range(len(masks)), key=lambda k: -scores[k])[:100]:
        fits = [
            (counts[g], iou(masks[k], targets[g]), g)
            for g in range(len(targets))
            if free[g] and iou(masks[k], targets[g]) >= min(threshold, 1 - 1e-10)
        ]
        if fits:
            regular, _, g = max(fits)
            free[g] = False
            found.append((scores[k], True if regular else None))
        else:
            found.append((scores[k], False if low <= masks[k].sum() <= high else None))
    return found, sum(counts)


def average_precision(queries, thresholds, letter: str = "") -> tuple[float, float]:
    """AP and AR over all queries; NaN without targets."""
    precisions, recalls = [], []
    for threshold in thresholds:
        matched = [_greedy(query, threshold, *AREAS[letter]) for query in queries]
        total = sum(number for _, number in matched)
        if not total:
            return float("nan"), float("nan")
        ranked = sorted((one for found, _ in matched for one in found), key=lambda one: -one[0])
        right = np.array([one[1] for one in ranked if one[1] is not None], float)
        curve = np.cumsum(right) / np.arange(1, len(right) + 1)
        recall = np.cumsum(right) / total
        wanted = np.linspace(0, 1, 101)
        precisions += [max(curve[recall >= least], default=0.0) for least in wanted]
        recalls.append(right.sum() / total)
    return float(np.mean(precisions)), float(np.mean(recalls))


def assignments(masks, targets, least: float):
    """Every one-to-one choice of pairs (mask, target) with an IoU of at least `least`."""
    able = [
        (m, t)
        for m, t in itertools.product(range(len(masks)), range(len(targets)))
        if iou(masks[m], targets[t]) >= max(least, 1e-9)
    ]
    for size in range(min(len(masks), len(targets)) + 1):
        for pairs in itertools.combinations(able, size):
            if len({m for m, _ in pairs}) == len({t for _, t in pairs}) == size:
                yield pairs


def best_pairs(masks, targets, least: float):
    """Pairs with the largest sum of IoU."""
    return max(
        assignments(masks, targets, least),
        key=lambda pairs: sum(iou(masks[m], targets[t]) for m, t in pairs),
    )


def matched_f1(masks, targets) -> float:
    """F1 at an IoU of 0.5; 1 when there is nothing on either side."""
    both = len(masks) + len(targets)
    return 2 * len(best_pairs(masks, targets, 0.5)) / both if both else 1.0


def rim(mask: np.ndarray, distance: int) -> np.ndarray:
    """Pixels with something that is no mask in the square around them."""
    result = np.zeros_like(mask)
    wide = np.pad(mask, distance)
    for y, x in zip(*mask.nonzero(), strict=True):
        square = wide[y : y + 2 * distance + 1, x : x + 2 * distance + 1]
        result[y, x] = not square.all()
    return result
