"""The frame of a drawing: scales, grid, ticks and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from coterie.campaign.report import numbers
from coterie.campaign.report.markup import EMPTY, Markup, join, tag, text

SIZES = ((640.0, 330.0), (530.0, 290.0), (345.0, 236.0))
"""Width and height of a drawing that has a row to itself, half of one, or a third: letters come out alike."""
LETTER = 8.6
"""Room for a bold letter in a drawing, in a wide font; plain and smaller ones take three quarters."""


def size(beside: int) -> tuple[float, float]:
    """Of a drawing that is one of so many."""
    return SIZES[min(max(beside, 1), len(SIZES)) - 1]


class Frame(NamedTuple):
    """Where data lie in a drawing: ``x`` and ``y`` are the ends of the data, the margins are pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: float = 46.0
    right: float = 14.0
    top: float = 10.0
    bottom: float = 40.0
    width: float = SIZES[-1][0]
    height: float = SIZES[-1][1]

    def across(self, value: float) -> float:
        """The horizontal place of a value."""
        low, high = self.x
        return self.left + (self.width - self.left - self.right) * (value - low) / ((high - low) or 1.0)

    def up(self, value: float) -> float:
        """The vertical place of a value."""
        low, high = self.y
        base = self.height - self.bottom
        return base - (base - self.top) * (value - low) / ((high - low) or 1.0)


def label(words: str, x: float, y: float, anchor: str = "middle", class_: str | None = None) -> Markup:
    """Words at a place."""
    return tag("text", text(words), x=x, y=y, text_anchor=anchor, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def vertical(frame: Frame, title: str) -> Markup:
    """Horizontal grid lines with their numbers, and what they count."""
    low, high = frame.y
    marks = numbers.ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    end = frame.width - frame.right
    rows = [line(frame.left, frame.up(v), end, frame.up(v), "grid-line") for v in marks]
    names = [label(numbers.label(v, step), frame.left - 6, frame.up(v) + 4, "end", "tick") for v in marks]
    middle = (frame.top + frame.height - frame.bottom) / 2
    turned = tag("text", text(title), transform=f"translate(11 {middle:.0f}) rotate(-90)", text_anchor="middle",
                 class_="axis-title") if title else EMPTY  # fmt: skip
    return join([*rows, *names, turned])


def horizontal(
    frame: Frame, title: str, shown: Callable[[float], str] | None = None, lines: bool = False, count: int = 5
) -> Markup:
    """Numbers below, and what they count."""
    low, high = frame.x
    marks = numbers.ticks(low, high, count)
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    base = frame.height - frame.bottom
    write = shown or (lambda value: numbers.label(value, step))
    names = [label(write(v), frame.across(v), base + 15, class_="tick") for v in marks]
    grid = [line(frame.across(v), frame.top, frame.across(v), base, "grid-line") for v in marks] if lines else []
    middle = (frame.left + frame.width - frame.right) / 2
    below = label(title, middle, frame.height - 4, class_="axis-title")
    return join([*grid, line(frame.left, base, frame.width - frame.right, base, "base"), *names, below])


def apart(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels near ``heights``, at least ``gap`` apart while the room from ``low`` to ``high`` lasts."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    gap = min(gap, (high - low) / max(len(heights) - 1, 1))
    places = [0.0] * len(heights)
    before = low - gap
    for index in order:
        before = places[index] = max(heights[index], before + gap)
    after = high + gap
    for index in reversed(order):  # what was pushed out of the room comes back, and pushes in its turn
        after = places[index] = min(places[index], after - gap)
    return places


def drawing(key: str, title: str, about: str, frame: Frame, *inside: Markup) -> Markup:
    """A drawing with a name and a description for who cannot see it."""
    return tag(
        "svg",
        tag("title", text(title), id=f"{key}-name"),
        tag("desc", text(about), id=f"{key}-about"),
        *inside,
        viewBox=f"0 0 {frame.width:.0f} {frame.height:.0f}",
        role="img",
        aria_labelledby=f"{key}-name {key}-about",
    )


def plate(title: str, inside: Markup, note: str = "", methods: str | None = None) -> Markup:
    """A drawing on its sheet, with its title above and a note below."""
    below = tag("p", text(note), class_="note") if note else EMPTY
    caption = tag("figcaption", tag("h4", text(title)))
    return tag("figure", caption, inside, below, class_="card plate", data_m=methods)
