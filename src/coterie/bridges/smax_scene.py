"""Drawings of SMAX's battles."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.bridges.jaxmarl_scene import BORDER, INK
from coterie.contracts import Scene, Shape, Spec

ALLY, ENEMY = "#66a3d9", "#f2808e"
HURT = {ALLY: "#dbe8f4", ENEMY: "#fbe0e3"}
"""The part of a disc that stands for lost health."""
GROWN = 1.6
"""Units are drawn this many times larger than they are."""


def battle_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """A frame: units as discs with the letters of their types, and who attacks whom.

    Allies are blue, enemies red, the dead are gone. The dark share of a disc's area is the unit's health. A line from
    a unit ends at what it attacked, if that was in range.
    """
    del spec, action
    now = state.inside.state
    place, health = np.asarray(now.unit_positions), np.asarray(now.unit_health)
    alive, kinds = np.asarray(now.unit_alive), np.asarray(now.unit_types)
    radius, most = np.asarray(env.unit_type_radiuses)[kinds], np.asarray(env.unit_type_health)[kinds]
    team = [ALLY if i < env.num_allies else ENEMY for i in range(len(place))]
    w, h = float(env.map_width), float(env.map_height)
    edges = ((0.0, 0.0), (w, 0.0), (w, h), (0.0, h))
    shapes = [Shape("line", *a, 0.12, BORDER, to=b) for a, b in zip(edges, edges[1:] + edges[:1], strict=True)]
    for i, j in _aims(env, now):
        (x, y), (to_x, to_y) = place[i].tolist(), place[j].tolist()
        shapes.append(Shape("line", x, y, 0.2, team[i], to=(to_x, to_y), alpha=0.45))
    for i in np.flatnonzero(alive):
        (x, y), r = place[i].tolist(), GROWN * float(radius[i])
        full = r * float(health[i] / most[i]) ** 0.5
        shapes += [Shape("disc", x, y, r, HURT[team[i]]), Shape("disc", x, y, full, team[i])]
        shapes.append(Shape("text", x, y, 1.3 * r, INK, text=env.unit_type_shorthands[kinds[i]]))
    left = [int(alive[: env.num_allies].sum()), int(alive[env.num_allies :].sum())]
    caption = f"step {int(state.time)}   return {float(state.score):.2f}   {left[0]} against {left[1]}"
    return Scene(tuple(shapes), (-0.5, -0.5, w + 0.5, h + 0.5), caption)


def _aims(env: Any, now: Any) -> list[tuple[int, int]]:
    """Pairs of a living unit and the enemy in its range that it attacked last."""
    place, reach = np.asarray(now.unit_positions), np.asarray(env.unit_type_attack_ranges)
    pairs = []
    for i, attack in enumerate(np.asarray(now.prev_attack_actions)):
        if attack < env.num_movement_actions or not now.unit_alive[i]:
            continue
        number = int(attack) - env.num_movement_actions
        j = env.num_allies + number if i < env.num_allies else env.num_allies - 1 - number
        if np.linalg.norm(place[i] - place[j]) < reach[now.unit_types[i]]:
            pairs.append((i, j))
    return pairs
