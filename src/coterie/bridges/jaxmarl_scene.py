"""Drawings of JaxMARL's environments: the particle worlds, and what the agents of any other one do."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.contracts import Scene, Shape, Spec

# Paul Tol's "bright" scheme, distinct for every kind of colour vision.
COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
INK, PAPER, BORDER, LANDMARK = "#333344", "#ffffff", "#ccccd6", "#555566"


def colors_of(spec: Spec) -> list[str]:
    """A colour for each agent: one for all agents of a type, or each its own where there is one type."""
    kinds = list(dict.fromkeys(spec.types))
    own = range(spec.n_agents) if len(kinds) == 1 else [kinds.index(kind) for kind in spec.types]
    return [COLORS[i % len(COLORS)] for i in own]


def caption(state: Any, more: str = "") -> str:
    """Step and return."""
    return f"step {int(state.time)}   return {float(state.score):.3g}{more and '   '}{more}"


def plain_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """A row for each agent: its name, and its last action in numbers."""
    del env
    shapes, high = [], float(spec.n_agents)
    for i, (agent, color) in enumerate(zip(spec.agents, colors_of(spec), strict=True)):
        y = high - i - 0.5
        numbers = [] if action is None else np.ravel(action[i])[: spec.action_spaces[i].components]
        words = ", ".join(f"{float(x):.3g}" for x in numbers)
        shapes.append(Shape("disc", 0.6, y, 0.3, color, alpha=1.0 if state.alive[i] else 0.2))
        shapes.append(Shape("text", 2.2, y, 0.34, INK, text=agent))
        shapes.append(Shape("text", 4.6, y, 0.34, INK, text=f"does {words}" if words else ""))
    return Scene(tuple(shapes), (0.0, -0.2, 6.0, max(high, 3.0)), caption(state))


def particle_scene(env: Any, spec: Spec, state: Any, action: np.ndarray | None) -> Scene:
    """A frame of a particle world: landmarks as squares, agents as discs in the colours of their kinds.

    Agents that nobody plays are rings.
    """
    del action
    place, n = np.asarray(state.inside.p_pos), len(env.agents)
    radius = np.maximum(np.asarray(env.rad), 0.06)
    colors = dict(zip(spec.agents, colors_of(spec), strict=True))
    reach = max(1.3, float(np.abs(place).max()) + 0.1)
    shapes = [Shape("square", 0.0, 0.0, 1.0, BORDER, alpha=0.35)]
    for x, y in place[n:]:
        shapes.append(Shape("square", float(x), float(y), 0.06, LANDMARK))
    for agent, (x, y), size in zip(env.agents, place[:n], radius[:n], strict=True):
        kind, color = ("disc", colors[agent]) if agent in colors else ("ring", LANDMARK)
        shapes.append(Shape(kind, float(x), float(y), float(size), color, alpha=0.85))
    return Scene(tuple(shapes), (-reach, -reach, reach, reach), caption(state))
