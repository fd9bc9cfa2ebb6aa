"""Drawings of level-based foraging."""

from __future__ import annotations

import numpy as np

from coterie.contracts import Scene, Shape
from coterie.games.foraging_rules import LOAD, ForagingState

# Colours of Paul Tol's schemes, distinct for every kind of colour vision; shapes differ too.
PLAYER, FOOD, WON, LOST = "#4477aa", "#ccbb44", "#228833", "#cc3311"
LINE, INK, PAPER = "#d8d8e0", "#333344", "#ffffff"


def foraging_scene(state: ForagingState, size: int, action: np.ndarray | None) -> Scene:
    """A frame: the board, players as discs and food as squares with their levels, and what became of the last loading.

    Food that has just been collected is drawn for the last time, pale, and the players that did it have a green ring. A
    player that loaded in vain has a red ring. Two players in one cell stand side by side, smaller.

    Args:
        state: A concrete state.
        size: Edge of the board.
        action: What led to the state ``[N]``, or None.
    """
    loading = np.zeros(len(state.levels), bool) if action is None else np.asarray(action) == LOAD
    levels, eaten = np.asarray(state.food_levels), np.asarray(state.eaten)
    fresh = (eaten > 0) & (eaten == int(state.time))
    left, top = -0.5, size - 0.5
    shapes: list[Shape] = []
    for i in range(size + 1):
        shapes.append(Shape("line", left, left + i, 0.02, LINE, to=(top, left + i)))
        shapes.append(Shape("line", left + i, left, 0.02, LINE, to=(left + i, top)))
    for (row, column), level, gone, new in zip(np.asarray(state.food), levels, eaten > 0, fresh, strict=True):
        if level > 0 and (new or not gone):
            x, y = float(column), float(size - 1 - row)
            shapes.append(Shape("square", x, y, 0.36, FOOD, alpha=0.3 if new else 1.0))
            shapes.append(Shape("text", x, y, 0.42, WON if new else INK, text=str(level)))
    places = np.asarray(state.players)
    near = np.abs(places[:, None] - np.asarray(state.food)[None]).sum(-1) == 1
    won = loading & (near & fresh[None]).any(1)
    lost = loading & (near & ((eaten == 0) & (levels > 0))[None]).any(1)
    for i, (row, column) in enumerate(places):
        here = np.flatnonzero((places == places[i]).all(1))
        scale, place = 1 / len(here), int(np.flatnonzero(here == i)[0])
        x, y = float(column) + (place + 0.5) * scale - 0.5, float(size - 1 - row)
        shapes += _player(x, y, scale, WON if won[i] else LOST if lost[i] else None)
        shapes.append(Shape("text", x, y, 0.42 * scale, PAPER, text=str(int(state.levels[i]))))
    food = int((levels > 0).sum())
    caption = (
        f"step {int(state.time)}   return {float(state.score):.3g}   food collected {int((eaten > 0).sum())} of {food}"
    )
    low = left - 0.1 - size / 10
    return Scene((*shapes, *_legend(size)), (left - 0.1, low, top + 0.1, top + 0.1), caption)


def _player(x: float, y: float, scale: float, ring: str | None) -> list[Shape]:
    """A disc, on a larger one if it has just loaded."""
    under = [Shape("disc", x, y, 0.47 * scale, ring)] if ring else []
    return [*under, Shape("disc", x, y, 0.34 * scale, PLAYER)]


def _legend(size: int) -> list[Shape]:
    """One line below the board. So every frame has all colours, and a GIF, which keeps few, keeps these."""
    unit, y = size / 10, -0.5 - size / 20
    shapes = [Shape("square", 2.15 * unit - 0.5, y, 0.24 * unit, FOOD)]
    shapes += _player(0.35 * unit - 0.5, y, 0.7 * unit, None)
    shapes += _player(3.85 * unit - 0.5, y, 0.7 * unit, WON)
    shapes += _player(6.15 * unit - 0.5, y, 0.7 * unit, LOST)
    words = (("player", 1.2), ("food", 2.85), ("collected", 4.95), ("in vain", 7.05), ("number: level", 8.95))
    return shapes + [Shape("text", x * unit - 0.5, y, 0.33 * unit, INK, text=word) for word, x in words]
