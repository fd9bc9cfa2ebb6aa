"""The line or two below a battle that say what is what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coterie.contracts import Shape

SLIM, BROAD = "fijlrt,. ", "mw"
ICON, SPACE, GAP = 1.2, 0.5, 1.1
"""Width of a symbol, between it and its meaning, and between two entries, by the height of the text."""
LEADING = 1.6
"""From one line to the next."""
Symbol = Callable[[float, float, float], Sequence[Shape]]
"""Shapes about a point (x, y) that are no larger than a size."""
Entry = tuple[Symbol, str]


def legend(
    entries: Sequence[Entry], left: float, right: float, top: float, size: float, ink: str
) -> tuple[list[Shape], float]:
    """The shapes of a legend whose lines are centred, and its lower edge.

    Args:
        entries: Symbols and what they mean.
        left: Its left edge.
        right: Its right edge.
        top: Its upper edge.
        size: Height of the text; all else is in proportion.
        ink: Colour of the text.
    """
    room = (right - left) / size
    rows = _rows(entries, room)
    while len(rows) > 1 and len(even := _rows(entries, 0.97 * room)) == len(rows):
        rows, room = even, 0.97 * room  # lines of about the same length
    shapes: list[Shape] = []
    for number, row in enumerate(rows):
        x = (left + right - size * _long(row)) / 2
        y = round(top - size * LEADING * (number + 0.5), 2)
        for symbol, word in row:
            width = _width(word)
            shapes += symbol(round(x + size * ICON / 2, 2), y, size * ICON / 2)
            shapes.append(Shape("text", round(x + size * (ICON + SPACE + width / 2), 2), y, size, ink, text=word))
            x += size * (ICON + SPACE + width + GAP)
    return shapes, top - size * LEADING * len(rows)


def _rows(entries: Sequence[Entry], room: float) -> list[list[Entry]]:
    """The entries in lines, each as long as there is room for."""
    rows: list[list[Entry]] = [[]]
    for entry in entries:
        if rows[-1] and _long([*rows[-1], entry]) > room:
            rows.append([])
        rows[-1].append(entry)
    return rows


def _long(row: Sequence[Entry]) -> float:
    return sum(ICON + SPACE + _width(word) + GAP for _, word in row) - GAP


def _width(word: str) -> float:
    """About how wide a text is, by its height."""
    return sum(0.33 if letter in SLIM else 0.85 if letter in BROAD else 0.55 for letter in word)
