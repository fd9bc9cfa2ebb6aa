"""Aggregates over games: what is left of differences between methods when chance has been accounted for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.data import Material
from coterie.campaign.report.frame import LETTER, Frame, drawing, horizontal, label, line, plate
from coterie.campaign.report.improvement import improvement
from coterie.campaign.report.lines import Axes, Series, chart
from coterie.campaign.report.markup import Markup, card, folded, grid, join, paragraph, section, table, tag, text
from coterie.campaign.statistics import (
    Estimate,
    iqm,
    median,
    normalise,
    optimality_gap,
    performance_profile,
    sample_efficiency,
    stratified_bootstrap,
)
from coterie.contracts import CoterieError

_FIGURES: tuple[tuple[str, str, Callable[[Any], np.ndarray]], ...] = (
    ("Interquartile mean", "more is better", iqm),
    ("Median", "more is better", median),
    ("Optimality gap", "less is better", optimality_gap),
)


class Common(NamedTuple):
    """What methods can be compared on: games that all of them finished, and normalised scores by method and game."""

    games: tuple[str, ...]
    methods: tuple[int, ...]
    scores: dict[int, dict[str, np.ndarray]]
    bounds: tuple[dict[str, float], dict[str, float]]


def aggregates(material: Material) -> Markup:
    """Scores over all games with stratified bootstrap intervals."""
    try:
        common = share(material)
        inside = [_words(material, common), _intervals(material, common), _curves(material, common)]
    except CoterieError as error:
        inside = [card(paragraph(f"No aggregates: {error}."))]
    return section("aggregates", "Aggregates over games", *inside, improvement(material))


def share(material: Material) -> Common:
    """Scores that can be compared.

    Raises:
        CoterieError: There are none, and why.
    """
    results = material.results
    methods = tuple(i for i, name in enumerate(material.methods) if results.returns.get(name))
    if not methods:
        raise CoterieError("no run is done yet")
    finished = [g for g in material.games if all(g in results.returns[material.methods[i]] for i in methods)]
    if not finished:
        raise CoterieError("there is no game that every method has finished")
    low = {g: known.random for g in finished if (known := results.games[g]).random is not None}
    high = {g: known.reference for g in low if (known := results.games[g]).reference is not None}
    games = tuple(g for g in high if high[g] > low[g])
    if not games:
        raise CoterieError("there is no game whose random return and reference are known and apart")
    if any(len(results.returns[material.methods[i]][g]) < 2 for i in methods for g in games):
        raise CoterieError("an interval needs at least two seeds of each method on each game")
    bounds = {g: low[g] for g in games}, {g: high[g] for g in games}
    scores = {
        i: normalise({g: np.asarray(results.returns[material.methods[i]][g]) for g in games}, *bounds) for i in methods
    }
    return Common(games, methods, scores, bounds)


def _words(material: Material, common: Common) -> Markup:
    over = ", ".join(common.games)
    left = [game for game in material.games if game not in common.games]
    rest = f" Not counted, for want of finished runs or of a reference: {', '.join(left)}." if left else ""
    return paragraph(
        f"Final greedy returns over {over}, normalised so that a random team is 0 and the reference 1. Intervals and "
        "bands: 95 %, from 2,000 bootstrap resamples of the seeds within each game; they speak of other seeds on these "
        f"games, not of other games, and are narrow for few seeds.{rest}",
        "lede",
    )


def _intervals(material: Material, common: Common) -> Markup:
    found = [
        {i: stratified_bootstrap(common.scores[i], statistic) for i in common.methods} for _, _, statistic in _FIGURES
    ]
    plates = [
        plate(f"{title} ({better})", _dots(material, f"aggregate-{n}", title, found[n]))
        for n, (title, better, _) in enumerate(_FIGURES)
    ]
    rows = [
        (str(i), [join([looks.swatch(i), text(material.methods[i])]), *(text(_said(one[i])) for one in found)])
        for i in common.methods
    ]
    head = ("method", *(title for title, _, _ in _FIGURES))
    return join([grid(plates), card(table("Aggregates with 95 % intervals", head, rows))])


def _said(found: Estimate) -> str:
    return f"{numbers.figure(float(found.point), 2)} {numbers.interval(float(found.low), float(found.high), 2)}"


def _dots(material: Material, key: str, title: str, found: dict[int, Estimate]) -> Markup:
    """A mark and its interval for each method."""
    ends = np.array([[float(value) for value in one] for one in found.values()])
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    margin = 0.08 * (high - low) or 0.1
    left = 18 + LETTER * max(len(material.methods[i]) for i in found)
    frame = Frame((low - margin, high + margin), (0, 1), left=left, top=6.0, height=54.0 + 28 * len(found))
    rows = []
    for row, (i, one) in enumerate(found.items()):
        y = frame.top + 28 * row + 14
        point, start, end = (float(value) for value in one)
        bar = line(frame.across(start), y, frame.across(end), y, f"range {looks.color(i)}")
        name = label(material.methods[i], left - 10, y + 4, "end", f"name {looks.color(i)}")
        rows.append(tag("g", name, bar, looks.marker(i, frame.across(point), y, 5.5), data_m=str(i)))
    said = "; ".join(f"{material.methods[i]} {_said(one)}" for i, one in found.items())
    return drawing(key, title, said, frame, horizontal(frame, "normalised score", None, True, 4), *rows)


def _curves(material: Material, common: Common) -> Markup:
    """Performance profiles and sample efficiency, with their numbers folded below."""
    plates, tables = [], []
    profiles, taus = _profiles(material, common)
    axes = Axes("normalised score τ", "share of runs above τ", None, "", (-0.02, 1.02))
    about = "For each method the share of runs that score above a threshold, averaged over games."
    note = "A curve that lies above another throughout is better at every level."
    plates.append(
        plate("Performance profiles", chart("profiles", "Performance profiles", about, profiles, axes, beside=2), note)
    )
    tables.append(_numbers("Performance profiles", profiles, np.linspace(taus[0], taus[-1], 6), "above {:.2f}"))
    speed, note, unit = efficiency(material, common)
    if speed:
        steps = unit == "steps"
        axes = Axes("environment steps" if steps else "share of each game's steps", "interquartile mean",
                    numbers.short if steps else numbers.percent, unit)  # fmt: skip
        about = "The interquartile mean of normalised returns while learning, over games and seeds."
        drawn = chart("efficiency", "Sample efficiency", about, speed, axes, beside=2)
        plates.append(plate("Sample efficiency", drawn, note))
        end = min(s.x[-1] for s in speed)
        at = "at {:,.0f} steps" if steps else "at {:.0%}"
        tables.append(_numbers("Sample efficiency", speed, end * np.linspace(0.2, 1, 5), at))
    return join([grid(plates), folded("curve-numbers", "Numbers of these charts", *tables)])


def _profiles(material: Material, common: Common) -> tuple[list[Series], np.ndarray]:
    every = np.concatenate([task for tasks in common.scores.values() for task in tasks.values()])
    low, high = max(min(0.0, float(every.min())), -1.0), min(max(1.0, float(every.max())), 2.0)
    taus = np.linspace(low - 0.02, high + 0.02, 81)
    series = []
    for i in common.methods:
        found = performance_profile(common.scores[i], taus)
        series.append(Series(i, material.methods[i], taus, *found))
    return series, taus


def efficiency(material: Material, common: Common) -> tuple[list[Series], str, str]:
    """Curves over games on one axis: steps where all games have as many, else the share of each game's steps."""
    runs = {(i, g): material.runs[material.methods[i], g] for i in common.methods for g in common.games}
    curves = {key: run.returns() for key, run in runs.items()}
    if not all(steps.size > 1 and len(values) > 1 for steps, values in curves.values()):
        return [], "", ""
    lengths = {g: max(curves[i, g][0][-1] for i in common.methods) for g in common.games}
    alike = len({round(length) for length in lengths.values()}) == 1
    units = {g: 1.0 if alike else lengths[g] for g in common.games}
    start = max(steps[0] / units[g] for (_, g), (steps, _) in curves.items())
    stop = min(steps[-1] / units[g] for (_, g), (steps, _) in curves.items())
    grid_ = np.linspace(start, stop, 33)
    series = []
    for i in common.methods:
        tasks = {
            g: np.stack([np.interp(grid_, curves[i, g][0] / units[g], seed) for seed in curves[i, g][1]])
            for g in common.games
        }
        series.append(Series(i, material.methods[i], grid_, *sample_efficiency(normalise(tasks, *common.bounds), 1000)))
    note = "Returns while learning (sampled actions)" + ("." if alike else "; games differ in their budgets.")
    return series, note, "steps" if alike else "%"


def _numbers(title: str, series: list[Series], at: np.ndarray, shown: str) -> Markup:
    rows = []
    for s in series:
        three = [np.interp(at, s.x, values) for values in (s.middle, s.low, s.high)]
        cells = [f"{numbers.figure(m, 2)} {numbers.interval(a, b, 2)}" for m, a, b in zip(*three, strict=True)]
        rows.append((str(s.method), [join([looks.swatch(s.method), text(s.name)]), *map(text, cells)]))
    return table(title, ("method", *(shown.format(value) for value in at)), rows)
