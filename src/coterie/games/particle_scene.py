"""Drawings of the particle world."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coterie.contracts import Scene, Shape

# Paul Tol's "bright" scheme, distinct for every kind of colour vision.
AGENT_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
LANDMARK, SLOT, BORDER = "#555566", "#9999aa", "#ccccd6"
REACH = 1.3
"""How far from the centre the frame reaches; it stays the same for all steps."""


def particle_scene(
    position: np.ndarray, landmarks: np.ndarray, targets: np.ndarray, size: float, caption: str
) -> Scene:
    """A frame: the square in which episodes start, landmarks, places to fill, and agents.

    Args:
        position: Agents ``[N, 2]``.
        landmarks: Landmarks ``[L, 2]``.
        targets: Places to fill ``[N, 2]``.
        size: Radius of an agent; small ones are drawn a little larger.
        caption: The line below.
    """
    radius = max(size, 0.06)
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)]
    shapes = [Shape("line", *start, 0.008, BORDER, to=end) for start, end in pairwise(corners)]
    shapes += [Shape("ring", float(x), float(y), radius * 1.25, SLOT) for x, y in targets]
    shapes += [Shape("square", float(x), float(y), 0.035, LANDMARK) for x, y in landmarks]
    for i, (x, y) in enumerate(position):
        color = AGENT_COLORS[i % len(AGENT_COLORS)]
        shapes.append(Shape("disc", float(x), float(y), radius, color, alpha=0.85))
    return Scene(tuple(shapes), (-REACH, -REACH, REACH, REACH), caption)
