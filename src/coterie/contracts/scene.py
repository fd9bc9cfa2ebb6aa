"""Pictures of a game, said in shapes; whoever draws them decides how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Shape:
    """One thing to draw, in world coordinates (x right, y up).

    Args:
        kind: ``disc``, ``ring``, ``square``, ``line`` or ``text``.
        x: Horizontal position of the centre (line: of its start).
        y: Vertical position of the centre (line: of its start).
        size: Radius (disc, ring), half edge (square), width (line) or text height.
        color: A hexadecimal colour such as ``#4477aa``.
        to: End of a line.
        text: What a text says.
        alpha: Opacity between 0 and 1.
    """

    kind: Literal["disc", "ring", "square", "line", "text"]
    x: float
    y: float
    size: float
    color: str
    to: tuple[float, float] | None = None
    text: str = ""
    alpha: float = 1.0


@dataclass(frozen=True)
class Scene:
    """A frame of a replay: shapes in painting order, the visible rectangle, and a caption."""

    shapes: tuple[Shape, ...]
    bounds: tuple[float, float, float, float]
    caption: str = ""
