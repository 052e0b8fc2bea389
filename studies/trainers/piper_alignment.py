"""Monotonic alignment search (Glow-TTS, arXiv 2005.11129) in NumPy, under the name that piper imports."""

import numpy as np

IMPOSSIBLE = -1e9


def maximum_path_c(paths, values, frames, symbols) -> None:
    """Set in `paths` [batch, frame, symbol] the likeliest way from first symbol to last."""
    for path, value, rows, columns in zip(paths, values, frames, symbols, strict=True):
        best = np.full((rows, columns), IMPOSSIBLE)
        best[0, 0] = value[0, 0]
        for row in range(1, rows):
            from_before = np.concatenate(([IMPOSSIBLE], best[row - 1, :-1]))
            best[row] = value[row, :columns] + np.maximum(best[row - 1], from_before)
        column = columns - 1
        for row in reversed(range(rows)):
            path[row, column] = 1
            if row and column and (column == row or best[row - 1, column] < best[row - 1, column - 1]):
                column -= 1
