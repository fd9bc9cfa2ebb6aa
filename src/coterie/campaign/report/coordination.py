"""Diagnostics of coordination: who moves when, how far, and every coefficient that adapts."""

from __future__ import annotations

import numpy as np

from coterie.campaign.report import numbers
from coterie.campaign.report.data import RETURNS, Material, Run
from coterie.campaign.report.frame import Frame, drawing, horizontal, label, plate, size
from coterie.campaign.report.learning import series
from coterie.campaign.report.lines import Axes, chart
from coterie.campaign.report.markup import EMPTY, Markup, folded, grid, join, paragraph, section, tag, text

_SHOWN = {
    "clip_fraction": ("Clip fraction", "Share of samples whose ratio left the clip range."),
    "clip_range": ("Clip range", "The effective range, which A2PO widens from turn to turn."),
    "joint_ratio_mean": ("Joint ratio, mean", "Product of all agents' ratios, mean over samples: 1 means no drift."),
    "joint_ratio_max": ("Joint ratio, largest", "The largest product of all agents' ratios."),
    "kl": ("KL divergence", "From the behaviour policy to the updated one, mean over agents."),
    "entropy": ("Entropy", "Of the policies, mean over agents."),
}
_PLAIN = {
    *RETURNS, "episodes", "loss", "policy_loss", "value_loss", "gradient_norm", "value_gradient_norm", "value_mean",
    "explained_variance", "advantage_std", "ratio_mean", "ratio_max", "turn", "guard", "action_probability",
}  # fmt: skip
"""Metrics that say nothing of coordination, or are drawn elsewhere; what is in neither set adapts, and is drawn."""
_STRIP = 14.0


def coordination(material: Material) -> Markup:
    """One folded part for each game."""
    about = "Means over seeds (bands: 95 % t-intervals) and over the agents of a team, at each log point."
    parts = [_game(material, number, game) for number, game in enumerate(material.games)]
    return section("coordination", "Coordination", paragraph(about, "lede"), *parts)


def _game(material: Material, number: int, game: str) -> Markup:
    runs = [(i, run) for i, run in material.of(game) if run.steps.size]
    if not runs:
        return tag("div", folded(f"coordination-{number}", game, paragraph("Nothing has been logged yet.")),
                   class_="card")  # fmt: skip
    names = dict.fromkeys([*_SHOWN, *sorted({n for _, run in runs for n in run.metrics} - _PLAIN - set(_SHOWN))])
    charts = [_metric(material, f"coordination-{number}-{k}", game, name) for k, name in enumerate(names)]
    inside = (_orders(material, number, game, runs), grid([one for one in charts if one]))
    return tag("div", folded(f"coordination-{number}", game, *inside, open_=number == 0), class_="card folding")


def _metric(material: Material, key: str, game: str, name: str) -> Markup:
    title, about = _SHOWN.get(name, (name.replace("_", " ").capitalize(), "A coefficient that changes while learning."))
    largest = name.endswith("max")
    found = [series(i, material.methods[i], run.curve(name, largest)) for i, run in material.of(game)]
    curves = [one for one in found if one is not None]
    if not curves:
        return EMPTY
    said = f"{about} On {game}, against environment steps."
    return plate(title, chart(key, f"{title} on {game}", said, curves, Axes()), about)


def _orders(material: Material, number: int, game: str, runs: list[tuple[int, Run]]) -> Markup:
    """Strips for methods whose agents move in turn, a sentence for those that move at once."""
    turns = {i: run.metrics["turn"].mean(0) for i, run in runs if run.metrics.get("turn", np.zeros(0)).ndim == 3}
    moving = {i: turn for i, turn in turns.items() if np.nanmax(turn, initial=0.0) > 0}
    still = [material.methods[i] for i in turns if i not in moving]
    at_once = f"{', '.join(still)}: all agents move at once." if still else ""
    if not moving:
        return paragraph(at_once) if at_once else EMPTY
    lean = {i: turn - turn.mean(1, keepdims=True) for i, turn in moving.items()}
    most = max(float(np.nanmax(np.abs(one), initial=0.0)) for one in lean.values()) or 1.0
    strips = [_strip(material, f"order-{number}-{i}", game, i, lean[i], (most, len(lean))) for i in lean]
    words = (
        "Update order: the mean turn of each agent, against that of the team. Blue moves earlier than the team's mean, "
        f"orange later; the deepest colour is {numbers.figure(most, 2)} turns: "
    )
    key = tag("span", class_="ramp", aria_hidden="true")
    return join([tag("p", text(words), text("earlier "), key, text(" later. "), text(at_once), class_="note"),
                 grid(strips)])  # fmt: skip


def _strip(material: Material, key: str, game: str, method: int, lean: np.ndarray, scale: tuple[float, int]) -> Markup:
    """Agents down, time across; the colour says earlier or later. ``scale``: the deepest colour, strips in a row."""
    most, beside = scale
    points, agents = lean.shape
    steps = material.runs[material.methods[method], game].steps
    row = max(min(_STRIP * 2, 168.0 / agents), 5.0)
    named = row >= 10
    frame = Frame((0.0, float(steps[-1])), (0.0, 1.0), left=64.0 if named else 14.0, top=2.0,
                  width=size(beside)[0], height=44.0 + row * agents)  # fmt: skip
    width = (frame.width - frame.left - frame.right) / points
    cells = [
        tag("rect", x=frame.left + width * t, y=frame.top + row * n, width=width + 0.3, height=row - 1,
            class_="early" if lean[t, n] < 0 else "late", fill_opacity=f"{min(abs(lean[t, n]) / most, 1.0):.2f}")
        for n in range(agents) for t in range(points) if np.isfinite(lean[t, n])
    ]  # fmt: skip
    ground = [
        tag("rect", x=frame.left, y=frame.top + row * n, width=frame.width - frame.left - frame.right, height=row - 1,
            class_="ground") for n in range(agents)
    ]  # fmt: skip
    middles = [frame.top + row * (n + 0.5) for n in range(agents)]
    names = [label(f"agent {n}", frame.left - 7, y + 3.5, "end", "tick") for n, y in enumerate(middles)]
    mean = np.nanmean(lean, 0)
    said = ", ".join(f"agent {n} {numbers.figure(mean[n], 2)}" for n in range(min(agents, 12)))
    title = f"Update order of {material.methods[method]} on {game}"
    svg = drawing(key, title, f"Mean turn against the team's, over all time: {said}.", frame, *ground, *cells,
                  *(names if named else ()), horizontal(frame, "environment steps", numbers.short))  # fmt: skip
    return plate(material.methods[method], svg, methods=str(method))
