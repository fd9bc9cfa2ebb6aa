"""How a method looks wherever it is drawn: a colour, a dash and a marker, so that no two differ by colour alone."""

from __future__ import annotations

from coterie.campaign.report.markup import Markup, tag, tenth
from coterie.training.curves import PALETTE

COLORS = len(PALETTE)
DASHES = ("", "7 4", "2 3", "10 3 2 3", "14 4", "4 2", "10 3 2 3 2 3")
_CORNERS = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    "diamond": ((0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)),
    "wedge": ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
    "hexagon": ((-0.6, -1.05), (0.6, -1.05), (1.2, 0), (0.6, 1.05), (-0.6, 1.05), (-1.2, 0)),
    "cross": ((-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2),
              (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4)),
}  # fmt: skip
_SHAPES = ("disc", *_CORNERS)


def color(method: int) -> str:
    """The class that gives a method its colour."""
    return f"m{method % COLORS}"


def dash(method: int) -> str | None:
    """Its dashes; a second lap of the colours has other ones."""
    return DASHES[(method + method // COLORS) % len(DASHES)] or None


def marker(method: int, x: float, y: float, size: float = 3.6, class_: str = "mark") -> Markup:
    """Its marker at a point of a drawing."""
    shape = _SHAPES[(method + method // COLORS) % len(_SHAPES)]
    both = f"{class_} {color(method)}"
    if shape == "disc":
        return tag("circle", cx=x, cy=y, r=size, class_=both)
    points = " ".join(f"{tenth(x + size * dx)},{tenth(y + size * dy)}" for dx, dy in _CORNERS[shape])
    return tag("polygon", points=points, class_=both)


def swatch(method: int) -> Markup:
    """A piece of its line with its marker, for legends and tables."""
    line = tag("line", x1=1.0, y1=7.0, x2=33.0, y2=7.0, class_=f"line {color(method)}", stroke_dasharray=dash(method))
    return tag("svg", line, marker(method, 17.0, 7.0), viewBox="0 0 34 14", class_="swatch", aria_hidden="true")


def palette(count: int) -> str:
    """Style rules: each method's colour, and that its switch in the legend hides it everywhere."""
    colors = "".join(f"--m{i}:{value};" for i, value in enumerate(PALETTE))
    classes = "".join(f".m{i}{{--c:var(--m{i})}}" for i in range(COLORS))
    hidden = "".join(f'body:has(#method-{i}:not(:checked)) [data-m~="{i}"]{{display:none}}' for i in range(count))
    return f":root{{{colors}}}{classes}{hidden}"
