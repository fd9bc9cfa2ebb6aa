"""Drawings of one-state games."""

from __future__ import annotations

import numpy as np

from coterie.contracts import Scene, Shape

INK, FAINT, GOOD, BAD, MARK = "#333344", "#888899", "#4477aa", "#cc6677", "#ee9922"


def matrix_scene(values: np.ndarray, chosen: tuple[int, ...] | None, caption: str) -> Scene:
    """A payoff matrix, rows for the first agent, with the cell ``chosen`` framed.

    Args:
        values: Payoffs ``[A, A]``.
        chosen: Row and column, or None.
        caption: The line below.
    """
    size = len(values)
    largest = max(float(np.abs(values).max()), 1e-9)
    shapes: list[Shape] = []
    for (row, column), value in np.ndenumerate(values):
        x, y = float(column), float(size - 1 - row)
        if chosen == (row, column):
            shapes.append(Shape("square", x, y, 0.5, MARK))
        shapes.append(Shape("square", x, y, 0.43, "#ffffff"))
        color = GOOD if value >= 0 else BAD
        shapes.append(Shape("square", x, y, 0.43, color, alpha=0.08 + 0.6 * abs(float(value)) / largest))
        shapes.append(Shape("text", x, y, 0.26, INK, text=f"{value:g}"))
    for i in range(size):
        shapes.append(Shape("text", -0.85, size - 1.0 - i, 0.2, FAINT, text=str(i)))
        shapes.append(Shape("text", float(i), size - 0.25, 0.2, FAINT, text=str(i)))
    return Scene(tuple(shapes), (-1.3, -0.8, size - 0.2, size + 0.1), caption)


def row_scene(agents: int, chosen: tuple[int, ...] | None, caption: str) -> Scene:
    """One square per agent with the number of the action it chose; action 0 is coloured."""
    columns = int(np.ceil(np.sqrt(agents)))
    rows = -(-agents // columns)
    shapes: list[Shape] = []
    for agent in range(agents):
        x, y = float(agent % columns), float(rows - 1 - agent // columns)
        action = None if chosen is None else chosen[agent]
        color, alpha = (GOOD, 0.75) if action == 0 else (FAINT, 0.3)
        shapes.append(Shape("square", x, y, 0.43, color, alpha=alpha))
        shapes.append(Shape("text", x, y, 0.3, INK, text="·" if action is None else str(action)))
    return Scene(tuple(shapes), (-0.7, -0.7, columns - 0.3, rows - 0.3), caption)
