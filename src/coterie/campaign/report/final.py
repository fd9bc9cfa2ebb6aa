"""The final table of each game: every method beside a random team and the best known return."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.data import Material
from coterie.campaign.report.markup import EMPTY, Markup, card, join, paragraph, section, table, tag, text
from coterie.campaign.results import Game

_WIDTH, _HEIGHT = 380.0, 24.0


class Row(NamedTuple):
    """A team's line: ``method`` is None for yardsticks, ``returns`` those of each seed."""

    method: int | None
    name: str
    mean: float
    low: float
    high: float
    returns: Sequence[float]


def final(material: Material) -> Markup:
    """Greedy returns with intervals, one table for each game."""
    about = (
        "Mean return of greedy teams after training, over the seeds, with its 95 % t-interval. Normalised: a random "
        "team is 0, the reference is 1. In the picture each small dot is a seed, the bar the interval, dashed lines "
        "the random team and the reference."
    )
    return section("final", "Final returns", paragraph(about, "lede"), *(_game(material, g) for g in material.games))


def _game(material: Material, game: str) -> Markup:
    rows = _rows(material, game)
    trained = [row for row in rows if row.method is not None]
    if not trained:
        return card(tag("h3", text(game)), paragraph("No run of this game is done yet."))
    known = material.results.games[game]
    ends = _ends(rows)
    width = [row.high - row.low for row in rows if row.high - row.low > 0]
    places = max(numbers.places(ends), numbers.places([2 * min(width)]) if width and min(width) < 0.1 else 0)
    lines = [(None if row.method is None else str(row.method), _cells(row, known, ends, places)) for row in rows]
    head = ("team", "seeds and interval", "mean return", "95 % interval", "normalised", "below the optimum", "seeds")
    missing = [material.methods[i] for i, run in material.of(game) if run.state != "done"]
    waits = paragraph(f"Not here yet: {', '.join(missing)}.", "note") if missing else EMPTY
    said = _reference(material, game)
    shown = table(f"Final returns on {game}", head, lines, 2)
    return card(tag("h3", text(game)), shown, paragraph(said, "note"), waits)


def _ends(rows: Sequence[Row]) -> tuple[float, float]:
    """The scale of the pictures: all seeds and yardsticks, and intervals as far as they do not flatten these."""
    firm = [value for row in rows for value in (row.mean, *row.returns)]
    low, high = min(firm), max(firm)
    reach = 0.3 * (high - low)
    soft = [value for row in rows for value in (row.low, row.high) if math.isfinite(value)]
    return min([low, max(min(soft, default=low), low - reach)]), max([high, min(max(soft, default=high), high + reach)])


def _rows(material: Material, game: str) -> list[Row]:
    """Methods, best first, then the yardsticks."""
    results = material.results
    found = [
        Row(i, method, *results.final[method, game], results.returns[method][game])
        for i, method in enumerate(material.methods)
        if (method, game) in results.final
    ]
    rows = sorted(found, key=lambda row: -row.mean)
    known, nan = results.games[game], float("nan")
    if known.random is not None:
        random = material.notes[game].get("random", {})
        low, high = (nan if random.get(key) is None else float(random[key]) for key in ("low", "high"))
        rows.append(Row(None, "random team", known.random, low, high, random.get("returns") or ()))
    if known.stated is not None and known.stated != known.optimum:
        rows.append(Row(None, "reference", known.stated, nan, nan, ()))
    if known.optimum is not None:
        rows.append(Row(None, "optimum", known.optimum, nan, nan, ()))
    return rows


def _reference(material: Material, game: str) -> str:
    known = material.results.games[game]
    if known.random is None:
        return "Not normalised: what a random team earns is not known yet."
    if known.stated is not None:
        return f"The reference is the suite's, {numbers.figure(known.stated, 2)}."
    if known.optimum is not None:
        return "The reference is the exact optimum."
    return "The optimum of this game is not known: the reference is the best mean of the methods here."


def _cells(row: Row, known: Game, ends: tuple[float, float], places: int) -> list[Markup]:
    look = EMPTY if row.method is None else looks.swatch(row.method)
    below = None if known.optimum is None else known.optimum - row.mean
    return [
        join([look, text(row.name)]),
        _picture(row, known, ends),
        text(numbers.figure(row.mean, places)),
        text(numbers.interval(row.low, row.high, places) or "–"),
        text(numbers.figure(known.normalised(row.mean), 2)),
        text(numbers.figure(below, places)),
        text(len(row.returns) or "–"),
    ]


def _picture(row: Row, known: Game, ends: tuple[float, float]) -> Markup:
    """Seeds, mean and interval on the scale of the game; the numbers beside it say the same."""
    low, high = ends
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return min(max(8 + (_WIDTH - 16) * (value - low) / span, 0.0), _WIDTH)

    middle = _HEIGHT / 2
    parts = [
        tag("line", x1=at(v), x2=at(v), y1=0.0, y2=_HEIGHT, class_="rule")
        for v in (known.random, known.reference)
        if v is not None
    ]
    tone = "plain" if row.method is None else looks.color(row.method)
    parts += [tag("circle", cx=at(v), cy=middle, r=2.2, class_=f"seed {tone}") for v in row.returns]
    if row.high >= row.low:
        parts.append(tag("line", x1=at(row.low), x2=at(row.high), y1=middle, y2=middle, class_=f"range {tone}"))
    if row.method is None:
        parts.append(tag("rect", x=at(row.mean) - 1.5, y=middle - 6, width=3.0, height=12.0, class_="plain-mark"))
    else:
        parts.append(looks.marker(row.method, at(row.mean), middle, 5.0))
    return tag("svg", *parts, viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", class_="forest", aria_hidden="true")
