"""Drawings of SMAX's battles."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.bridges.jaxmarl_scene import BORDER, INK, PAPER
from coterie.contracts import Scene, Shape, Spec

ALLY, ENEMY, EMPTY = "#4477aa", "#ee6677", "#ccccd4"
"""Team, enemy, lost health."""


def battle_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """A frame: units as discs of their sizes with their types' letters, their health above, and who aims at whom.

    Allies are blue, enemies red; the dead are gone. A line from a unit ends at the enemy in range that it attacked.
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
        shapes.append(Shape("line", x, y, 0.12, team[i], to=(to_x, to_y), alpha=0.45))
    for i in np.flatnonzero(alive):
        (x, y), r = place[i].tolist(), float(radius[i])
        share, top = float(health[i] / most[i]), y + r + 0.35
        shapes.append(Shape("disc", x, y, r, team[i]))
        shapes.append(Shape("text", x, y, 1.3 * r, PAPER, text=env.unit_type_shorthands[kinds[i]]))
        shapes.append(Shape("line", x - 0.6, top, 0.22, EMPTY, to=(x + 0.6, top)))
        shapes.append(Shape("line", x - 0.6, top, 0.22, INK, to=(x - 0.6 + 1.2 * share, top)))
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
