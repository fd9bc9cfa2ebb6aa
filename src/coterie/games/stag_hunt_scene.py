"""Drawings of the stag hunt."""

from __future__ import annotations

import numpy as np

from coterie.contracts import Scene, Shape
from coterie.games.stag_hunt_rules import CATCH, StagHuntState

# Paul Tol's "bright" scheme, distinct for every kind of colour vision; shapes differ too.
PREDATOR, STAG, WON, LOST = "#4477aa", "#ccbb44", "#228833", "#ee6677"
LINE, INK, PAPER = "#d8d8e0", "#333344", "#ffffff"


def stag_hunt_scene(state: StagHuntState, size: int, needed: int, action: np.ndarray | None) -> Scene:
    """A frame: the board, numbered predators, stags as squares, and what became of the last catches.

    Predators that have just caught a stag together are drawn for the last time, pale and in a green ring, and so is the
    stag. A predator that caught in vain has a red ring.

    Args:
        state: A concrete state.
        size: Edge of the board.
        needed: How many predators a catch takes.
        action: What led to the state ``[N]``, or None.
    """
    catching = np.zeros(len(state.active), bool) if action is None else np.asarray(action) == CATCH
    active, present = np.asarray(state.active), np.asarray(state.present)
    left, top = -0.5, size - 0.5
    shapes: list[Shape] = []
    for i in range(size + 1):
        shapes.append(Shape("line", left, left + i, 0.02, LINE, to=(top, left + i)))
        shapes.append(Shape("line", left + i, left, 0.02, LINE, to=(left + i, top)))
    done = catching & ~active  # only who hunted until now could catch
    for stag, (row, column) in enumerate(np.asarray(state.stags)):
        catchers = done & (np.abs(np.asarray(state.predators) - (row, column)).sum(1) == 1)
        x, y = float(column), float(size - 1 - row)
        if present[stag]:
            shapes.append(Shape("square", x, y, 0.32, STAG))
        elif catchers.sum() >= needed:
            shapes.append(Shape("square", x, y, 0.32, STAG, alpha=0.3))
            shapes.append(Shape("text", x, y, 0.34, WON, text="+10"))
    for i, (row, column) in enumerate(np.asarray(state.predators)):
        x, y = float(column), float(size - 1 - row)
        if active[i] or done[i]:
            shapes.append(Shape("disc", x, y, 0.34, PREDATOR, alpha=1.0 if active[i] else 0.35))
            shapes.append(Shape("text", x, y, 0.42, PAPER if active[i] else INK, text=str(i)))
        if catching[i]:
            shapes.append(Shape("ring", x, y, 0.44, WON if done[i] else LOST))
    caption = (
        f"step {int(state.time)}   return {float(state.score):g}   "
        f"stags caught {int((~present).sum())} of {len(present)}   in vain {int(state.misses)}"
    )
    return Scene(tuple(shapes), (left - 0.1, left - 0.1, top + 0.1, top + 0.1), caption)
