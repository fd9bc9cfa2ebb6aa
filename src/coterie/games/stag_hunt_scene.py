"""Drawings of the stag hunt."""

from __future__ import annotations

import numpy as np

from coterie.contracts import Scene, Shape
from coterie.games.stag_hunt_rules import CATCH, StagHuntState

# Colours of Paul Tol's schemes, distinct for every kind of colour vision; shapes differ too.
PREDATOR, STAG, WON, LOST = "#4477aa", "#ccbb44", "#228833", "#cc3311"
LINE, INK, PAPER, PALE = "#d8d8e0", "#333344", "#ffffff", "#c0d0e0"


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
            color, ink, ring = (PREDATOR, PAPER, LOST) if active[i] else (PALE, INK, WON)
            shapes += _predator(x, y, 1.0, color, ring if catching[i] else None)
            shapes.append(Shape("text", x, y, 0.42, ink, text=str(i)))
    caption = (
        f"step {int(state.time)}   return {float(state.score):g}   "
        f"stags caught {int((~present).sum())} of {len(present)}   in vain {int(state.misses)}"
    )
    low = left - 0.1 - size / 10
    return Scene((*shapes, *_legend(size)), (left - 0.1, low, top + 0.1, top + 0.1), caption)


def _predator(x: float, y: float, scale: float, color: str, ring: str | None) -> list[Shape]:
    """A disc, on a larger one if it has just caught."""
    under = [Shape("disc", x, y, 0.47 * scale, ring)] if ring else []
    return [*under, Shape("disc", x, y, 0.34 * scale, color)]


def _legend(size: int) -> list[Shape]:
    """One line below the board. So every frame has all colours, and a GIF, which keeps few, keeps these."""
    unit, y = size / 10, -0.5 - size / 20
    shapes = [Shape("square", 2.8 * unit - 0.5, y, 0.24 * unit, STAG)]
    shapes += _predator(0.4 * unit - 0.5, y, 0.7 * unit, PREDATOR, None)
    shapes += _predator(4.8 * unit - 0.5, y, 0.7 * unit, PALE, WON)
    shapes += _predator(7.05 * unit - 0.5, y, 0.7 * unit, PREDATOR, LOST)
    words = (("predator", 1.45), ("stag", 3.5), ("caught", 5.75), ("caught in vain", 8.6))
    return shapes + [Shape("text", x * unit - 0.5, y, 0.36 * unit, INK, text=word) for word, x in words]
