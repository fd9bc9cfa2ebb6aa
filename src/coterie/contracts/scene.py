"""Pictures of a game, said in shapes; whoever draws them decides how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Shape:
    """One thing to draw, in world coordinates (x right, y up).

    Args:
        kind: ``disc``, ``ring``, ``square``, ``line``, ``polygon`` or ``text``.
        x: Horizontal position of the centre (line: of its start; polygon: of its origin).
        y: Vertical position of the centre (line: of its start; polygon: of its origin).
        size: Radius (disc, ring), half edge (square), width (line), scale (polygon) or text height.
        color: A hexadecimal colour such as ``#4477aa``.
        to: End of a line.
        text: What a text says.
        alpha: Opacity between 0 and 1.
        corners: Of a polygon, from its origin and in units of its size.
    """

    kind: Literal["disc", "ring", "square", "line", "polygon", "text"]
    x: float
    y: float
    size: float
    color: str
    to: tuple[float, float] | None = None
    text: str = ""
    alpha: float = 1.0
    corners: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Scene:
    """A frame of a replay.

    Args:
        shapes: In painting order.
        bounds: The visible rectangle: left, bottom, right, top.
        caption: What is written below.
        zoom: How many times wider than usual it is drawn, for scenes full of small things.
    """

    shapes: tuple[Shape, ...]
    bounds: tuple[float, float, float, float]
    caption: str = ""
    zoom: float = 1.0
