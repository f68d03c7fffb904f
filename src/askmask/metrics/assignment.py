"""One-to-one assignment of predicted masks to target masks that makes the most of their IoU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign"]


def assign(worth: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Assign rows to columns so that the sum of `worth` is as large as it can be.

    The Hungarian method with potentials, row by row, in O(rows^2 * columns).

    Args:
        worth: (R, C) float64, 0 or more; 0 means that the two cannot be assigned.

    Returns:
        Pairs (row, column) of positive worth, by row; no row and no column comes twice.
    """
    if worth.shape[0] > worth.shape[1]:
        return sorted((row, column) for column, row in assign(worth.T))
    rows, columns = worth.shape
    of_row, of_column = np.zeros(rows + 1), np.zeros(columns + 1)  # potentials; column 0 is no one
    row_of = np.zeros(columns + 1, np.intp)
    for row in range(1, rows + 1):
        row_of[0] = row
        shortest = np.full(columns + 1, np.inf)
        came_from = np.zeros(columns + 1, np.intp)
        done = np.zeros(columns + 1, bool)
        here = 0
        while row_of[here]:
            done[here] = True
            length = -worth[row_of[here] - 1] - of_row[row_of[here]] - of_column[1:]
            nearer = ~done[1:] & (length < shortest[1:])
            shortest[1:][nearer] = length[nearer]
            came_from[1:][nearer] = here
            following = int(np.where(done, np.inf, shortest).argmin())
            step = shortest[following]
            of_row[row_of[done]] += step
            of_column[done] -= step
            shortest[~done] -= step
            here = following
        while here:
            row_of[here] = row_of[came_from[here]]
            here = int(came_from[here])
    pairs = ((int(row_of[column]) - 1, column - 1) for column in range(1, columns + 1))
    return sorted((row, column) for row, column in pairs if row >= 0 and worth[row, column] > 0)
