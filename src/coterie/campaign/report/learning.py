"""Learning curves of each game, and what they cost."""

from __future__ import annotations

import numpy as np

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.data import Material, Run
from coterie.campaign.report.frame import LETTER, Frame, drawing, horizontal, label, plate, size
from coterie.campaign.report.lines import Axes, Series, chart
from coterie.campaign.report.markup import EMPTY, Markup, card, folded, grid, join, paragraph, section, table, tag, text
from coterie.training.statistics import band


def series(method: int, name: str, both: tuple[np.ndarray, np.ndarray]) -> Series | None:
    """A method's curve over seeds with its 95 % t-band, if there is one."""
    steps, values = both
    return Series(method, name, steps, *band(values)) if steps.size > 1 else None


def learning(material: Material) -> Markup:
    """A chart for each game."""
    about = (
        "Mean over seeds with the 95 % t-interval of the mean. Point at a chart to read it, or focus it and use the "
        "arrow keys; the switches at the top of the page show and hide methods everywhere."
    )
    charts, tables = [], []
    for number, game in enumerate(material.games):
        found = [series(i, material.methods[i], run.returns()) for i, run in material.of(game)]
        curves = [one for one in found if one is not None]
        if not curves:
            charts.append(card(tag("h4", text(game)), paragraph("Nothing has been logged yet.")))
            continue
        charts.append(_chart(material, number, game, curves))
        tables.append(_table(game, curves))
    below = folded("learning-numbers", "Numbers of these charts", *tables) if tables else EMPTY
    return section("learning", "Learning curves", paragraph(about, "lede"), grid(charts), below)


def _chart(material: Material, number: int, game: str, curves: list[Series]) -> Markup:
    known = material.results.games[game]
    heights = {"random": known.random, "reference": known.stated, "optimum": known.optimum}
    references = {name: value for name, value in heights.items() if value is not None}
    last = "; ".join(f"{s.name} ends at {numbers.figure(float(s.middle[-1]), 2)}" for s in curves)
    about = f"Return against environment steps on {game}: {last}."
    title = f"Learning curves on {game}"
    drawn = chart(f"learning-{number}", title, about, curves, Axes(), references, len(material.games))
    seeds = sorted({len(run.returns()[1]) for _, run in material.of(game) if run.steps.size})
    return plate(game, drawn, f"Return of an episode while learning (sampled actions), {_seeds(seeds)}.")


def _seeds(counts: list[int]) -> str:
    return "one seed" if counts == [1] else f"{'–'.join(map(str, counts))} seeds"


def _table(game: str, curves: list[Series]) -> Markup:
    """The curves at fifths of the longest."""
    at = max(float(s.x[-1]) for s in curves) * np.linspace(0.2, 1.0, 5)
    digits = numbers.places([float(np.abs(s.middle).max()) for s in curves])
    rows = []
    for s in curves:
        nearest = [int(np.argmin(np.abs(s.x - x))) for x in at if x <= s.x[-1] * 1.01]
        ends = [numbers.interval(s.low[k], s.high[k], digits) for k in nearest]
        cells = [f"{numbers.figure(s.middle[k], digits)} {end}" for k, end in zip(nearest, ends, strict=True)]
        cells += ["–"] * (len(at) - len(cells))
        rows.append((str(s.method), [join([looks.swatch(s.method), text(s.name)]), *map(text, cells)]))
    return table(f"Return while learning on {game}", ("method", *(f"{numbers.short(x)} steps" for x in at)), rows)


def cost(material: Material) -> Markup:
    """Seconds for a million steps, by game and over all."""
    if not any(_price(material, run) for run in material.runs.values()):
        return section("cost", "Cost", paragraph("No run has finished yet."))
    about = (
        "Seconds of training for a million environment steps, those of all seeds counted, compilation included; in "
        "brackets the median over log points, which leaves compilation out. Evaluation is not counted."
    )
    there = [
        (n, game) for n, game in enumerate(material.games) if any(_price(material, r) for _, r in material.of(game))
    ]
    plates = [_bars(material, number, game, len(there)) for number, game in there]
    return section("cost", "Cost", paragraph(about, "lede"), grid(plates), card(_totals(material)))


def _taken(run: Run) -> float:
    """Environment steps of all seeds."""
    return float(run.steps[-1] if run.steps.size else run.entry.steps) * len(run.entry.seeds)


def _price(material: Material, run: Run) -> float | None:
    """Seconds for a million steps."""
    spent = material.results.seconds.get((run.entry.method, run.entry.game))
    return spent / _taken(run) * 1e6 if spent else None


def _bars(material: Material, number: int, game: str, beside: int) -> Markup:
    found = [(i, run, price) for i, run in material.of(game) if (price := _price(material, run))]
    left = 18 + LETTER * max(len(material.methods[i]) for i, _, _ in found)
    most = max(price for _, _, price in found)
    frame = Frame((0.0, most), (0.0, 1.0), left=left, right=92.0, top=4.0, width=size(beside)[0],
                  height=50.0 + 28 * len(found))  # fmt: skip
    rows = []
    for row, (i, run, price) in enumerate(found):
        y = frame.top + 28 * row
        steady = f" ({numbers.figure(1e6 / run.rate, 1)})" if run.rate else ""
        shown = label(f"{numbers.figure(price, 1)}{steady}", frame.across(price) + 6, y + 17, "start", "tick")
        rect = tag("rect", x=left, y=y + 4, width=max(frame.across(price) - left, 1.0), height=18.0, rx=3.0,
                   class_=f"bar {looks.color(i)}")  # fmt: skip
        name = label(material.methods[i], left - 10, y + 17, "end", f"name {looks.color(i)}")
        rows.append(tag("g", name, rect, shown, data_m=str(i)))
    said = "; ".join(f"{material.methods[i]} {price:.1f}" for i, _, price in found)
    about = f"Seconds for a million environment steps: {said}."
    svg = drawing(f"cost-{number}", f"Cost on {game}", about, frame, *rows,
                  horizontal(frame, "seconds per million steps", None, False, 4))  # fmt: skip
    return plate(game, svg)


def _totals(material: Material) -> Markup:
    seconds = material.results.seconds
    whole = sum(seconds.values()) or 1.0
    rows = []
    for i, method in enumerate(material.methods):
        mine = [run for (name, _), run in material.runs.items() if name == method and _price(material, run)]
        if not mine:
            continue
        spent = sum(seconds[method, run.entry.game] for run in mine)
        taken = sum(map(_taken, mine))
        cells = (f"{len(mine)}", numbers.short(taken), numbers.duration(spent), numbers.figure(spent / taken * 1e6, 1),
                 numbers.percent(spent / whole))  # fmt: skip
        rows.append((str(i), [join([looks.swatch(i), text(method)]), *map(text, cells)]))
    head = ("method", "runs", "steps of all seeds", "training", "seconds per million steps", "share of the campaign")
    return table("Cost of each method over its finished runs", head, rows)
