"""Drawings of JaxMARL's kitchens."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.bridges.jaxmarl_scene import COLORS, INK, PAPER, caption
from coterie.contracts import Scene, Shape, Spec

TABLE, POT, GOAL, ONION, PLATE, SOUP = "#d8d0c4", "#555566", "#228833", "#ccbb44", "#ffffff", "#ee7733"
PILE = "#bbddee"
"""Where plates are taken."""
ARROWS = ((0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0))
"""Where a cook of direction 0 to 3 looks: up, down, right, left."""
ITEMS = {3: (ONION, 0.16), 5: (PLATE, 0.2), 9: (SOUP, 0.2)}
"""JaxMARL's numbers of things that are carried and put down: onion, plate, soup on a plate."""
PILES = {4: ("onions", ONION), 6: ("plates", PILE), 7: ("out", GOAL)}
"""Its numbers of things that stay where they are, but for tables (2) and pots (8)."""


def _tile(x: float, y: float, color: str, word: str = "", ink: str = INK) -> list[Shape]:
    words = [Shape("text", x, y, 0.2, ink, text=word)] if word else []
    return [Shape("square", x, y, 0.48, color), *words]


def _pot(x: float, y: float, onions: int, wait: int) -> list[Shape]:
    """A pot with so many ingredients; ``wait`` steps of cooking left, −1 if it does not cook."""
    word = "ready" if wait == 0 else f"{wait} left" if wait > 0 else f"pot {onions}"
    return _tile(x, y, SOUP if wait == 0 else POT, word, PAPER)


def _item(x: float, y: float, color: str, radius: float) -> list[Shape]:
    return [Shape("disc", x, y, radius, INK), Shape("disc", x, y, radius * 0.85, color)]


def _cook(x: float, y: float, number: int, direction: int, holds: list[Shape]) -> list[Shape]:
    right, up = ARROWS[direction]
    color = COLORS[number % len(COLORS)]
    nose = Shape("line", x, y, 0.14, color, to=(x + 0.46 * right, y + 0.46 * up))
    return [nose, Shape("disc", x, y, 0.34, color), *holds]


def _frame(shapes: list[Shape], width: int, height: int, state: Any, more: str) -> Scene:
    return Scene(tuple(shapes), (-0.6, -0.6, width - 0.4, height - 0.4), caption(state, more))


def kitchen_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """Tables, piles, pots with what is in them, and cooks with what they hold and where they look."""
    del spec, action
    inside, shapes = state.inside, []
    grid = np.asarray(inside.maze_map)
    pad = (grid.shape[0] - env.height) // 2
    grid = grid[pad : pad + env.height, pad : pad + env.width]
    for (row, column), thing in np.ndenumerate(grid[..., 0]):
        x, y = float(column), float(env.height - 1 - row)
        if thing == 8:
            left = int(grid[row, column, 2])
            shapes += _pot(x, y, min(23 - left, 3), left if left < 20 else -1)
        elif thing in PILES:
            word, color = PILES[thing]
            shapes += _tile(x, y, color, word, PAPER if thing == 7 else INK)
        elif thing == 2 or (thing in ITEMS and inside.wall_map[row, column]):
            shapes += _tile(x, y, TABLE)
        if thing in ITEMS:
            shapes += _item(x, y, *ITEMS[thing])
    for i, (column, row) in enumerate(np.asarray(inside.agent_pos)):
        x, y, held = float(column), float(env.height - 1 - row), int(inside.agent_inv[i])
        holds = _item(x, y, *ITEMS[held]) if held in ITEMS else []
        shapes += _cook(x, y, i, int(inside.agent_dir_idx[i]), holds)
    return _frame(shapes, env.width, env.height, state, f"soups {round(float(state.score) / 20)}")


def _held(x: float, y: float, code: int) -> list[Shape]:
    """What OvercookedV2 codes in bits: 1 a plate, 2 cooked, then two bits for the number of each ingredient."""
    if code == 0:
        return []
    if code & 1:
        return _item(x, y, SOUP if code >> 2 else PLATE, 0.2)
    return [*_item(x, y, ONION, 0.16), Shape("text", x, y, 0.18, INK, text=str((code.bit_length() - 3) // 2))]


def kitchen_v2_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """The same for OvercookedV2; ingredients have numbers."""
    del spec, action
    inside, shapes = state.inside, []
    grid = np.asarray(inside.grid)
    names = {4: ("out", GOAL), 6: ("recipe", "#66ccee"), 7: ("button", "#66ccee"), 9: ("plates", PILE)}
    for (row, column), thing in np.ndenumerate(grid[..., 0]):
        x, y, code = float(column), float(env.height - 1 - row), int(grid[row, column, 1])
        if thing == 5:
            counts = [(code >> 2 + 2 * i) & 3 for i in range(15)]
            wait = int(grid[row, column, 2])
            shapes += _pot(x, y, sum(counts), 0 if code & 2 else wait if wait else -1)
        elif thing >= 10:
            shapes += _tile(x, y, ONION, f"pile {thing - 10}")
        elif thing in names:
            word, color = names[thing]
            shapes += _tile(x, y, color, word, PAPER if thing == 4 else INK)
        elif thing == 1:
            shapes += [*_tile(x, y, TABLE), *_held(x, y, code)]
    cooks = inside.agents
    for i, (column, row) in enumerate(zip(cooks.pos.x, cooks.pos.y, strict=True)):
        x, y = float(column), float(env.height - 1 - row)
        shapes += _cook(x, y, i, int(cooks.dir[i]), _held(x, y, int(cooks.inventory[i])))
    return _frame(shapes, env.width, env.height, state, "")
